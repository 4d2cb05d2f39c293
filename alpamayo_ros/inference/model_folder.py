"""The files of a learned model: named by their digests in ``model.yaml``, verified whenever they are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from alpamayo_ros.errors import ArtifactError, expected_one_of
from alpamayo_ros.inference.action_scale import ActionScale
from alpamayo_ros.inference.verified_file import read_verified
from alpamayo_ros.lineage.canonical import document_id
from alpamayo_ros.params.documents import load_yaml, validate_document

MODEL_FILE = "model.yaml"
WEIGHTS = "weights.safetensors"
"""Weights of the network in torch, by name."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model as its folder states it.

    Attributes:
        path: The folder.
        name: Name of the model.
        version: Version of the model, for people.
        files: ``sha256:`` digest by the name of each file.
        dataset: ``sha256:`` digest of the manifest of the data that it was trained on, or ``unknown``.
        actions: How acceleration and curvature are normalised.
        document: The document as it was read; its canonical form has the digest that names the model.
    """

    path: Path
    name: str
    version: str
    files: Mapping[str, str]
    dataset: str
    actions: ActionScale
    document: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """``sha256:`` digest of the canonical form of ``model.yaml``, which names every file."""
        return document_id(self.document)

    def read(self, name: str) -> bytes:
        """Return a file's bytes, which are what the folder says.

        Raises:
            ArtifactError: The folder does not name the file, or it cannot be read.
            DigestMismatchError: It is another file than the one that is named.
        """
        if name not in self.files:
            raise ArtifactError(f"{self._what}: " + expected_one_of("file", name, list(self.files)))
        return read_verified(self.path / name, self.files[name], self._what)

    def verify(self) -> None:
        """Require that every named file is there and has its digest.

        Raises:
            ArtifactError: One is missing.
            DigestMismatchError: One is another file.
        """
        for name in self.files:
            self.read(name)

    @property
    def _what(self) -> str:
        return f"model {self.name}"


def open_model_folder(path: Path) -> ModelFolder:
    """Read what a model folder says about itself; its other files are read when they are needed.

    Raises:
        ArtifactError: The folder has no ``model.yaml``, or it is not well formed.
    """
    document = load_yaml(path / MODEL_FILE, "model", ArtifactError)
    validate_document(document, "model", f"model {path / MODEL_FILE}", ArtifactError)
    actions = document["actions"]
    return ModelFolder(
        path=path,
        name=document["name"],
        version=document["version"],
        files=dict(document["files"]),
        dataset=document["dataset"],
        actions=ActionScale(
            _pair(actions["mean"]),
            _pair(actions["std"]),
            float(actions["curvature_knee"]) if "curvature_knee" in actions else None,
        ),
        document=document,
    )


def engine_name(program: str) -> str:
    """Return the name of the TensorRT engine that is built of a program such as ``vision.onnx``."""
    return f"{PurePath(program).stem}.engine"


def _pair(numbers: Sequence[float]) -> tuple[float, float]:
    first, second = numbers
    return float(first), float(second)
