"""The same files give the same lineage, in whatever process they are loaded."""

from dataclasses import replace
from pathlib import Path

import pytest

from alpamayo_ros.envelope.document import Envelope
from alpamayo_ros.errors import ProfileError
from alpamayo_ros.lineage.manifest import compare_components, digests_by_kind
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.planner import PlannerParams
from alpamayo_ros.params.recorder import RecorderParams
from alpamayo_ros.params.replayer import ReplayerParams
from alpamayo_ros.perception.calibration import with_digest
from alpamayo_ros.pipeline.setup import choose_profile, set_up_stack
from alpamayo_ros.structs.camera import RigCalibration
from alpamayo_ros.structs.lineage import Lineage
from alpamayo_ros.structs.pose import OdometryFrame, Pose

ONE_CAMERA = str(Path(__file__).parents[2] / "profiles" / "one_camera.yaml")


def lineage_of(
    profile: str = "kinematic",
    parameters: NodeParameters | None = None,
    calibration: RigCalibration | None = None,
    backend: str = "",
) -> Lineage:
    given = calibration if calibration is not None else RigCalibration()
    return set_up_stack(choose_profile(profile, backend), parameters or NodeParameters(), given, Envelope()).lineage


def changed(one: Lineage, other: Lineage) -> list[str]:
    return [kind for kind, _, _ in compare_components(digests_by_kind(one), digests_by_kind(other))]


def test_what_is_loaded_is_kept_and_named() -> None:
    profile, parameters = choose_profile("kinematic"), NodeParameters()
    stack = set_up_stack(profile, parameters, RigCalibration(), Envelope())
    assert (stack.profile, stack.parameters, stack.envelope) == (profile, parameters, Envelope())
    assert stack.lineage.envelope_id == "none"
    assert lineage_of() == stack.lineage


def test_a_named_backend_takes_the_place_of_the_profiles_own_and_is_in_the_lineage() -> None:
    assert choose_profile("kinematic").backend == "reference"
    assert choose_profile("kinematic", "tensorrt") == replace(choose_profile("kinematic"), backend="tensorrt")
    assert lineage_of(backend="reference") == lineage_of()
    assert lineage_of(backend="tensorrt").lineage_id != lineage_of().lineage_id


def test_a_profile_is_found_by_name_and_by_path() -> None:
    assert choose_profile(ONE_CAMERA).cameras[0].id == "front"
    with pytest.raises(ProfileError, match="profile 'nanoo' is not known"):
        choose_profile("nanoo")


@pytest.mark.parametrize(
    "parameters",
    [
        NodeParameters(recorder=RecorderParams(bag_prefix="x", max_file_mb=5, compression="none")),
        NodeParameters(replayer=ReplayerParams(bag="/x", rate=2.0)),
        NodeParameters(perception=PerceptionParams(topics_file="/x.yaml", skip_when_busy=False, answer_timeout_ms=0)),
        NodeParameters(planner=PlannerParams(autostart=False, parameter_file="/x", calibration_file="/y")),
    ],
    ids=["recording", "playing", "how ticks are taken", "paths"],
)
def test_what_changes_no_output_changes_no_id(parameters: NodeParameters) -> None:
    assert lineage_of(parameters=parameters).lineage_id == lineage_of().lineage_id


def test_a_behavioural_parameter_changes_the_config_alone() -> None:
    slow = NodeParameters(planner=PlannerParams(max_speed_mps=20.0))
    assert changed(lineage_of(), lineage_of(parameters=slow)) == ["config"]


def test_the_calibration_is_named_by_what_it_says_and_not_by_where_it_is_from() -> None:
    frame = OdometryFrame("imu", Pose((1.0, 0.0, 0.0)))
    one = with_digest(RigCalibration(source="a", odometry=frame))
    other = with_digest(RigCalibration(source="b", odometry=frame))
    assert changed(lineage_of(), lineage_of(calibration=one)) == ["calibration"]
    assert lineage_of(calibration=one).lineage_id == lineage_of(calibration=other).lineage_id
