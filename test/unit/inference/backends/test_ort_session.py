"""A file runs on the provider that was asked for, whole, or it is not loaded: ONNX Runtime would only warn."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import onnxruntime
import pytest

from alpamayo_ros.errors import BackendError, BackendUnavailableError
from alpamayo_ros.inference.backend import SessionOptions
from alpamayo_ros.inference.backends import ort_session
from alpamayo_ros.inference.backends.ort_cuda_backend import PROVIDER as CUDA
from alpamayo_ros.inference.backends.ort_session import CPU_PROVIDER, Provider, open_onnx_with
from alpamayo_ros.inference.model_folder import open_model_folder
from alpamayo_ros.inference.registry import open_session
from alpamayo_ros.params.profile import StageSpec


@dataclass
class Node:
    name: str
    op_type: str


class Part:
    def __init__(self, ep_name: str, *nodes: Node) -> None:
        self.ep_name = ep_name
        self._nodes = nodes

    def get_nodes(self) -> tuple[Node, ...]:
        return self._nodes


class FakeSession:
    """What ONNX Runtime would return, with what it was asked for."""

    providers: tuple[str, ...] = (CUDA.name, CPU_PROVIDER)
    parts: tuple[Part, ...] = (Part(CUDA.name, Node("a", "MatMul")),)
    asked: ClassVar[list[tuple[Any, Any]]] = []

    def __init__(self, _data: bytes, settings: Any, providers: Any) -> None:
        self.asked.append((settings, providers))

    def get_providers(self) -> list[str]:
        return list(self.providers)

    def get_provider_graph_assignment_info(self) -> tuple[Part, ...]:
        return self.parts

    def get_inputs(self) -> list[Any]:
        return []

    get_outputs = get_inputs


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> type[FakeSession]:
    """Let ONNX Runtime have a GPU, and return the class of the sessions that it makes."""

    class Session(FakeSession):
        asked: ClassVar[list[tuple[Any, Any]]] = []

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA.name, CPU_PROVIDER])
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    return Session


def test_a_provider_that_is_missing_is_said_before_the_file_is_read(tmp_path: Path, tiny_model: Any) -> None:
    if CUDA.name in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has a GPU")
    tiny_model.write_tiny_model(tmp_path)
    with pytest.raises(BackendUnavailableError, match=r"has no CUDAExecutionProvider; .*: pip install onnxruntime-gpu"):
        open_session("ort_cuda", StageSpec("vision.onnx"), open_model_folder(tmp_path / "tiny"))
    with pytest.raises(BackendError, match=r"'ort_cuda' loads 'vision\.onnx' from a model folder"):
        open_session("ort_cuda", StageSpec("vision.onnx"))


def test_a_gpu_session_forbids_the_fall_back_and_reduced_precision(gpu: type[FakeSession]) -> None:
    open_onnx_with(CUDA, "x.onnx", b"", SessionOptions(threads=3))
    ((settings, providers),) = gpu.asked
    assert providers == [(CUDA.name, {"device_id": "0", "use_tf32": "0", "cudnn_conv_algo_search": "DEFAULT"})]
    assert settings.get_session_config_entry("session.disable_cpu_ep_fallback") == "1"
    assert settings.use_deterministic_compute
    assert settings.intra_op_num_threads == 3


@pytest.mark.parametrize("providers", [(CPU_PROVIDER,), (CPU_PROVIDER, CUDA.name), (CUDA.name, "OtherProvider"), ()])
def test_a_session_that_runs_elsewhere_is_refused(gpu: type[FakeSession], providers: tuple[str, ...]) -> None:
    gpu.providers = providers
    with pytest.raises(BackendError, match=r"would run on .*; expected CUDAExecutionProvider alone"):
        open_onnx_with(CUDA, "x.onnx", b"", SessionOptions())


def test_nodes_that_run_elsewhere_are_named(gpu: type[FakeSession]) -> None:
    gpu.parts = (Part(CUDA.name, Node("a", "MatMul")), Part(CPU_PROVIDER, Node("b", "Shape"), Node("c", "Gather")))
    with pytest.raises(BackendError, match=r"2 of its 3 nodes elsewhere .*\(b \(Shape\), c \(Gather\), \.\.\.\)"):
        open_onnx_with(CUDA, "x.onnx", b"", SessionOptions())


def test_a_stated_share_may_run_elsewhere(gpu: type[FakeSession]) -> None:
    gpu.parts = (Part(CUDA.name, Node("a", "MatMul")), Part(CPU_PROVIDER, Node("b", "Shape")))
    open_onnx_with(CUDA, "x.onnx", b"", SessionOptions(outside_share=0.5))
    assert gpu.asked[0][0].get_session_config_entry("session.record_ep_graph_assignment_info") == "1"
    with pytest.raises(RuntimeError, match="does not have configuration with key"):
        gpu.asked[0][0].get_session_config_entry("session.disable_cpu_ep_fallback")
    with pytest.raises(BackendError, match=r"1 of its 2 nodes elsewhere .*; expected at most 40%"):
        open_onnx_with(CUDA, "x.onnx", b"", SessionOptions(outside_share=0.4))


def test_the_assignment_that_onnx_runtime_records_is_read(tmp_path: Path, tiny_model: Any) -> None:
    tiny_model.write_tiny_model(tmp_path)
    data = (tmp_path / "tiny" / "vision.onnx").read_bytes()
    settings = ort_session._settings(Provider("AnotherProvider", ""), SessionOptions())
    settings.add_session_config_entry("session.disable_cpu_ep_fallback", "0")
    session = onnxruntime.InferenceSession(data, settings, providers=[CPU_PROVIDER])
    with pytest.raises(BackendError, match=r"elsewhere than on AnotherProvider \(.*\(MatMul\).*expected none"):
        ort_session._require_on_provider("vision.onnx", session, Provider("AnotherProvider", ""), 0.0)
    ort_session._require_on_provider("vision.onnx", session, Provider("AnotherProvider", ""), 1.0)
    ort_session._require_on_provider("vision.onnx", session, Provider(CPU_PROVIDER, ""), 0.0)


def test_a_setting_that_forbids_the_cpu_is_kept_by_onnx_runtime(tmp_path: Path, tiny_model: Any) -> None:
    """The setting does what the backend counts on: a node for the CPU is an error, where ONNX Runtime would go on."""
    tiny_model.write_tiny_model(tmp_path)
    data = (tmp_path / "tiny" / "vision.onnx").read_bytes()
    settings = ort_session._settings(CUDA, SessionOptions())
    with pytest.raises(Exception, match="fallback to CPU EP has been explicitly disabled"):
        onnxruntime.InferenceSession(data, settings, providers=["AzureExecutionProvider"])
