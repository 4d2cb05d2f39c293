"""A split learned model runs from pictures to trajectories, or is refused with what is wrong before the first tick."""

import gc
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest

from alpamayo_ros.envelope.document import load_envelope
from alpamayo_ros.errors import (
    AlpamayoError,
    ArtifactError,
    BackendError,
    DigestMismatchError,
    ParameterError,
    ProfileError,
    TensorSpecError,
)
from alpamayo_ros.lineage.canonical import bytes_id
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import Profile, StageSpec, load_profile
from alpamayo_ros.pipeline.drive import DrivePipeline, TickAnswer
from alpamayo_ros.pipeline.setup import set_up_stack
from alpamayo_ros.pipeline.stages import Stages, load_detector, load_reasoner, load_stages
from alpamayo_ros.reasoning.driving_language import Answer, DrivingLanguage
from alpamayo_ros.structs.camera import CameraFrame, RigCalibration
from alpamayo_ros.structs.navigation import Navigation, NavigationCommand
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction
from alpamayo_ros.structs.tick import TickOutcome

MS = 1_000_000
ANSWER = Answer(
    ("i", "stay", "behind", "."),
    "lead_vehicle",
    1,
    (10, 2, 14, 5),
    LongitudinalAction.KEEP_SPEED,
    LateralAction.STRAIGHT,
    LaneAction.KEEP,
)


@pytest.fixture
def profile(tmp_path: Path, tiny_model: Any) -> Profile:
    """Return the profile of a tiny model that says one answer."""
    return load_profile(str(tiny_model.write_tiny_model(tmp_path, DrivingLanguage().encode(ANSWER)[1:])))


def run(
    profile: Profile,
    navigation: Navigation = Navigation.NONE,
    brightness: int = 90,
    perception: PerceptionParams | None = None,
) -> list[TickAnswer]:
    parameters = NodeParameters(perception=perception or PerceptionParams())
    return run_stages(profile, parameters, load_stages(profile, parameters), navigation, brightness)


