"""Two ways of running one model: alike when they are, apart in the right stage when they are not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.errors import ConfigurationError, TensorSpecError
from alpamayo_ros.reasoning.driving_language import Answer, DrivingLanguage
from alpamayo_ros.replay.engine_compare import compare_on_bag, compare_on_random, parse_side
from alpamayo_ros.replay.engine_tolerances import load_engine_tolerances
from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction

TOLERANCES = load_engine_tolerances()
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
def make_side(tmp_path: Path, tiny_model: Any) -> Callable[..., Any]:
    """Return what writes a tiny model and names it as a side."""

    def make(name: str, answer: Answer = ANSWER, **options: Any) -> Any:
        said = DrivingLanguage().encode(answer)[1:]
        return parse_side(f"{tiny_model.write_tiny_model(tmp_path / name, said, **options)}@ort_cpu")

    return make


def test_a_model_is_like_itself_bit_by_bit(make_side: Callable[..., Any], short_bag: Path) -> None:
    found = compare_on_bag(make_side("a"), make_side("b"), short_bag, TOLERANCES)
    assert len(found.ticks) >= 8
    assert found.shares == {"text": 1.0, "decision": 1.0, "sample": 1.0}
    assert {one.stage for one in found.outputs} == {"perceive", "reason", "plan"}
    assert all(one.largest == 0.0 and one.calls >= len(found.ticks) and one.typical > 0.0 for one in found.outputs)
    assert found.exceeded == ()
    assert found.compared
    assert found.first_apart is None
    assert found.first.components == found.second.components


def test_other_weights_are_apart_where_they_arise(make_side: Callable[..., Any], short_bag: Path) -> None:
    found = compare_on_bag(make_side("a"), make_side("b", gain=1.3), short_bag, TOLERANCES)
    assert found.first_apart is not None
    assert found.first_apart.stage == "perceive"
    assert found.first.components["engine"] != found.second.components["engine"]
    assert any("vision_tokens" in sentence for sentence in found.exceeded)


def test_other_words_are_apart_in_reasoning(make_side: Callable[..., Any], short_bag: Path) -> None:
    other = replace(ANSWER, words=("i", "brake", "."), longitudinal=LongitudinalAction.DECELERATE)
    found = compare_on_bag(make_side("a"), make_side("b", other), short_bag, TOLERANCES)
    assert found.first_apart is not None
    assert found.first_apart.stage == "reason"
    assert found.first_apart.texts == ("I stay behind.", "I brake.")
    assert found.shares["text"] == found.shares["decision"] == 0.0
    largest = {one.output: one.largest for one in found.outputs if one.stage == "perceive"}
    assert set(largest.values()) == {0.0}


def test_one_that_fails_is_named_with_its_reason(make_side: Callable[..., Any], short_bag: Path) -> None:
    found = compare_on_bag(make_side("a"), make_side("b", blind=True), short_bag, TOLERANCES)
    assert not found.ticks
    assert "the second failed: output 'vision_tokens' of the perceive stage is not finite" in found.failures[0]
    assert any("only one of them answered" in sentence for sentence in found.exceeded)


def test_two_that_fail_alike_at_every_tick_show_nothing(make_side: Callable[..., Any], short_bag: Path) -> None:
    found = compare_on_bag(make_side("a", blind=True), make_side("b", blind=True), short_bag, TOLERANCES)
    assert not found.ticks
    assert not found.failures
    assert not found.compared


def test_random_inputs_tell_two_weights_apart_and_are_those_of_the_seed(make_side: Callable[..., Any]) -> None:
    alike = compare_on_random(make_side("a"), make_side("b"), 3, TOLERANCES)
    assert alike.exceeded == ()
    assert all(one.calls == 3 and one.largest == 0.0 for one in alike.outputs)
    one, again, other = (
        compare_on_random(make_side(f"c{n}"), make_side(f"d{n}", gain=1.3), 3, TOLERANCES, seed)
        for n, seed in enumerate((0, 0, 1))
    )
    assert one.exceeded
    assert one.outputs == again.outputs
    assert one.outputs != other.outputs


def test_kinematic_needs_no_pictures(make_odometry_bag: Callable[..., Path]) -> None:
    side = parse_side("kinematic")
    found = compare_on_bag(side, side, make_odometry_bag(), TOLERANCES)
    assert found.compared
    assert not found.exceeded
    assert max(tick.ade_m for tick in found.ticks) == 0.0


def test_sides_with_other_inputs_or_tensors_are_refused(make_side: Callable[..., Any], short_bag: Path) -> None:
    with pytest.raises(ConfigurationError, match="take other inputs: trigger is"):
        compare_on_bag(make_side("a"), parse_side("kinematic"), short_bag, TOLERANCES)
    side = make_side("b")
    path = Path(side.profile)
    path.write_text(path.read_text().replace("plan: {program: action.onnx", "plan: {program: vision.onnx"))
    with pytest.raises(TensorSpecError):
        compare_on_bag(make_side("c"), side, short_bag, TOLERANCES)


@pytest.mark.parametrize(
    ("text", "profile", "backend"),
    [("nano", "nano", ""), ("nano@torch", "nano", "torch"), ("a@b/p.yaml@ort_cpu", "a@b/p.yaml", "ort_cpu")],
)
def test_a_side_is_a_profile_and_perhaps_a_backend(text: str, profile: str, backend: str) -> None:
    side = parse_side(text)
    assert (side.name, side.profile, side.backend) == (text, profile, backend)


@pytest.mark.parametrize("text", ["", "@torch", "nano@"])
def test_a_side_without_a_part_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="expected PROFILE or PROFILE@BACKEND"):
        parse_side(text)
