"""The ``tensorrt`` backend: engines of TensorRT or TensorRT for RTX on one GPU; each says which of them built it."""

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ArtifactError, BackendError, TensorSpecError
from alpamayo_ros.inference.backend import ONE_CPU_THREAD, SessionOptions, Tensors, TensorSpec, validate_tensors
from alpamayo_ros.inference.cuda_device import CudaDevice
from alpamayo_ros.inference.engine_identity import EngineIdentity, engine_identity
from alpamayo_ros.inference.model_folder import ModelFolder, engine_name
from alpamayo_ros.inference.tensorrt_library import LIBRARIES, TensorRTLibrary, installed_versions, load_library
from alpamayo_ros.params.profile import StageSpec

_TYPES = {
    "FLOAT": "float32",
    "HALF": "float16",
    "INT8": "int8",
    "UINT8": "uint8",
    "INT32": "int32",
    "INT64": "int64",
    "BOOL": "bool",
}


class Device(Protocol):
    """What a session needs of a GPU; see ``CudaDevice``."""

    @property
    def stream(self) -> int:
        """Handle of its stream."""

    def allocate(self, count: int) -> int:
        """Return the address of so many bytes."""

    def free(self, address: int) -> None:
        """Give memory back."""

    def upload(self, address: int, array: NDArray[Any]) -> None:
        """Copy to the GPU."""

    def download(self, address: int, array: NDArray[Any]) -> None:
        """Copy from the GPU."""

    def wait(self) -> None:
        """Wait for the stream."""

    def begin_capture(self) -> None:
        """Take down what follows."""

    def end_capture(self) -> Any:
        """Return what was taken down."""

    def launch(self, graph: Any) -> None:
        """Run what was taken down."""

    def drop(self, graph: Any) -> None:
        """Give a graph back."""

    def close(self) -> None:
        """Give the stream back."""


