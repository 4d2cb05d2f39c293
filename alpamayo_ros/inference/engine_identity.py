"""What an engine was built from and for; one that does not match is refused, with the difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alpamayo_ros.errors import ArtifactError
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.lineage.canonical import document_id

ENGINE = "engine"
"""Name of the section of ``model.yaml``; a folder without it holds the model as it was trained."""
NONE = "none"


@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """Everything that makes two engines of one model differ.

    Attributes:
        source: Digest of the model that it was built from.
        backend: Backend id that runs it.
        precision: ``fp32``, ``fp16`` or ``int8``.
        libraries: Versions of what built it, by name.
        architectures: GPUs that it was built for, such as ``sm_86``; empty for a CPU.
        calibration: Digest of the inputs that its quantisation was set by, or ``none``.
        kept_float: What of it was not quantised: programs, or patterns ``PROGRAM:NODES``.
    """

    source: str
    backend: str
    precision: str
    libraries: Mapping[str, str]
    architectures: tuple[str, ...] = ()
    calibration: str = NONE
    kept_float: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the section of ``model.yaml``, with the key."""
        return {**self._parts(), "key": self.key}

    @property
    def key(self) -> str:
        """``sha256:`` digest of all of it: what a cache finds an engine by."""
        return document_id(self._parts())

    def _parts(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "backend": self.backend,
            "precision": self.precision,
            "libraries": dict(self.libraries),
            "architectures": list(self.architectures),
            "calibration": self.calibration,
            "kept_float": list(self.kept_float),
        }


def engine_identity(model: ModelFolder) -> EngineIdentity | None:
    """Return what a model folder says it was built from, None if it holds the model as it was trained.

    Raises:
        ArtifactError: Its key is that of another engine.
    """
    stated = model.document.get(ENGINE)
    if stated is None:
        return None
    identity = EngineIdentity(
        source=stated["source"],
        backend=stated["backend"],
        precision=stated["precision"],
        libraries=dict(stated["libraries"]),
        architectures=tuple(stated["architectures"]),
        calibration=stated["calibration"],
        kept_float=tuple(stated["kept_float"]),
    )
    if identity.key != stated["key"]:
        raise ArtifactError(f"engine {model.path} has the key {stated['key']}; expected {identity.key}")
    return identity


def require_engine_fits(model: ModelFolder, backend: str, libraries: Mapping[str, str]) -> None:
    """Require that an engine was built for this backend with these libraries; a model that is no engine always fits.

    Args:
        model: The model folder.
        backend: Backend id that is to run it.
        libraries: Versions that the backend computes with.

    Raises:
        ArtifactError: It was built for something else; the text names each difference.
    """
    identity = engine_identity(model)
    if identity is None:
        return
    differences = [] if identity.backend == backend else [f"backend {identity.backend}, here {backend}"]
    differences += [
        f"{name} {identity.libraries[name]}, here {version}"
        for name, version in sorted(libraries.items())
        if name in identity.libraries and identity.libraries[name] != version
    ]
    if differences:
        raise ArtifactError(
            f"engine {model.path} was built for {'; '.join(differences)}; expected one that was built for what "
            "runs it: alpamayo engine build"
        )
