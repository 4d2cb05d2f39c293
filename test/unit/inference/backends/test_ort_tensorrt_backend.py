"""ONNX Runtime with TensorRT is told what to build for, and nothing that could take another engine for this one."""

from typing import Any

import onnxruntime
import pytest

from alpamayo_ros.errors import BackendUnavailableError
from alpamayo_ros.inference.backends import ort_tensorrt_backend
from alpamayo_ros.inference.model_folder import ModelFolder, open_model_folder
from alpamayo_ros.inference.registry import library_versions, open_session
from alpamayo_ros.params.profile import StageSpec, load_profile


@pytest.fixture(scope="module")
def nano() -> ModelFolder:
    folder = load_profile("nano").model_folder
    assert folder is not None
    return open_model_folder(folder)


def test_the_provider_gets_the_shapes_of_every_open_input(nano: ModelFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(ort_tensorrt_backend, "open_model_file", lambda _name, provider, *_: asked.append(provider))
    for program in ("vision.onnx", "reasoning.onnx", "action.onnx"):
        ort_tensorrt_backend.open_session(StageSpec(program), nano)
    vision, reasoning, action = (provider.options for provider in asked)
    assert not [name for name in vision if name.endswith("_shapes")]
    assert "cache:4x2x4x0x32" in reasoning["trt_profile_min_shapes"].split(",")
    assert "cache:4x2x4x282x32" in reasoning["trt_profile_max_shapes"].split(",")
    assert "vision_tokens:240x128" in reasoning["trt_profile_opt_shapes"].split(",")
    assert action["trt_profile_max_shapes"] == "states:40x128,noise:64x64x2"
    for options in (vision, reasoning, action):
        assert {options[name] for name in ("trt_engine_cache_enable", "trt_fp16_enable", "trt_int8_enable")} == {"0"}


def test_without_the_provider_it_says_what_to_install(nano: ModelFolder) -> None:
    if "TensorrtExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has TensorRT")
    with pytest.raises(BackendUnavailableError, match=r"has no TensorrtExecutionProvider; .*onnxruntime-gpu tensorrt"):
        open_session("ort_tensorrt", StageSpec("reasoning.onnx"), nano)
    assert library_versions("ort_tensorrt") == {"onnxruntime": onnxruntime.__version__}
