"""Precision as a change of an ONNX file: half precision, or eight bits with what was measured on real inputs."""

import tempfile
from collections.abc import Iterator, Sequence
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


def to_int8(name: str, data: bytes, inputs: Sequence[Tensors], *, symmetric: bool = False) -> bytes:
    """Return an ONNX file with quantise-dequantise pairs around eight-bit weights and activations.

    Weights are scaled channel by channel, activations by the least and largest value that the inputs led to.

    Args:
        name: For error texts.
        data: The file.
        inputs: Calibration set: inputs as they occur.
        symmetric: Whether zero stays zero in activations too, and biases stay in float, as TensorRT needs it.

    Raises:
        ConfigurationError: The calibration set is empty.
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

    def quantise() -> bytes:
        model = onnx.load_from_string(data)
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
                per_channel=True,
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

    return translated(quantise, f"{name} cannot be quantised")


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
