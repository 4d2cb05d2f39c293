"""The session of a TensorRT engine: buffers once, shapes that it was built for, a graph where nothing is open."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from alpamayo_ros.errors import ArtifactError, BackendError, BackendUnavailableError, TensorSpecError
from alpamayo_ros.inference.backend import TensorSpec
from alpamayo_ros.inference.backends import tensorrt_backend
from alpamayo_ros.inference.backends.tensorrt_backend import TensorRTSession
from alpamayo_ros.inference.engine_identity import EngineIdentity
from alpamayo_ros.inference.model_folder import ModelFolder, engine_name
from alpamayo_ros.inference.registry import executed_file, open_session
from alpamayo_ros.inference.tensorrt_library import TensorRTLibrary
from alpamayo_ros.params.profile import StageSpec


class Mode(Enum):
    INPUT = 0
    OUTPUT = 1


class Kind(Enum):
    FLOAT = 0
    INT64 = 1
    BF16 = 2


@dataclass
class FakeDevice:
    """A GPU whose memory is the host's; what is put on its stream runs at once, or is taken down."""

    memory: dict[int, bytearray] = field(default_factory=dict)
    taken_down: list[Callable[[], None]] | None = None
    launches: int = 0
    closed: bool = False
    stream: int = 7

    def allocate(self, count: int) -> int:
        address = 1000 + len(self.memory)
        self.memory[address] = bytearray(max(count, 1))
        return address

    def free(self, address: int) -> None:
        del self.memory[address]

    def upload(self, address: int, array: NDArray[Any]) -> None:
        assert array.nbytes <= len(self.memory[address])
        self.memory[address][: array.nbytes] = array.tobytes()

    def download(self, address: int, array: NDArray[Any]) -> None:
        array[...] = np.frombuffer(bytes(self.memory[address][: array.nbytes]), array.dtype).reshape(array.shape)

    def wait(self) -> None:
        assert self.taken_down is None

    def begin_capture(self) -> None:
        self.taken_down = []

    def end_capture(self) -> Any:
        found, self.taken_down = self.taken_down, None
        return found

    def launch(self, graph: Any) -> None:
        self.launches += 1
        for run in graph:
            run()

    def drop(self, graph: Any) -> None:
        graph.clear()

    def close(self) -> None:
        self.closed = True


class FakeContext:
    """Doubles its one input."""

    def __init__(self, engine: "FakeEngine") -> None:
        self.engine, self.shape, self.addresses, self.refuses = engine, engine.shape, {}, ""
        self.addresses: dict[str, int]

    def set_input_shape(self, _name: str, shape: tuple[int, ...]) -> bool:
        self.shape = tuple(shape)
        return self.refuses != "shape"

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return self.refuses != "address"

    def get_tensor_shape(self, _name: str) -> tuple[int, ...]:
        return self.shape

    def get_max_output_size(self, _name: str) -> int:
        return 4 * int(np.prod(self.shape))

    def execute_async_v3(self, stream: int) -> bool:
        assert stream == 7
        if self.refuses == "run":
            return False
        device = self.engine.device
        if device.taken_down is not None:
            device.taken_down.append(self._double)
        else:
            self._double()
        return True

    def _double(self) -> None:
        memory = self.engine.device.memory
        count = 4 * int(np.prod(self.shape))
        taken = np.frombuffer(bytes(memory[self.addresses["x"]][:count]), np.float32)
        memory[self.addresses["y"]][:count] = (2.0 * taken).tobytes()


@dataclass
class FakeEngine:
    device: FakeDevice
    shape: tuple[int, ...] = (2, 3)
    kind: Kind = Kind.FLOAT
    num_io_tensors: int = 2
    context: FakeContext | None = None

    def get_tensor_name(self, index: int) -> str:
        return "xy"[index]

    def get_tensor_mode(self, name: str) -> Mode:
        return Mode.INPUT if name == "x" else Mode.OUTPUT

    def get_tensor_dtype(self, _name: str) -> Kind:
        return self.kind

    def get_tensor_shape(self, _name: str) -> tuple[int, ...]:
        return self.shape

    def get_tensor_profile_shape(self, _name: str, _index: int) -> list[tuple[int, ...]]:
        return [(0, 3), (2, 3), (4, 3)]

    def create_execution_context(self) -> FakeContext:
        self.context = FakeContext(self)
        return self.context


def library() -> TensorRTLibrary:
    return TensorRTLibrary("tensorrt_rtx", SimpleNamespace(TensorIOMode=Mode), SimpleNamespace(errors=["it said why"]))


def session(device: FakeDevice, **engine: Any) -> TensorRTSession:
    return TensorRTSession("x.onnx", library(), FakeEngine(device, **engine), device)


def test_a_run_copies_in_runs_and_copies_out() -> None:
    device = FakeDevice()
    loaded = session(device)
    assert loaded.input_specs == (TensorSpec("x", (2, 3), "float32"),)
    assert loaded.output_specs == (TensorSpec("y", (2, 3), "float32"),)
    loaded.warm_up()
    given = np.arange(6, dtype=np.float32).reshape(2, 3)
    first = loaded.infer({"x": given.T.copy().T}, 0)["y"]
    second = loaded.infer({"x": -given}, 0)["y"]
    assert first.tolist() == (2.0 * given).tolist()
    assert second.tolist() == (-2.0 * given).tolist()
    # The first run went by itself, the other two as a graph.
    assert device.launches == 2
    assert len(device.memory) == 2


