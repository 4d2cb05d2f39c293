"""The shipped weights: few and small enough, described, and as good as they were measured, less a margin.

Ten held-out episodes gave, when these weights were published: meta-action 0.81, cause 0.77, absence 0.83, swap 0.94,
removal 0.69, error 0.33 of kinematic's, contradictions 0.02, bystander 0.00; ``docs/nano.md`` has those of 200.
"""

from pathlib import Path

import pytest

from alpamayo_ros.inference.model_folder import ModelFolder, open_model_folder
from alpamayo_ros.params.profile import load_profile
from alpamayo_ros.training.figures import Figure, open_loop_figures
from alpamayo_ros.training.open_loop import OpenLoop
from alpamayo_ros.world.episode import drive_expert
from alpamayo_ros.world.scenarios.registry import SCENARIOS, episode

FOLDER = Path(__file__).resolve().parents[3] / "config" / "models" / "nano"
PARTS = ("vision.onnx", "reasoning.onnx", "action.onnx")
HELD_OUT_SEED = 0


@pytest.fixture(scope="module")
def folder() -> ModelFolder:
    return open_model_folder(FOLDER)


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    """Measure one held-out episode of each scenario."""
    loop = OpenLoop(load_profile("nano"))
    names = [f"{scenario}:{HELD_OUT_SEED}@held_out" for scenario in SCENARIOS]
    results = [one for name in names for one in loop.episode(drive_expert(episode(name)))]
    return open_loop_figures(results, loop.swapped)


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
    [("meta", 0.77), ("cause_right", 0.73), ("absence_right", 0.79), ("swap_changes", 0.9), ("removal_flips", 0.63)],
)
def test_shares_that_should_be_high(figures: dict[str, Figure], name: str, least: float) -> None:
    assert figures[name].count >= 10
    assert figures[name].value is not None
    assert figures[name].value >= least


@pytest.mark.parametrize(
    ("name", "most"), [("min_ade_6_share", 0.36), ("contradictions", 0.045), ("bystander_flips", 0.06)]
)
def test_shares_that_should_be_low(figures: dict[str, Figure], name: str, most: float) -> None:
    assert figures[name].count >= 10
    assert figures[name].value is not None
    assert figures[name].value <= most
