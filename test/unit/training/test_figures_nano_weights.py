"""The shipped weights: few and small enough, described, and as good as they were measured, less a margin.

Ten held-out episodes, every two seconds, gave with these weights: meta-action 0.80, cause 0.79, absence 0.84, swap
0.97, removal 0.75, error 0.33 of kinematic's, contradictions 0.031, bystander 0.00; ``docs/nano.md`` has those of 200.
"""

from pathlib import Path

import numpy as np
import pytest

from alpamayo_ros.inference.model_folder import ModelFolder, open_model_folder
from alpamayo_ros.params.profile import load_profile
from alpamayo_ros.replay.engine_session import EngineRequest, build_for_profile
from alpamayo_ros.training.figures import Figure, open_loop_figures
from alpamayo_ros.training.open_loop import MomentResult, OpenLoop
from alpamayo_ros.world.episode import EpisodeRecord, drive_expert
from alpamayo_ros.world.scenarios.registry import SCENARIOS, episode

FOLDER = Path(__file__).resolve().parents[3] / "config" / "models" / "nano"
PARTS = ("vision.onnx", "reasoning.onnx", "action.onnx")
HELD_OUT_SEED = 0
EVERY_STEPS = 20
DEMO = Path(__file__).resolve().parents[3] / "bags" / "demo"
EIGHT_BITS = ("crossing_pedestrian", "lead_braking", "red_light", "stopped_vehicle")


@pytest.fixture(scope="module")
def folder() -> ModelFolder:
    return open_model_folder(FOLDER)


@pytest.fixture(scope="module")
def records() -> dict[str, EpisodeRecord]:
    """Drive one held-out episode of each scenario."""
    return {name: drive_expert(episode(f"{name}:{HELD_OUT_SEED}@held_out")) for name in SCENARIOS}


@pytest.fixture(scope="module")
def loop() -> OpenLoop:
    return OpenLoop(load_profile("nano"))


@pytest.fixture(scope="module")
def results(loop: OpenLoop, records: dict[str, EpisodeRecord]) -> dict[str, list[MomentResult]]:
    """Answer the moments of every episode, by scenario."""
    return {name: loop.episode(record, EVERY_STEPS) for name, record in records.items()}


@pytest.fixture(scope="module")
def figures(loop: OpenLoop, results: dict[str, list[MomentResult]]) -> dict[str, Figure]:
    return open_loop_figures([one for moments in results.values() for one in moments], loop.swapped)


def test_the_files_are_those_that_are_named_and_stay_small(folder: ModelFolder) -> None:
    folder.verify()
    assert set(folder.files) == {*PARTS, "vocabulary.json", "weights.safetensors"}
    assert sum((FOLDER / name).stat().st_size for name in PARTS) <= 12_000_000


def test_the_description_says_where_they_come_from(folder: ModelFolder) -> None:
    provenance = folder.document["provenance"]
    assert provenance["parameters"] <= 3_000_000
    assert {"command", "commit", "seed", "steps", "torch"} <= set(provenance)
    assert folder.dataset.startswith("sha256:")
    assert "not for roads" in (FOLDER / "MODEL_CARD.md").read_text().lower()


@pytest.mark.parametrize(
    ("name", "least"),
    [("meta", 0.77), ("cause_right", 0.74), ("absence_right", 0.79), ("swap_changes", 0.9), ("removal_flips", 0.68)],
)
def test_shares_that_should_be_high(figures: dict[str, Figure], name: str, least: float) -> None:
    assert figures[name].count >= 10
    assert figures[name].value is not None
    assert figures[name].value >= least


@pytest.mark.parametrize(
    ("name", "most"), [("min_ade_6_share", 0.36), ("contradictions", 0.047), ("bystander_flips", 0.06)]
)
def test_shares_that_should_be_low(figures: dict[str, Figure], name: str, most: float) -> None:
    assert figures[name].count >= 10
    assert figures[name].value is not None
    assert figures[name].value <= most


def test_eight_bits_keep_the_decisions(
    records: dict[str, EpisodeRecord], results: dict[str, list[MomentResult]], tmp_path: Path
) -> None:
    """Built as ``docs/engines.md`` says, which holds the figures of all ten scenarios."""
    request = EngineRequest("nano", "ort_cpu", "int8", tmp_path / "int8", bag=DEMO, keep_float=("reasoning.onnx",))
    eight = OpenLoop(load_profile(str(build_for_profile(request).profile)))
    moments = [one for name in EIGHT_BITS for one in results[name]]
    again = [one for name in EIGHT_BITS for one in eight.episode(records[name], EVERY_STEPS)]
    same = [
        (one.said_meta, one.said_label) == (two.said_meta, two.said_label)
        for one, two in zip(moments, again, strict=True)
    ]
    assert len(same) >= 20
    assert sum(same) >= 0.95 * len(same)
    moved = np.mean([two.plan_ade_m for two in again]) - np.mean([one.plan_ade_m for one in moments])
    assert abs(moved) <= 0.1 * np.mean([one.kinematic_ade_m for one in moments])
    assert sum(path.stat().st_size for path in request.out.glob("*.onnx")) < 0.55 * sum(
        (FOLDER / name).stat().st_size for name in PARTS
    )
