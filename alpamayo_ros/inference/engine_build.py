"""Build an engine: a model folder of another precision, whose ``model.yaml`` says what it was built from and for."""

import hashlib
import io
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from ruamel.yaml import YAML

from alpamayo_ros.errors import (
    ArtifactError,
    BackendError,
    BackendUnavailableError,
    ConfigurationError,
    OutputError,
    expected_one_of,
)
from alpamayo_ros.inference.backend import Tensors
from alpamayo_ros.inference.engine_identity import ENGINE, NONE, EngineIdentity, engine_identity
from alpamayo_ros.inference.model_folder import (
    MODEL_FILE,
    WEIGHTS,
    ModelFolder,
    engine_name,
    open_model_folder,
)
from alpamayo_ros.inference.networks.lengths import lengths_of
from alpamayo_ros.inference.onnx_precision import PRECISIONS, to_fp16, to_int8
from alpamayo_ros.inference.tensorrt_build import architectures_of, build_plan, with_bytes_cast_first
from alpamayo_ros.inference.tensorrt_library import TENSORRT, TENSORRT_RTX, TensorRTLibrary, load_library
from alpamayo_ros.lineage.canonical import bytes_id

ONNX_ENGINES = ("ort_cpu", "ort_cuda", "ort_tensorrt")
"""Backends whose engines are ONNX files."""
BUILT = (*ONNX_ENGINES, "tensorrt")
IN_TENSORRT = ("ort_tensorrt", "tensorrt")
BUILDERS = ("onnx", "onnxruntime")

ALL_NODES = "*"
"""Pattern that every node matches."""

NOT_RUN = (WEIGHTS,)
"""Files of a model that no engine runs."""

Calibration = Mapping[str, Sequence[Tensors]]
"""By file name: inputs as they occur."""


def calibration_digest(calibration: Calibration) -> str:
    """Return the ``sha256:`` digest of every number of a calibration set, ``none`` for an empty one."""
    if not any(calibration.values()):
        return NONE
    digest = hashlib.sha256()
    for name in sorted(calibration):
        for row in calibration[name]:
            for key in sorted(row):
                digest.update(f"{name}\t{key}\t{row[key].dtype}\t{row[key].shape}\n".encode())
                digest.update(row[key].tobytes())
    return f"sha256:{digest.hexdigest()}"


def build_engine(
    model: ModelFolder,
    programs: Sequence[str],
    out: Path,
    *,
    backend: str,
    precision: str,
    calibration: Calibration,
    architectures: Sequence[str] = (),
    keep_float: Sequence[str] = (),
) -> tuple[ModelFolder, bool]:
    """Build an engine into a folder, or find it there.

    Args:
        model: As it was trained.
        programs: Its files that are run; the others are copied.
        out: Folder to make. One that holds the same engine is left as it is.
        backend: Backend id that will run it.
        precision: One of PRECISIONS.
        calibration: Inputs by program, for ``int8``.
        architectures: GPUs such as ``sm_86``, which TensorRT for RTX builds for without having them. Empty builds for a
            CPU, or by full TensorRT for the GPU that is there.
        keep_float: What ``int8`` leaves in float: programs, or ``PROGRAM:NODES`` with wildcards.

    Returns:
        The engine's folder, and whether it was built now.

    Raises:
        ConfigurationError: The backend or precision is not known, there is nothing to calibrate with, or nothing of
            the model is named so as to stay in float.
        ArtifactError: The model is an engine itself, a file is not the one that it names, or ``out`` holds another.
        BackendError: A file cannot be converted.
        BackendUnavailableError: A library or the GPU is missing.
        OutputError: The folder cannot be written.
    """
    if backend not in BUILT:
        raise ConfigurationError(expected_one_of("backend to build for", backend, BUILT))
    if precision not in PRECISIONS:
        raise ConfigurationError(expected_one_of("precision", precision, PRECISIONS))
    if engine_identity(model) is not None:
        raise ArtifactError(f"model {model.path} is an engine; expected the model that it was built from")
    kept = _kept_nodes(programs, keep_float, precision)
    library, architectures = _tensorrt(backend, architectures)
    identity = EngineIdentity(
        source=model.digest,
        backend=backend,
        precision=precision,
        libraries={
            **{name: _version(name) for name in BUILDERS},
            **({} if library is None else {library.name: library.version}),
        },
        architectures=tuple(architectures),
        calibration=calibration_digest(calibration) if precision == "int8" else NONE,
        kept_float=tuple(sorted(set(keep_float))),
    )
    if out.exists():
        return _require_same(out, identity), False
    files = {name: model.read(name) for name in model.files if name not in NOT_RUN}
    for name in programs:
        converted = _converted(name, files[name], precision, calibration, kept[name], symmetric=backend in IN_TENSORRT)
        if library is not None:
            del files[name]
            files[engine_name(name)] = build_plan(
                library, name, converted, lengths_of(model), architectures if library.name == TENSORRT_RTX else ()
            )
        else:
            files[name] = with_bytes_cast_first(name, converted) if backend in IN_TENSORRT else converted
    try:
        built = _written(model, files, identity, out)
    except OSError as error:
        raise OutputError(f"engine {out} cannot be written: {error.strerror}; expected a folder to make") from error
    return open_model_folder(out), built


