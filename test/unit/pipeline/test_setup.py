"""The same files give the same lineage, in whatever process they are loaded."""

import importlib.metadata
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.envelope.document import Envelope
from alpamayo_ros.errors import DigestMismatchError, ProfileError
from alpamayo_ros.inference.model_folder import open_model_folder
from alpamayo_ros.lineage.canonical import document_id
from alpamayo_ros.lineage.manifest import compare_components, digests_by_kind
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.planner import PlannerParams
from alpamayo_ros.params.profile import Profile
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


def components(profile: Profile) -> dict[str, str]:
    return digests_by_kind(set_up_stack(profile, NodeParameters(), RigCalibration(), Envelope()).lineage)


def test_a_learned_model_names_itself_its_engines_and_its_data(tmp_path: Path, tiny_model: Any) -> None:
    profile = choose_profile(str(tiny_model.write_tiny_model(tmp_path)))
    named = components(profile)
    files = json.loads((tmp_path / "tiny" / "model.yaml").read_text(encoding="utf-8"))["files"]
    assert named["model"] == open_model_folder(tmp_path / "tiny").digest
    assert named["engine"] == document_id({name: digest for name, digest in files.items() if name.endswith(".onnx")})
    assert named["dataset"] == f"sha256:{'d' * 64}"
    stack = set_up_stack(profile, NodeParameters(), RigCalibration(), Envelope())
    assert stack.lineage.details["runtime"]["onnxruntime"] == importlib.metadata.version("onnxruntime")
    assert stack.lineage.details["model"]["provenance.seed"] == "0"


def test_other_weights_are_another_model_and_engine_and_nothing_else(tmp_path: Path, tiny_model: Any) -> None:
    one = choose_profile(str(tiny_model.write_tiny_model(tmp_path / "one")))
    other = choose_profile(str(tiny_model.write_tiny_model(tmp_path / "other", gain=2.0)))
    differing = [kind for kind, _, _ in compare_components(components(one), components(other))]
    assert differing == ["model", "engine"]
    again = choose_profile(str(tiny_model.write_tiny_model(tmp_path / "again")))
    assert components(again) == components(one)


def test_a_file_that_is_not_the_models_is_refused_by_every_node(tmp_path: Path, tiny_model: Any) -> None:
    profile = choose_profile(str(tiny_model.write_tiny_model(tmp_path)))
    (tmp_path / "tiny" / "action.onnx").write_bytes(b"")
    with pytest.raises(DigestMismatchError, match=r"action\.onnx has the digest"):
        set_up_stack(profile, NodeParameters(), RigCalibration(), Envelope())


def test_the_detector_is_an_engine_and_its_library_is_part_of_the_runtime() -> None:
    digest = "sha256:" + "7" * 64
    with_detector = lineage_of(parameters=NodeParameters(perception=PerceptionParams(detector_sha256=digest)))
    assert changed(lineage_of(), with_detector) == ["engine", "config", "runtime"]
    assert next(part.name for part in with_detector.components if part.kind == "engine") == "detector"
    assert with_detector.details["config"]["parameters.perception.detector_sha256"] == digest
    assert "onnxruntime" in with_detector.details["runtime"]
    other_path = PerceptionParams(detector_sha256=digest, detector_model="/somewhere/detector.onnx")
    assert lineage_of(parameters=NodeParameters(perception=other_path)).lineage_id == with_detector.lineage_id