class TensorRTSession:
    """A loaded engine with its buffers on the GPU, which are made once for the largest lengths.

    Where no length is open, the run is taken down as a CUDA graph at the first run and launched as a whole afterwards.
    """

    def __init__(self, name: str, library: TensorRTLibrary, engine: Any, device: Device) -> None:
        """Make the buffers.

        Args:
            name: For error texts.
            library: What the engine is of.
            engine: The engine, deserialised.
            device: Where it runs; closed with the session.

        Raises:
            TensorSpecError: A tensor has a type that no stage has.
            BackendError: The memory cannot be had.
        """
        self._name, self._library, self._engine, self._device = name, library, engine, device
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        is_input = {one: engine.get_tensor_mode(one) == library.module.TensorIOMode.INPUT for one in names}
        self._inputs = tuple(self._spec(one) for one in names if is_input[one])
        self._outputs = tuple(self._spec(one) for one in names if not is_input[one])
        self._context = engine.create_execution_context()
        if self._context is None:
            raise library.failed(f"{name} has no room to be run in")
        self._limits = {spec.name: self._limit(spec) for spec in self._inputs}
        self._fixed = all(-1 not in spec.shape for spec in (*self._inputs, *self._outputs))
        self._graph: Any = None
        self._addresses: dict[str, int] = {}
        self._held: list[NDArray[Any]] = []
        try:
            self._allocate()
        except BackendError:
            self.close()
            raise

    @property
    def input_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that ``infer`` takes."""
        return self._inputs

    @property
    def output_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that ``infer`` returns."""
        return self._outputs

    def warm_up(self) -> None:
        """Run once on zeros, of the usual lengths that the engine was built for."""
        usual = {
            spec.name: tuple(self._engine.get_tensor_profile_shape(spec.name, 0)[1]) if -1 in spec.shape else spec.shape
            for spec in self._inputs
        }
        self.infer({spec.name: np.zeros(usual[spec.name], spec.dtype) for spec in self._inputs}, 0)

    def infer(self, inputs: Tensors, seed: int) -> Tensors:  # noqa: ARG002 - nothing in an engine here is random
        """Run the engine once; see ``Session.infer``."""
        if self._context is None:
            raise BackendError(f"{self._name} was closed; expected a loaded engine")
        validate_tensors(self._inputs, inputs, f"input of {self._name}")
        for spec in self._inputs:
            self._take(spec, inputs[spec.name])
        self._execute()
        outputs: dict[str, NDArray[Any]] = {}
        for spec in self._outputs:
            shape = tuple(self._context.get_tensor_shape(spec.name))
            outputs[spec.name] = np.empty(shape, spec.dtype)
            self._device.download(self._addresses[spec.name], outputs[spec.name])
        self._device.wait()
        self._held.clear()
        validate_tensors(self._outputs, outputs, f"output of {self._name}")
        return outputs

    def close(self) -> None:
        """Release the engine and its memory on the GPU, whatever state the GPU is in."""
        if self._context is None:
            return
        self._context = None
        with suppress(BackendError):
            if self._graph is not None:
                self._device.drop(self._graph)
        for address in self._addresses.values():
            with suppress(BackendError):
                self._device.free(address)
        self._addresses.clear()
        self._engine = None
        with suppress(BackendError):
            self._device.close()

    def _spec(self, name: str) -> TensorSpec:
        kind = self._engine.get_tensor_dtype(name).name
        if kind not in _TYPES:
            raise TensorSpecError(f"{self._name}: {name!r} is {kind}; expected one of: {', '.join(_TYPES)}")
        return TensorSpec(name, tuple(self._engine.get_tensor_shape(name)), _TYPES[kind])

    def _limit(self, spec: TensorSpec) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the least and the largest shape of an input."""
        if -1 not in spec.shape:
            return spec.shape, spec.shape
        least, _, largest = self._engine.get_tensor_profile_shape(spec.name, 0)
        return tuple(least), tuple(largest)

    def _allocate(self) -> None:
        for spec in self._inputs:
            largest = self._limits[spec.name][1]
            if -1 in spec.shape and not self._context.set_input_shape(spec.name, largest):
                raise self._library.failed(f"{self._name} refuses {spec.name!r} of the shape {largest}")
            self._addresses[spec.name] = self._device.allocate(math.prod(largest) * np.dtype(spec.dtype).itemsize)
        for spec in self._outputs:
            size = int(self._context.get_max_output_size(spec.name))
            if size < 0:
                raise self._library.failed(f"{self._name} does not say how large {spec.name!r} gets")
            self._addresses[spec.name] = self._device.allocate(size)
        for name, address in self._addresses.items():
            if not self._context.set_tensor_address(name, address):
                raise self._library.failed(f"{self._name} refuses the memory of {name!r}")

    def _take(self, spec: TensorSpec, given: NDArray[Any]) -> None:
        least, largest = self._limits[spec.name]
        if not all(low <= size <= high for low, size, high in zip(least, given.shape, largest, strict=True)):
            raise TensorSpecError(
                f"input of {self._name} {spec.name!r} has the shape {given.shape}; expected {least} to {largest}, "
                "which the engine was built for"
            )
        if -1 in spec.shape and not self._context.set_input_shape(spec.name, given.shape):
            raise self._library.failed(f"{self._name} refuses {spec.name!r} of the shape {given.shape}")
        # Kept until the stream is done with it.
        self._held.append(np.ascontiguousarray(given))
        self._device.upload(self._addresses[spec.name], self._held[-1])

    def _execute(self) -> None:
        if self._graph is not None:
            self._device.launch(self._graph)
            return
        self._enqueue()
        if self._fixed:
            # The first run did what must not be taken down, such as the loading of kernels.
            self._device.wait()
            self._device.begin_capture()
            try:
                self._enqueue()
            except BackendError:
                # A stream that still takes down would run nothing any more.
                with suppress(BackendError):
                    self._device.drop(self._device.end_capture())
                raise
            self._graph = self._device.end_capture()

    def _enqueue(self) -> None:
        if not self._context.execute_async_v3(self._device.stream):
            raise self._library.failed(f"{self._name} could not be run")


def library_versions() -> dict[str, str]:
    """Return the versions of the TensorRT libraries that can be imported."""
    return installed_versions()


def open_session(
    stage: StageSpec,
    model: ModelFolder | None,
    options: SessionOptions = ONE_CPU_THREAD,  # noqa: ARG001 - the work is on the GPU
) -> TensorRTSession:
    """Load an engine, once its digest is verified and the GPU is one that it was built for.

    Args:
        stage: Its program names the engine, with the ending of the ONNX file that it was built from.
        model: The engine's folder.
        options: Not used.

    Raises:
        ArtifactError: The folder holds no engine, or one for another GPU, or its file is not the one that it names.
        BackendError: There is no model folder, or the library refuses the file.
        BackendUnavailableError: The library or the GPU is not there.
    """
    identity = None if model is None else engine_identity(model)
    if model is None or identity is None:
        what = "the profile names no model" if model is None else f"model {model.name} is none"
        raise BackendError(
            f"backend 'tensorrt' runs engines, and {what}; expected one: alpamayo engine build --backend tensorrt"
        )
    library = load_library(_built_by(identity, model))
    data = model.read(engine_name(stage.program))
    device = CudaDevice()
    try:
        _require_architecture(model, identity.architectures, device.architecture)
        engine = _deserialised(library, stage.program, data)
    except BaseException:
        device.close()
        raise
    return TensorRTSession(stage.program, library, engine, device)


def _deserialised(library: TensorRTLibrary, name: str, data: bytes) -> Any:
    engine = library.module.Runtime(library.logger).deserialize_cuda_engine(data)
    if engine is None:
        raise library.failed(f"{name} cannot be loaded by {library.name} {library.version}")
    return engine


def _built_by(identity: EngineIdentity, model: ModelFolder) -> str:
    for name in LIBRARIES:
        if name in identity.libraries:
            return name
    raise ArtifactError(f"engine {model.path} names no library of {', '.join(LIBRARIES)}; expected what built it")


def _require_architecture(model: ModelFolder, built_for: Sequence[str], here: str) -> None:
    if here not in built_for:
        raise ArtifactError(
            f"engine {model.path} was built for {', '.join(built_for)}, and the GPU here is {here}; expected one that "
            "was built for it: alpamayo engine build"
        )
