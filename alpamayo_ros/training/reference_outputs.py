"""Outputs of torch that are kept beside the tests, so that a machine without torch can compare the ONNX files."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from alpamayo_ros.inference.networks.nano import Nano
from alpamayo_ros.inference.networks.parts import OUTPUTS, torch_parts
from alpamayo_ros.training.example_inputs import EVERY, example_inputs


def reference_outputs(nano: Nano, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Return the outputs of each part for the example inputs of a seed, flat, by part and name.

    Args:
        nano: The model, on the CPU.
        seed: Of the inputs; ``example_inputs`` makes the same ones on every machine.
    """
    found = {}
    for part, inputs in example_inputs(nano.anatomy, seed).items():
        with torch.no_grad():
            outputs = torch_parts(nano)[part](**{name: torch.from_numpy(value) for name, value in inputs.items()})
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        for name, value in zip(OUTPUTS[part], outputs, strict=True):
            found[f"{part}.{name}"] = value.numpy().ravel()[:: EVERY.get(name, 1)]
    return found


def write_reference_outputs(nano: Nano, path: Path, seed: int = 0) -> None:
    """Write the outputs as a compressed ``.npz``."""
    arrays: dict[str, Any] = {**reference_outputs(nano, seed)}
    np.savez_compressed(path, **arrays)