def _tensorrt(backend: str, architectures: Sequence[str]) -> tuple[TensorRTLibrary | None, Sequence[str]]:
    """Return what builds a TensorRT engine, None for the other backends, and the GPUs that it is for."""
    if backend != "tensorrt":
        if architectures:
            raise ConfigurationError(f"backend {backend!r} has no architecture; expected --arch with 'tensorrt' alone")
        return None, ()
    if architectures:
        library = load_library(TENSORRT_RTX)
        architectures_of(library, architectures)
        return library, tuple(dict.fromkeys(architectures))
    library = load_library(TENSORRT)
    try:
        from alpamayo_ros.inference.cuda_device import CudaDevice
    except ImportError as error:
        raise BackendUnavailableError(
            f"building for the GPU that is here needs cuda-bindings, which cannot be imported ({error}); expected it "
            "to be installed: pip install cuda-bindings"
        ) from error
    device = CudaDevice()
    try:
        return library, (device.architecture,)
    finally:
        device.close()


def _kept_nodes(programs: Sequence[str], keep_float: Sequence[str], precision: str) -> dict[str, list[str]]:
    """Return by program the patterns of nodes that stay in float; ``*`` is all of them."""
    if keep_float and precision != "int8":
        raise ConfigurationError(f"precision {precision} has no choice of what stays in float; expected int8 with it")
    kept: dict[str, list[str]] = {program: [] for program in programs}
    for name in keep_float:
        program, _, nodes = name.partition(":")
        if program not in kept:
            raise ConfigurationError(expected_one_of("program to keep in float", program, list(programs)))
        kept[program].append(nodes or ALL_NODES)
    return kept


def _converted(
    name: str, data: bytes, precision: str, calibration: Calibration, kept: Sequence[str], *, symmetric: bool
) -> bytes:
    if precision == "fp16":
        return to_fp16(name, data)
    if precision == "int8" and ALL_NODES not in kept:
        return to_int8(name, data, calibration.get(name, ()), symmetric=symmetric, keep_float=kept)
    return data


def _written(model: ModelFolder, files: Mapping[str, bytes], identity: EngineIdentity, out: Path) -> bool:
    """Put a whole folder in place; return False if another process was there first with the same engine."""
    document = {
        **model.document,
        "files": {name: bytes_id(data) for name, data in files.items()},
        ENGINE: identity.document(),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with _staged(out) as staged:
        for name, data in files.items():
            (staged / name).write_bytes(data)
        text = io.StringIO()
        YAML().dump(document, text)
        (staged / MODEL_FILE).write_text(text.getvalue(), encoding="utf-8")
        try:
            staged.rename(out)
        except OSError:
            if not out.is_dir():
                raise
            _require_same(out, identity)
            return False
    return True


@contextmanager
def _staged(out: Path) -> Iterator[Path]:
    """Make a folder beside the destination; what is left of it at the end is removed."""
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name[:32]}.", dir=out.parent))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _require_same(out: Path, identity: EngineIdentity) -> ModelFolder:
    found = open_model_folder(out)
    stated = engine_identity(found)
    if stated is None or stated.key != identity.key:
        other = "a model that is no engine" if stated is None else f"the engine {stated.key}"
        raise ArtifactError(f"engine {out} is there already and is {other}; expected {identity.key}, or a new folder")
    found.verify()
    return found


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError as error:
        raise BackendError(
            f"an engine is built by {name}, which is missing; expected it: pip install {name}"
        ) from error
