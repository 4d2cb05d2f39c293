"""The folder of a trained model: three ONNX files, the weights, the vocabulary, and what they are and come from."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from ruamel.yaml import YAML
from safetensors.torch import load, save

from alpamayo_ros.errors import ArtifactError
from alpamayo_ros.inference.model_folder import WEIGHTS, open_model_folder
from alpamayo_ros.inference.networks.nano import Nano
from alpamayo_ros.reasoning.driving_language import vocabulary
from alpamayo_ros.training.motion_targets import ACTIONS
from alpamayo_ros.training.onnx_export import export_nano

VERSION = "0.2"
ARCHITECTURE = "nano"
"""The same weights once more, by the names that they have in torch: ONNX folds and turns some of them."""
PARTS = ("vision.onnx", "reasoning.onnx", "action.onnx")
LARGEST_BYTES = 12_000_000
"""Of the three ONNX files together."""


def write_model(nano: Nano, folder: Path, dataset: str, provenance: Mapping[str, str | int | float | bool]) -> None:
    """Export a model and describe it.

    Args:
        nano: The model, on the CPU.
        folder: Made if missing; files of the same names are replaced.
        dataset: ``sha256:`` digest of the manifest of the training data, or ``unknown``.
        provenance: Command, commit, seed and what else is worth knowing.

    Raises:
        ArtifactError: An exported file computes something else than torch.
    """
    folder.mkdir(parents=True, exist_ok=True)
    differences = export_nano(nano, folder)
    tokens = json.dumps(list(vocabulary()), indent=0) + "\n"
    (folder / "vocabulary.json").write_text(tokens, encoding="utf-8")
    (folder / WEIGHTS).write_bytes(save({name: value.contiguous() for name, value in nano.state_dict().items()}))
    counts = nano.parameter_counts()
    document = {
        "name": "nano",
        "version": VERSION,
        "files": {name: f"sha256:{_sha256(folder / name)}" for name in (*PARTS, WEIGHTS, "vocabulary.json")},
        "actions": {
            "mean": list(ACTIONS.mean),
            "std": list(ACTIONS.std),
            "curvature_knee": ACTIONS.curvature_knee,
        },
        "dataset": dataset,
        "network": {"architecture": ARCHITECTURE, "sizes": nano.anatomy.document()},
        "provenance": {
            **provenance,
            "parameters": sum(counts.values()),
            **{f"parameters_{name}": count for name, count in counts.items()},
            **{f"largest_difference_{name}": difference for name, difference in differences.items()},
        },
    }
    text = io.StringIO()
    YAML().dump(document, text)
    (folder / "model.yaml").write_text(text.getvalue(), encoding="utf-8")


def read_weights(folder: Path, sizes: Mapping[str, int]) -> dict[str, torch.Tensor]:
    """Return the weights of a model folder by name, once their digest is verified.

    Args:
        folder: With ``model.yaml``.
        sizes: Of the network that is to take them.

    Raises:
        ArtifactError: A file is missing or of another network, or is not the one that is named.
    """
    model = open_model_folder(folder)
    found = model.document.get("network", {}).get("sizes")
    if found != dict(sizes):
        raise ArtifactError(f"model {folder} is of a network with the sizes {found}; expected {dict(sizes)}")
    return dict(load(model.read(WEIGHTS)))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
