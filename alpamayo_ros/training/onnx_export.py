"""Export of nano to its three ONNX files, each compared with torch before it is kept."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from alpamayo_ros.errors import ArtifactError
from alpamayo_ros.inference.networks.nano import Nano
from alpamayo_ros.inference.networks.parts import OUTPUTS, torch_parts
from alpamayo_ros.training.example_inputs import Arrays, example_inputs

OPSET = 18
LARGEST_DIFFERENCE = 2e-3
"""Largest difference between ONNX Runtime and torch of any output of random inputs; fp32 on one CPU stays below it."""


DYNAMIC: dict[str, dict[str, dict[int, str]]] = {
    "vision": {},
    "reasoning": {
        "vision_tokens": {0: "P"}, "history": {0: "h"}, "navigation": {0: "h"}, "tokens": {0: "S"}, "cache": {3: "T"},
    },
    "action": {"states": {0: "T"}, "noise": {0: "K"}},
}  # fmt: skip


def export_nano(nano: Nano, folder: Path) -> dict[str, float]:
    """Write ``vision.onnx``, ``reasoning.onnx`` and ``action.onnx``; return the largest difference from torch of each.

    Args:
        nano: The model, on the CPU.
        folder: Existing folder.

    Raises:
        ArtifactError: A file computes something else than torch.
    """
    parts = torch_parts(nano)
    differences = {}
    for name, inputs in example_inputs(nano.anatomy).items():
        path = folder / f"{name}.onnx"
        shapes = {key: dict.fromkeys(DYNAMIC[name].get(key, ()), torch.export.Dim.DYNAMIC) or None for key in inputs}
        program = torch.onnx.export(
            parts[name].eval(),
            kwargs={key: torch.from_numpy(value) for key, value in inputs.items()},
            input_names=list(inputs),
            output_names=OUTPUTS[name],
            dynamic_shapes=shapes,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
        program.save(str(path), external_data=False)
        _strip(path)
        differences[name] = max(compare_with_torch(parts[name], path, inputs).values())
        if differences[name] > LARGEST_DIFFERENCE:
            raise ArtifactError(
                f"{path.name} differs from torch by {differences[name]:.2e}; expected at most {LARGEST_DIFFERENCE}"
            )
    return differences


def _strip(path: Path) -> None:
    """Leave out what the exporter notes of its own machine: stack traces with paths, a tenth of the file."""
    model = onnx.load(str(path))
    nodes = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    for part in (*nodes, *model.graph.value_info, *model.graph.input, *model.graph.output, model.graph):
        del part.metadata_props[:]
        part.doc_string = ""
    del model.metadata_props[:]
    del model.graph.value_info[:]
    path.write_bytes(model.SerializeToString(deterministic=True))


def compare_with_torch(part: nn.Module, path: Path, inputs: Arrays) -> dict[str, float]:
    """Return the largest absolute difference of each output between ONNX Runtime and torch."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    with torch.no_grad():
        expected = part(**{key: torch.from_numpy(value) for key, value in inputs.items()})
    expected = expected if isinstance(expected, tuple) else (expected,)
    found = session.run(names, inputs)
    return {
        name: float(np.abs(ours - theirs.numpy()).max())
        for name, ours, theirs in zip(names, found, expected, strict=True)
    }