def run_stages(
    profile: Profile,
    parameters: NodeParameters,
    stages: Stages,
    navigation: Navigation = Navigation.NONE,
    brightness: int = 90,
) -> list[TickAnswer]:
    drive = DrivePipeline(profile, parameters, stages)
    answers: list[TickAnswer] = []
    rows = np.random.Generator(np.random.PCG64(5)).integers(0, brightness, (36, 60, 3), dtype=np.uint8)
    for stamp in range(0, 2001, 100):
        drive.feed_navigation(NavigationCommand(stamp * MS, navigation))
        rows[0, 0, 0] = stamp % 251  # a camera whose picture never changes is frozen
        jpeg = cv2.imencode(".png", rows)[1].tobytes()
        for camera in profile.cameras:
            answers += drive.feed_frame(CameraFrame(camera.id, stamp * MS, "png", jpeg))
        answers += drive.feed_odometry(OdometrySample(stamp * MS, 8e-3 * stamp, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    return answers


def plans(answers: list[TickAnswer]) -> list[bytes]:
    return [answer.trajectories.x.tobytes() for answer in answers if answer.trajectories is not None]


def test_pictures_become_words_and_trajectories(profile: Profile) -> None:
    answers = run(profile)
    answered = [answer for answer in answers if answer.status.outcome is TickOutcome.ANSWERED]
    assert len(answered) == 6
    for answer in answered:
        assert answer.rationale is not None
        assert answer.trajectories is not None
        assert answer.rationale.text == "I stay behind."
        (factor,) = answer.rationale.causal_factors
        # 60 x 36 px were received, 160 x 96 px are looked at.
        assert (factor.label, factor.camera) == ("lead vehicle", "camera_front_wide_120fov")
        assert factor.box_px == pytest.approx((15.0, 3.0, 6.0, 4.5))
        assert answer.trajectories.x.shape == (6, 64)
        assert (answer.trajectories.speed >= 0.0).all()
    assert plans(answers) == plans(run(profile))


def test_the_plan_depends_on_pictures_and_on_navigation(profile: Profile) -> None:
    first = plans(run(profile))
    for other in (run(profile, Navigation.LEFT), run(profile, Navigation.RIGHT), run(profile, brightness=250)):
        assert all(one != another for one, another in zip(first, plans(other), strict=True))


def test_threads_may_be_pinned_to_more_than_one(profile: Profile) -> None:
    assert len(plans(run(replace(profile, session_threads=2)))) == 6


def missing(profile: Profile, folder: Path) -> Profile:
    (folder / "reasoning.onnx").unlink()
    return profile


def changed(profile: Profile, folder: Path) -> Profile:
    (folder / "vision.onnx").write_bytes(b"other")
    return profile


def swapped(profile: Profile, _: Path) -> Profile:
    return replace(profile, stages={**profile.stages, "perceive": StageSpec("action.onnx")})


def without_folder(profile: Profile, folder: Path) -> Profile:
    return replace(profile, model_folder=folder / "absent")


def with_fewer_cameras(profile: Profile, _: Path) -> Profile:
    return replace(profile, cameras=profile.cameras[:3])


def with_longer_history(profile: Profile, _: Path) -> Profile:
    return replace(profile, history_length=17)


def with_other_points(profile: Profile, _: Path) -> Profile:
    return replace(profile, point_count=32)


def without_language(profile: Profile, _: Path) -> Profile:
    return replace(profile, prompt_family="none")


@pytest.mark.parametrize(
    ("break_it", "error", "message"),
    [
        (missing, ArtifactError, "reasoning.onnx cannot be read"),
        (changed, DigestMismatchError, "vision.onnx has the digest"),
        (swapped, TensorSpecError, r"input of the vision encoder has the tensors .* expected \['images'\]"),
        (without_folder, ArtifactError, "model.yaml cannot be read"),
        (with_fewer_cameras, TensorSpecError, r"'images' is uint8 \(4, 2, 96, 160, 3\); expected uint8 \(3, 2"),
        (with_longer_history, TensorSpecError, r"'history' is float32 \(-1, 16, 4\); expected float32 \(-1, 17, 4\)"),
        (with_other_points, TensorSpecError, r"'noise' is float32 \(-1, 64, 2\); expected float32 \(6, 32, 2\)"),
        (without_language, ProfileError, "stages/reason/method with prompt_family 'none' 'token_decoder' is not known"),
    ],
)
def test_what_does_not_fit_is_refused_when_it_is_loaded(
    profile: Profile,
    break_it: Callable[[Profile, Path], Profile],
    error: type[AlpamayoError],
    message: str,
) -> None:
    assert profile.model_folder is not None
    broken = break_it(profile, profile.model_folder)
    with pytest.raises(error, match=message):
        load_stages(broken, NodeParameters())


def test_a_stage_that_fails_ends_its_tick_and_no_other(profile: Profile, tiny_model: Any, tmp_path: Path) -> None:
    infinite = load_profile(str(tiny_model.write_tiny_model(tmp_path / "loud", gain=9e37)))
    answers = run(infinite)
    failed = [answer for answer in answers if answer.status.outcome is TickOutcome.STAGE_FAILED]
    assert len(failed) == 6
    assert "not finite" in failed[0].status.text
    assert len(plans(run(profile))) == 6


def detector_file(folder: Path) -> tuple[str, str]:
    """Write a FastestDet that sees one car where ANSWER's box is, whatever it looks at; return its path and digest."""
    output = np.zeros((1, 85, 2, 2), dtype=np.float32)
    # The middle is at 0.3 and 0.146 of width and height, the sizes are 0.1 and 0.125 of them.
    output[0, :5, 0, 0] = (0.9, np.arctanh(0.6), np.arctanh(0.2917), np.log(0.1 / 0.9), np.log(0.125 / 0.875))
    output[0, 5 + 2, 0, 0] = 0.9
    said = onnx.numpy_helper.from_array(output, "said")
    nodes = [
        onnx.helper.make_node("ReduceMin", ["pictures"], ["least"], keepdims=0),
        onnx.helper.make_node("Mul", ["least", "nothing"], ["zero"]),
        onnx.helper.make_node("Add", ["said", "zero"], ["out"]),
    ]
    graph = onnx.helper.make_graph(
        nodes,
        "detector",
        [onnx.helper.make_tensor_value_info("pictures", onnx.TensorProto.FLOAT, [1, 3, 32, 32])],
        [onnx.helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, [1, 85, 2, 2])],
        [said, onnx.numpy_helper.from_array(np.float32(0.0), "nothing")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    path = folder / "detector.onnx"
    path.write_bytes(model.SerializeToString())
    return str(path), bytes_id(path.read_bytes())


def test_a_detector_gives_its_actors_to_reasoning_which_names_its_causes_by_them(
    profile: Profile, tmp_path: Path
) -> None:
    path, digest = detector_file(tmp_path)
    detecting = PerceptionParams(
        detector_model=path,
        detector_sha256=digest,
        detector_form="fastestdet",
        detector_cameras=("camera_front_wide_120fov",),
    )
    answers = [answer for answer in run(profile, perception=detecting) if answer.rationale is not None]
    assert len(answers) == 6
    for answer in answers:
        assert answer.rationale is not None
        (factor,) = answer.rationale.causal_factors
        assert factor.actor_id == "camera_front_wide_120fov/0"
    assert plans(answers) == plans(run(profile))


def test_a_detector_and_its_digest_come_together(profile: Profile, tmp_path: Path) -> None:
    path, digest = detector_file(tmp_path)
    assert load_detector(profile, PerceptionParams()) is None
    for given in ({"detector_model": path}, {"detector_sha256": digest}):
        with pytest.raises(ParameterError, match="do not go together; expected both or none"):
            load_detector(profile, PerceptionParams(**given))
    with pytest.raises(ParameterError, match="has no cameras; expected no detector"):
        load_detector(load_profile("kinematic"), PerceptionParams(detector_model=path, detector_sha256=digest))
    with pytest.raises(DigestMismatchError, match=r"detector .* has the digest"):
        load_detector(profile, PerceptionParams(detector_model=path, detector_sha256=bytes_id(b"other")))


def test_a_file_that_is_no_model_is_refused(profile: Profile, tmp_path: Path) -> None:
    path = tmp_path / "detector.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(BackendError, match=r"detector .* cannot be loaded"):
        load_detector(profile, PerceptionParams(detector_model=str(path), detector_sha256=bytes_id(b"not a model")))


@pytest.fixture
def put_wider(profile: Profile, tiny_model: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that replaces a file by that of a wider model, with its digest."""
    monkeypatch.setattr(tiny_model, "WIDTH", tiny_model.WIDTH + 1)
    return lambda program: replace_file(profile, tiny_model, program)


def replace_file(profile: Profile, tiny_model: Any, program: str) -> None:
    folder = profile.model_folder
    assert folder is not None
    tiny_model.write_tiny_model(folder.parent / "wide")
    (folder / program).write_bytes((folder.parent / "wide" / "tiny" / program).read_bytes())
    tiny_model.write_model_document(folder)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("vision.onnx", r"perceive and reason do not fit: 'vision_tokens' is given as float32 \(8, 9\) and taken as"),
        (
            "action.onnx",
            r"reason and plan do not fit: 'states' is given as float32 \(-1, 8\) and taken as float32 \(-1, 9",
        ),
    ],
)
def test_files_of_two_models_are_refused_when_they_are_loaded(
    profile: Profile, put_wider: Callable[[str], None], program: str, message: str
) -> None:
    put_wider(program)
    for load in (load_stages, load_reasoner):
        with pytest.raises(TensorSpecError, match=message):
            load(profile, NodeParameters())


def test_a_decoder_without_a_perceive_stage_is_refused_when_it_is_loaded(profile: Profile) -> None:
    stages = {name: stage for name, stage in profile.stages.items() if name != "perceive"}
    with pytest.raises(
        ProfileError, match="stages/reason takes 'vision_tokens' of a perceive stage, and there is none"
    ):
        load_stages(replace(profile, stages=stages), NodeParameters())


@pytest.mark.parametrize(
    ("stage", "message"),
    [("reason", "program of the reason stage gives .* expected motion"), ("plan", "gives .* expected trajectories")],
)
def test_a_program_that_is_run_once_must_give_what_its_stage_is_for(profile: Profile, stage: str, message: str) -> None:
    family = "none" if stage == "reason" else profile.prompt_family
    stages = {**profile.stages, stage: StageSpec(profile.stages[stage].program)}
    with pytest.raises(TensorSpecError, match=message):
        load_stages(replace(profile, stages=stages, prompt_family=family), NodeParameters())


def test_a_model_that_is_replaced_after_it_was_named_is_not_loaded(profile: Profile, tiny_model: Any) -> None:
    folder = profile.model_folder
    assert folder is not None
    stack = set_up_stack(profile, NodeParameters(), RigCalibration(), load_envelope(None))
    tiny_model.write_tiny_model(folder.parent / "new", gain=2.0)
    for file in (folder.parent / "new" / "tiny").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    with pytest.raises(DigestMismatchError, match="has the digest"):
        load_stages(profile, NodeParameters(), stack.model)
    assert set_up_stack(profile, NodeParameters(), RigCalibration(), load_envelope(None)).lineage != stack.lineage


def test_a_closed_stage_is_a_failed_tick_and_no_defect(profile: Profile) -> None:
    stages = load_stages(profile, NodeParameters())
    stages.planner.close()
    statuses = [answer.status for answer in run_stages(profile, NodeParameters(), stages)]
    failed = [status.text for status in statuses if status.outcome is TickOutcome.STAGE_FAILED]
    assert len(failed) == 6
    assert all("action.onnx was closed" in text for text in failed)


def in_worker() -> NodeParameters:
    return NodeParameters(perception=PerceptionParams(worker=True, worker_answer_ms=20_000))


def test_a_model_in_a_process_of_its_own_answers_bit_for_bit_the_same(profile: Profile) -> None:
    stages = load_stages(profile, in_worker())
    there = run_stages(profile, in_worker(), stages)
    stages.close()
    here = run(profile)
    assert [answer.status for answer in there] == [answer.status for answer in here]
    answered = [answer for answer in here if answer.status.outcome is TickOutcome.ANSWERED]
    assert len(answered) == 6
    for one, other in zip(there, here, strict=True):
        assert one.rationale == other.rationale
        assert (one.trajectories is None) == (other.trajectories is None)
        if one.trajectories is not None and other.trajectories is not None:
            assert one.trajectories.x.tobytes() == other.trajectories.x.tobytes()
            assert one.trajectories.y.tobytes() == other.trajectories.y.tobytes()


def test_a_model_in_a_process_of_its_own_is_the_same_lineage(profile: Profile) -> None:
    lineages = [
        set_up_stack(profile, parameters, RigCalibration(), load_envelope(None)).lineage
        for parameters in (NodeParameters(), in_worker())
    ]
    assert lineages[0] == lineages[1]


def test_a_worker_that_is_killed_fails_the_ticks_until_a_fresh_one_answers(profile: Profile) -> None:
    stages = load_stages(profile, in_worker())
    drive = run_stages(profile, in_worker(), stages)
    assert drive[-1].status.outcome is TickOutcome.ANSWERED
    session: Any = stages.planner._session
    os.kill(session.worker.pid, signal.SIGKILL)
    failed = [
        one.status for one in run_stages(profile, in_worker(), stages) if one.status.outcome is TickOutcome.STAGE_FAILED
    ]
    assert failed
    assert all("worker was ended by SIGKILL; it is being started again" in status.text for status in failed)
    while session.worker.pid is None:
        time.sleep(0.05)
    again = run_stages(profile, in_worker(), stages)
    assert [one.status.outcome for one in again] == [one.status.outcome for one in drive]
    stages.close()


def test_a_worker_of_stages_that_do_not_fit_does_not_stay(profile: Profile) -> None:
    stages = {name: stage for name, stage in profile.stages.items() if name != "perceive"}
    with pytest.raises(ProfileError, match="takes 'vision_tokens' of a perceive stage"):
        load_stages(replace(profile, stages=stages), in_worker())
    # A process that stays would be told of by Python, and a warning is an error here.
    gc.collect()
