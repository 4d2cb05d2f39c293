"""Tolerances of a comparison are read whole, or refused."""

from pathlib import Path

import pytest

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.replay.engine_tolerances import load_engine_tolerances

GOOD = (
    "name: mine\nversion: 1\noutputs: {perceive: 0, reason: 0.5, plan: 1}\ntext: 1\ndecision: 0.9\nsample: 0\n"
    "ade_m: 2\n"
)


def test_the_packaged_ones_are_complete() -> None:
    tolerances = load_engine_tolerances()
    assert set(tolerances.outputs) == {"perceive", "reason", "plan"}
    assert set(tolerances.shares) == {"text", "decision", "sample"}
    assert tolerances.name.startswith("engine sha256:")


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(GOOD)
    tolerances = load_engine_tolerances(tmp_path / "t.yaml")
    assert tolerances.outputs == {"perceive": 0.0, "reason": 0.5, "plan": 1.0}
    assert (tolerances.shares["decision"], tolerances.ade_m) == (0.9, 2.0)


@pytest.mark.parametrize(
    ("old", "new"),
    [("perceive: 0, ", ""), ("ade_m: 2", "ade_m: -1"), ("text: 1\n", "text: 1.5\n"), ("sample: 0", "samples: 0")],
)
def test_a_file_that_leaves_something_out_or_makes_no_sense_is_refused(tmp_path: Path, old: str, new: str) -> None:
    assert old in GOOD
    (tmp_path / "t.yaml").write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigurationError, match="is not valid"):
        load_engine_tolerances(tmp_path / "t.yaml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml"):
        load_engine_tolerances(tmp_path / "nowhere.yaml")
