"""A backend is chosen by name, and there is no fall-back."""

import importlib.metadata
import sys

import pytest

from alpamayo_ros.errors import BackendError, BackendUnavailableError
from alpamayo_ros.inference.registry import BACKEND_IDS, executed_file, library_versions, open_session
from alpamayo_ros.params.profile import StageSpec

STAGE = StageSpec("kinematic_motion")


def test_the_reference_backend_opens() -> None:
    assert open_session("reference", STAGE).output_specs[0].name == "motion"


@pytest.mark.parametrize(
    "backend", sorted(set(BACKEND_IDS) - {"reference", "ort_cpu", "ort_cuda", "ort_tensorrt", "tensorrt", "torch"})
)
def test_a_backend_that_is_not_built_is_refused_instead_of_replaced(backend: str) -> None:
    with pytest.raises(BackendUnavailableError, match=f"backend '{backend}' is not part of this version"):
        open_session(backend, STAGE)


def test_an_unknown_backend_lists_the_known_ones() -> None:
    with pytest.raises(BackendError, match="backend 'trt' is not known; expected one of: nim, ort_cpu"):
        open_session("trt", STAGE)


def test_an_onnx_file_needs_a_model_folder() -> None:
    with pytest.raises(BackendError, match=r"'ort_cpu' loads 'x.onnx' from a model folder, and the profile names none"):
        open_session("ort_cpu", StageSpec("x.onnx"))


def test_a_backend_names_the_versions_of_its_libraries() -> None:
    assert library_versions("reference") == {}
    assert library_versions("nim") == {}
    assert library_versions("ort_cpu") == {"onnxruntime": importlib.metadata.version("onnxruntime")}


def test_a_backend_whose_library_is_absent_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    for name in ("ort_cpu_backend", "ort_session"):
        monkeypatch.delitem(sys.modules, f"alpamayo_ros.inference.backends.{name}", raising=False)
    for use in (lambda: library_versions("ort_cpu"), lambda: open_session("ort_cpu", StageSpec("x.onnx"))):
        with pytest.raises(BackendUnavailableError, match=r"'ort_cpu' needs onnxruntime, .*: pip install onnxruntime"):
            use()


def test_torch_without_its_libraries_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "alpamayo_ros.inference.backends.torch_backend", raising=False)
    with pytest.raises(BackendUnavailableError, match=r"'torch' needs torch, .*: pip install alpamayo_ros\[torch\]"):
        open_session("torch", STAGE)


def test_a_backend_says_which_file_it_runs() -> None:
    assert executed_file("ort_cpu", "vision.onnx") == "vision.onnx"
    assert executed_file("torch", "vision.onnx") == "weights.safetensors"
