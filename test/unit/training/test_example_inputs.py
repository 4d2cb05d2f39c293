"""The shipped ONNX files compute what torch computed when they were exported."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from alpamayo_ros.inference.networks.anatomy import Anatomy
from alpamayo_ros.reasoning.driving_language import vocabulary
from alpamayo_ros.training.example_inputs import EVERY, example_inputs

ROOT = Path(__file__).resolve().parents[3]
MODEL = ROOT / "config" / "models" / "nano"
OUTPUTS = ROOT / "test" / "data" / "nano_torch_outputs.npz"
LARGEST_DIFFERENCE = 2e-3


def test_the_same_seed_gives_the_same_inputs_and_another_one_others() -> None:
    sizes = Anatomy(len(vocabulary()))
    one, same, other = (example_inputs(sizes, seed)["action"]["noise"] for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("part", ["vision", "reasoning", "action"])
def test_the_shipped_file_gives_the_outputs_of_torch(part: str) -> None:
    if not OUTPUTS.exists():
        pytest.skip("the repository has no weights of nano yet; 'make train-nano' makes them")
    expected = np.load(OUTPUTS)
    session = onnxruntime.InferenceSession(str(MODEL / f"{part}.onnx"), providers=["CPUExecutionProvider"])
    outputs = session.get_outputs()
    found = session.run(None, example_inputs(Anatomy(len(vocabulary())))[part])
    for output, value in zip(outputs, found, strict=True):
        kept = expected[f"{part}.{output.name}"]
        assert np.abs(value.ravel()[:: EVERY.get(output.name, 1)] - kept).max() < LARGEST_DIFFERENCE
