"""Build a TensorRT engine of one ONNX file, for the GPU that is there or, with TensorRT for RTX, for named ones."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from alpamayo_ros.errors import BackendError, ConfigurationError, expected_one_of
from alpamayo_ros.inference.backends.failures import translated
from alpamayo_ros.inference.networks.lengths import Lengths
from alpamayo_ros.inference.tensorrt_library import TENSORRT_RTX, TensorRTLibrary

RTX_MAGIC = b"vtrt"
"""First bytes of every engine of TensorRT for RTX 1.7."""
_SHAPE_ONLY = ("Identity", "Reshape", "Transpose", "Unsqueeze", "Squeeze", "Flatten", "Slice", "Expand", "Gather")
"""Operators that move numbers and do not compute with them."""
_FLOAT, _UINT8 = 1, 2
"""ONNX's numbers of these types."""


def architectures_of(library: TensorRTLibrary, names: Sequence[str]) -> list[Any]:
    """Return the library's values for names such as ``sm_86``.

    Raises:
        ConfigurationError: The library builds for no such GPU.
    """
    known = {
        f"sm_{name[2:]}": value
        for name, value in vars(library.module.ComputeCapability).items()
        if re.fullmatch(r"SM\d+", name)
    }
    for name in names:
        if name not in known:
            raise ConfigurationError(expected_one_of("architecture", name, list(known)))
    return [known[name] for name in names]


def build_plan(
    library: TensorRTLibrary, name: str, data: bytes, lengths: Lengths, architectures: Sequence[str]
) -> bytes:
    """Return the engine of one ONNX file; its types are those of the file.

    Args:
        library: What builds it.
        name: For error texts.
        data: The ONNX file.
        lengths: Of the open dimensions of its inputs.
        architectures: For TensorRT for RTX: the GPUs, such as ``sm_86``. Empty for the GPU that is there.

    Raises:
        BackendError: The file is refused, or an input has an open dimension of unknown length.
        BackendUnavailableError: The package onnx is missing.
        ConfigurationError: An architecture is not known, or this library does not take any.
    """
    if architectures and library.name != TENSORRT_RTX:
        raise ConfigurationError(
            f"{library.name} builds for the GPU that is there alone; expected --arch with {TENSORRT_RTX} only"
        )
    trt = library.module
    capabilities = architectures_of(library, architectures) if architectures else []
    builder = trt.Builder(library.logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, library.logger)
    if not parser.parse(with_bytes_cast_first(name, data)):
        raise library.failed(f"{name} cannot be read by {library.name} {library.version}")
    configuration = builder.create_builder_config()
    # TF32 keeps ten bits of a factor, and is on by default.
    configuration.clear_flag(trt.BuilderFlag.TF32)
    if capabilities:
        configuration.num_compute_capabilities = len(capabilities)
        for index, capability in enumerate(capabilities):
            configuration.set_compute_capability(capability, index)
    profile = builder.create_optimization_profile()
    for tensor in (network.get_input(index) for index in range(network.num_inputs)):
        shape = tuple(tensor.shape)
        if -1 in shape:
            profile.set_shape(tensor.name, *_shapes(name, tensor.name, shape, lengths))
    configuration.add_optimization_profile(profile)
    built = builder.build_serialized_network(network, configuration)
    if built is None:
        raise library.failed(f"{name} cannot be built by {library.name} {library.version}")
    return bytes(built)


def with_bytes_cast_first(name: str, data: bytes) -> bytes:
    """Return an ONNX file whose uint8 inputs become float32 before anything else: TensorRT only casts bytes.

    What is between an input and its own cast only moves numbers, so the file computes what it did.

    Raises:
        BackendError: The file is no ONNX, or a uint8 input is computed with before it is cast.
        BackendUnavailableError: The package onnx is missing.
    """
    from alpamayo_ros.inference.onnx_precision import load_onnx

    onnx = load_onnx()
    model = translated(lambda: onnx.load_from_string(data), f"{name} cannot be read")
    newest = onnx.defs.onnx_opset_version()
    # TensorRT takes the operators of an opset that it does not know for those that it knows.
    if any(one.version > newest for one in model.opset_import if not one.domain):
        raise BackendError(f"{name} cannot be read: it is of a later opset; expected one up to {newest}")
    graph = model.graph
    inputs = [one.name for one in graph.input if one.type.tensor_type.elem_type == _UINT8]
    if not inputs:
        return data
    as_bytes = _moved(name, graph.node, inputs)
    for node in graph.node:
        node.input[:] = [f"{one}_as_float" if one in inputs else one for one in node.input]
    for one in graph.value_info:
        if one.name in as_bytes:
            one.type.tensor_type.elem_type = _FLOAT
    for one in reversed(inputs):
        graph.node.insert(0, onnx.helper.make_node("Cast", [one], [f"{one}_as_float"], to=_FLOAT))
    return bytes(model.SerializeToString(deterministic=True))


def _moved(name: str, nodes: Iterable[Any], inputs: Sequence[str]) -> set[str]:
    """Return the tensors that hold the bytes of these inputs up to their casts."""
    found = set(inputs)
    for node in nodes:
        if not found.intersection(node.input) or node.op_type == "Cast":
            continue
        if node.op_type not in _SHAPE_ONLY:
            raise BackendError(
                f"{name} computes with uint8 ({node.name}, {node.op_type}), which TensorRT does not; expected a Cast "
                "to a float before it"
            )
        found.update(node.output)
    return found


def _shapes(name: str, tensor: str, shape: tuple[int, ...], lengths: Lengths) -> list[tuple[int, ...]]:
    if tensor not in lengths or shape.count(-1) != 1:
        raise BackendError(
            f"{name}: input {tensor!r} has the shape {shape}, and the lengths of {', '.join(sorted(lengths))} are "
            "known; expected one open dimension of a known length"
        )
    return [tuple(length if size == -1 else size for size in shape) for length in lengths[tensor]]