def test_an_open_length_is_set_at_each_run_within_what_the_engine_was_built_for() -> None:
    device = FakeDevice()
    loaded = session(device, shape=(-1, 3))
    loaded.warm_up()
    for length in (0, 1, 4):
        given = np.full((length, 3), 1.5, np.float32)
        assert loaded.infer({"x": given}, 0)["y"].tolist() == (2.0 * given).tolist()
    assert device.launches == 0
    with pytest.raises(TensorSpecError, match=r"'x' has the shape \(5, 3\); expected \(0, 3\) to \(4, 3\)"):
        loaded.infer({"x": np.zeros((5, 3), np.float32)}, 0)
    with pytest.raises(TensorSpecError, match=r"'x' is float64 \(1, 3\); expected float32"):
        loaded.infer({"x": np.zeros((1, 3))}, 0)
    with pytest.raises(TensorSpecError, match=r"has the tensors \['z'\]; expected \['x'\]"):
        loaded.infer({"z": np.zeros((1, 3), np.float32)}, 0)


def test_closing_gives_everything_back_once() -> None:
    device = FakeDevice()
    loaded = session(device)
    loaded.warm_up()
    loaded.close()
    loaded.close()
    assert (device.memory, device.closed) == ({}, True)
    with pytest.raises(BackendError, match=r"x\.onnx was closed"):
        loaded.warm_up()


def test_a_run_that_the_library_refuses_is_an_error_that_says_why() -> None:
    device = FakeDevice()
    loaded = session(device, shape=(-1, 3))
    context = loaded._engine.context
    for refused in ("shape", "run"):
        context.refuses = refused
        loaded._library.logger.errors[:] = ["it said why"]
        with pytest.raises(BackendError, match=r"x\.onnx .*: it said why"):
            loaded.infer({"x": np.zeros((1, 3), np.float32)}, 0)


def test_a_capture_that_fails_does_not_leave_the_stream_taking_down() -> None:
    device = FakeDevice()
    loaded = session(device)
    context = loaded._engine.context
    runs = context.execute_async_v3
    context.execute_async_v3 = lambda stream: device.taken_down is None and runs(stream)
    with pytest.raises(BackendError, match="could not be run"):
        loaded.infer({"x": np.zeros((2, 3), np.float32)}, 0)
    assert device.taken_down is None
    context.execute_async_v3 = runs
    assert loaded.infer({"x": np.ones((2, 3), np.float32)}, 0)["y"].tolist() == [[2.0] * 3] * 2


def test_an_output_of_unknown_size_is_refused_and_nothing_stays_on_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeContext, "get_max_output_size", lambda *_: -1)
    device = FakeDevice()
    with pytest.raises(BackendError, match="does not say how large 'y' gets"):
        session(device)
    assert (device.memory, device.closed) == ({}, True)


def test_a_type_that_no_stage_has_is_refused() -> None:
    with pytest.raises(TensorSpecError, match=r"'x' is BF16; expected one of: FLOAT"):
        session(FakeDevice(), kind=Kind.BF16)


def model(*, engine: bool, libraries: dict[str, str] | None = None) -> ModelFolder:
    digest = "sha256:" + "0" * 64
    stated = EngineIdentity(digest, "tensorrt", "fp32", libraries or {"tensorrt_rtx": "9.9"}, ("sm_86", "sm_89"))
    document = {"engine": stated.document()} if engine else {}
    return ModelFolder(Path("nowhere"), "nano", "1", {engine_name("vision.onnx"): digest}, "unknown", None, document)  # type: ignore[arg-type]


def test_a_model_that_is_no_engine_is_refused_before_a_gpu_is_asked_for() -> None:
    for given, what in ((model(engine=False), "model nano is none"), (None, "the profile names no model")):
        with pytest.raises(BackendError, match=rf"runs engines, and {what}; expected one: alpamayo engine build"):
            tensorrt_backend.open_session(StageSpec("vision.onnx"), given)


def test_an_engine_of_another_version_is_refused_with_the_difference() -> None:
    pytest.importorskip("tensorrt_rtx_bindings", reason="TensorRT for RTX is not installed")
    with pytest.raises(ArtifactError, match=r"built for tensorrt_rtx 9\.9, here [0-9.]+; expected one that was built"):
        open_session("tensorrt", StageSpec("vision.onnx"), model(engine=True))


def test_an_engine_of_an_unknown_library_is_refused() -> None:
    with pytest.raises(ArtifactError, match="names no library of tensorrt_rtx, tensorrt"):
        tensorrt_backend.open_session(StageSpec("vision.onnx"), model(engine=True, libraries={"onnx": "1"}))


def test_an_engine_for_another_gpu_is_refused() -> None:
    with pytest.raises(ArtifactError, match="was built for sm_86, sm_89, and the GPU here is sm_90"):
        tensorrt_backend._require_architecture(model(engine=True), ("sm_86", "sm_89"), "sm_90")


def test_the_engine_of_a_program_has_its_name() -> None:
    assert executed_file("tensorrt", "vision.onnx") == "vision.engine"


def test_without_a_gpu_the_device_is_a_typed_error() -> None:
    pytest.importorskip("cuda.bindings", reason="the CUDA runtime's bindings are not installed")
    from cuda.bindings import runtime

    from alpamayo_ros.inference.cuda_device import CudaDevice

    if runtime.cudaGetDeviceCount()[0] == runtime.cudaError_t.cudaSuccess:
        pytest.skip("this machine has a GPU")
    with pytest.raises(BackendUnavailableError, match=r"GPU 0 cannot be used: cudaError\w+; expected a GPU"):
        CudaDevice()
