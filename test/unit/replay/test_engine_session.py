"""An engine of a profile: built on real inputs, run by the profile beside it, compared with what it was built from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.inference.backend import Tensors
from alpamayo_ros.replay import calibration_set
from alpamayo_ros.replay.calibration_set import Listening, collect_calibration
from alpamayo_ros.replay.engine_compare import compare_on_bag, parse_side
from alpamayo_ros.replay.engine_session import EngineRequest, build_for_profile
from alpamayo_ros.replay.engine_tolerances import EngineTolerances


@pytest.fixture
def profile(tmp_path: Path, tiny_model: Any) -> str:
    """Return the profile of a tiny model."""
    return str(tiny_model.write_tiny_model(tmp_path / "model"))


def test_an_int8_engine_runs_with_the_profile_beside_it(profile: str, short_bag: Path, tmp_path: Path) -> None:
    request = EngineRequest(profile, "ort_cpu", "int8", tmp_path / "engine", short_bag)
    built = build_for_profile(request)
    assert built.now
    assert built.engine.document["engine"]["calibration"].startswith("sha256:")
    anything = EngineTolerances("any", dict.fromkeys(("perceive", "reason", "plan"), 1e9), {}, 1e9)
    found = compare_on_bag(parse_side(profile), parse_side(str(built.profile)), short_bag, anything)
    assert found.ticks
    for one in found.outputs:
        assert 0.0 < one.mean < 0.5 * one.typical
    again = build_for_profile(request)
    assert not again.now
    assert again.engine.digest == built.engine.digest


@pytest.mark.parametrize(("precision", "with_bag"), [("int8", False), ("fp16", True)])
def test_a_bag_goes_with_int8_alone(
    profile: str, short_bag: Path, tmp_path: Path, precision: str, with_bag: bool
) -> None:
    request = EngineRequest(profile, "ort_cpu", precision, tmp_path / "e", short_bag if with_bag else None)
    with pytest.raises(ConfigurationError, match="expected --calibrate-on BAG with int8 alone"):
        build_for_profile(request)


def test_a_profile_without_files_has_no_engine(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="profile kinematic has no model with files"):
        build_for_profile(EngineRequest("kinematic", "ort_cpu", "fp32", tmp_path / "e"))


def test_a_calibration_set_holds_the_inputs_of_every_program(profile: str, short_bag: Path) -> None:
    found = collect_calibration(profile, short_bag)
    assert set(found) == {"vision.onnx", "reasoning.onnx", "action.onnx"}
    assert all(rows for rows in found.values())
    assert found["vision.onnx"][0]["images"].dtype == np.uint8
    assert any(len(row["vision_tokens"]) == 0 for row in found["reasoning.onnx"]), "decoding after the first token"
    again = collect_calibration(profile, short_bag)
    assert all(
        np.array_equal(one[key], other[key])
        for name, rows in found.items()
        for one, other in zip(rows, again[name], strict=True)
        for key in one
    )


def test_what_is_kept_is_bounded_and_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    class Echo:
        input_specs = output_specs = ()

        def infer(self, inputs: Tensors, _seed: int) -> Tensors:
            return inputs

    monkeypatch.setattr(calibration_set, "ROWS", 8)
    listening = Listening(Echo())  # type: ignore[arg-type]
    given = np.zeros(1)
    for number in range(1000):
        given[0] = number
        listening.infer({"x": given}, 0)
    kept = [row["x"][0] for row in listening.rows]
    assert 4 <= len(kept) <= 9
    assert kept == sorted(kept)
    assert kept[0] == 0.0
    assert len(set(np.diff(kept))) == 1
