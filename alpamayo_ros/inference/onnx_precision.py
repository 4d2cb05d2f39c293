"""Precision as a change of an ONNX file: half precision, or eight bits with what was measured on real inputs."""

import tempfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import BackendUnavailableError, ConfigurationError
from alpamayo_ros.inference.backend import Tensors
from alpamayo_ros.inference.backends.failures import translated

PRECISIONS = ("fp32", "fp16", "int8")
QUANTISED = ("Conv", "Gemm", "MatMul")
"""Operators whose constant factors become eight bits: they are nearly all of the time and of the bytes."""


def to_fp16(name: str, data: bytes) -> bytes:
    """Return an ONNX file that computes in half precision; what it takes and gives stays as it was.

    Args:
        name: For error texts.
        data: The file.

    Raises:
        BackendError: It cannot be converted.
        BackendUnavailableError: The package onnx is missing.
    """
    onnx = load_onnx()
    from onnxruntime.transformers.float16 import convert_float_to_float16

    def convert() -> bytes:
        model = convert_float_to_float16(onnx.load_from_string(data), keep_io_types=True)
        return bytes(model.SerializeToString(deterministic=True))

    return translated(convert, f"{name} cannot be converted to fp16")


def to_int8(
    name: str, data: bytes, inputs: Sequence[Tensors], *, symmetric: bool = False, keep_float: Sequence[str] = ()
) -> bytes:
    """Return an ONNX file with quantise-dequantise pairs around eight-bit weights and activations.

    Weights are scaled channel by channel, activations by the least and largest value that the inputs led to. For a CPU
    weights use seven of the eight bits: one without VNNI adds two products of eight bits in sixteen, which overflow, so
    that the answer would depend on the machine.

    Args:
        name: For error texts.
        data: The file.
        inputs: Calibration set: inputs as they occur.
        symmetric: Whether zero stays zero in activations too, and biases stay in float, as TensorRT needs it.
        keep_float: Names of nodes that stay in float, with wildcards; one without a name has that of its first output.

    Raises:
        ConfigurationError: The calibration set is empty, or no node has such a name.
        BackendError: It cannot be quantised.
        BackendUnavailableError: The package onnx is missing.
    """
    if not inputs:
        raise ConfigurationError(f"{name} has no calibration inputs; expected a bag with ticks that are answered")
    onnx = load_onnx()
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._rows: Iterator[Tensors] = iter(inputs)

        def get_next(self) -> dict[str, Any] | None:
            row = next(self._rows, None)
            return None if row is None else dict(row)

    failed = f"{name} cannot be quantised"
    model = translated(lambda: onnx.load_from_string(data), failed)
    for node in model.graph.node:
        node.name = node.name or node.output[0]
    kept = _matching(name, [node.name for node in model.graph.node if node.op_type in QUANTISED], keep_float)

    def quantise() -> bytes:
        # It would advise a preprocessing that folds constants; the exporter has folded ours.
        add_pre_process_metadata(model)
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "target.onnx"
            quantize_static(
                model,
                str(target),
                Reader(),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=list(QUANTISED),
                nodes_to_exclude=kept,
                per_channel=True,
                reduce_range=not symmetric,
                activation_type=QuantType.QInt8 if symmetric else QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                extra_options={
                    "MatMulConstBOnly": True,
                    "ActivationSymmetric": symmetric,
                    # TensorRT adds biases in float.
                    "QuantizeBias": not symmetric,
                },
            )
            return bytes(onnx.load(str(target)).SerializeToString(deterministic=True))

    return translated(quantise, failed)


def _matching(program: str, names: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Return the names that match one of some patterns, each of which has to match one."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ConfigurationError(
                f"{program} has no node {pattern!r} that int8 would change; expected a pattern of: {', '.join(names)}"
            )
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]


def load_onnx() -> Any:
    """Return the package onnx, which only the building of engines needs.

    Raises:
        BackendUnavailableError: It is missing.
    """
    try:
        import onnx
    except ImportError as error:
        raise BackendUnavailableError(
            f"changing an ONNX file needs onnx, which cannot be imported ({error}); expected it to be "
            "installed: pip install onnx"
        ) from error
    return onnx
