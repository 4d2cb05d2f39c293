"""Real engines of nano for GPUs that are not here, by TensorRT for RTX, whose builder needs none."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from alpamayo_ros.errors import ArtifactError, BackendError, BackendUnavailableError, ConfigurationError
from alpamayo_ros.inference.backends.ort_cpu_backend import open_onnx
from alpamayo_ros.inference.engine_build import build_engine
from alpamayo_ros.inference.engine_identity import engine_identity
from alpamayo_ros.inference.model_folder import ModelFolder, open_model_folder
from alpamayo_ros.inference.networks.lengths import Length, lengths_of
from alpamayo_ros.inference.registry import open_session
from alpamayo_ros.inference.tensorrt_build import RTX_MAGIC, architectures_of, build_plan, with_bytes_cast_first
from alpamayo_ros.inference.tensorrt_library import TENSORRT, TENSORRT_RTX, TensorRTLibrary, load_library
from alpamayo_ros.params.profile import StageSpec

PROGRAMS = ("vision.onnx", "reasoning.onnx", "action.onnx")
GPUS = ("sm_86", "sm_120")


@pytest.fixture(scope="module")
def rtx() -> TensorRTLibrary:
    pytest.importorskip("tensorrt_rtx_bindings", reason="TensorRT for RTX is not installed")
    return load_library(TENSORRT_RTX)


@pytest.fixture(scope="module")
def nano() -> ModelFolder:
    from alpamayo_ros.params.profile import load_profile

    folder = load_profile("nano").model_folder
    assert folder is not None
    return open_model_folder(folder)


def small(**changes: Any) -> bytes:
    """Return an ONNX file that doubles (n, 4)."""
    factor = helper.make_tensor("two", TensorProto.FLOAT, [1], [2.0])
    node = helper.make_node("Mul", ["x", "two"], ["y"], name="double")
    shape = changes.get("shape", ["n", 4])
    kind = changes.get("kind", TensorProto.FLOAT)
    graph = helper.make_graph(
        [node],
        "small",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, shape)],
        [factor],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", changes.get("opset", 18))], ir_version=10)
    return bytes(model.SerializeToString())


LENGTHS = {"x": Length(0, 2, 4)}


@pytest.mark.timeout(600)
def test_nano_is_built_for_several_gpus_at_once(rtx: TensorRTLibrary, nano: ModelFolder, tmp_path: Path) -> None:
    engine, now = build_engine(
        nano, PROGRAMS, tmp_path / "e", backend="tensorrt", precision="fp16", calibration={}, architectures=GPUS
    )
    assert now
    engine.verify()
    identity = engine_identity(engine)
    assert identity is not None
    assert (identity.architectures, identity.precision, identity.source) == (GPUS, "fp16", nano.digest)
    assert identity.libraries[TENSORRT_RTX] == rtx.version
    for program in PROGRAMS:
        name = program.replace(".onnx", ".engine")
        assert program not in engine.files
        assert engine.read(name).startswith(RTX_MAGIC)
        assert len(engine.read(name)) > 100_000
    again, now = build_engine(
        nano, PROGRAMS, tmp_path / "e", backend="tensorrt", precision="fp16", calibration={}, architectures=GPUS
    )
    assert (again.digest, now) == (engine.digest, False)
    with pytest.raises(ArtifactError, match="is there already and is the engine sha256:"):
        build_engine(
            nano,
            PROGRAMS,
            tmp_path / "e",
            backend="tensorrt",
            precision="fp16",
            calibration={},
            architectures=("sm_89",),
        )
    # Nothing here can run it, and that is said when it is opened.
    with pytest.raises(BackendUnavailableError, match="GPU 0 cannot be used"):
        open_session("tensorrt", StageSpec("vision.onnx"), engine)


def test_the_library_keeps_one_logger_for_the_whole_process(rtx: TensorRTLibrary) -> None:
    """TensorRT calls the first one that it was given, even after that is gone."""
    assert load_library(TENSORRT_RTX).logger is rtx.logger


def test_engines_of_other_gpus_are_other_engines(rtx: TensorRTLibrary) -> None:
    engines = {one: build_plan(rtx, "small.onnx", small(), LENGTHS, [one]) for one in ("sm_75", "sm_89", "sm_121")}
    assert all(data.startswith(RTX_MAGIC) for data in engines.values())
    assert len({bytes(data) for data in engines.values()}) == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"small\.onnx cannot be"),
        (b"no onnx at all", r"small\.onnx cannot be"),
        (small()[:-30], r"small\.onnx cannot be"),
        (small(opset=4000), r"small\.onnx cannot be"),
        (small(shape=["n", "m"]), r"input 'x' has the shape \(-1, -1\).* expected one open dimension"),
        (small(kind=TensorProto.UINT8), r"computes with uint8 \(double, Mul\)"),
    ],
)
def test_a_file_that_cannot_be_built_is_a_typed_error(rtx: TensorRTLibrary, data: bytes, message: str) -> None:
    with pytest.raises(BackendError, match=message):
        build_plan(rtx, "small.onnx", data, LENGTHS, ["sm_86"])


def test_an_unknown_length_or_gpu_is_said(rtx: TensorRTLibrary) -> None:
    with pytest.raises(BackendError, match=r"input 'x' has the shape \(-1, 4\), and the lengths of z are known"):
        build_plan(rtx, "small.onnx", small(), {"z": Length(0, 1, 2)}, ["sm_86"])
    with pytest.raises(ConfigurationError, match=r"architecture 'sm_90' is not known; expected one of: .*sm_75, sm_80"):
        architectures_of(rtx, ["sm_86", "sm_90"])
    with pytest.raises(ConfigurationError, match="tensorrt builds for the GPU that is there alone"):
        build_plan(TensorRTLibrary(TENSORRT, rtx.module, rtx.logger), "small.onnx", small(), LENGTHS, ["sm_86"])


def test_full_tensorrt_or_its_gpu_that_is_missing_is_said(nano: ModelFolder, tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailableError, match=r"(tensorrt cannot be imported|GPU 0 cannot be used)"):
        build_engine(nano, PROGRAMS, tmp_path / "e", backend="tensorrt", precision="fp32", calibration={})
    assert not (tmp_path / "e").exists()


def test_bytes_are_cast_first_and_the_file_computes_the_same(nano: ModelFolder) -> None:
    data = nano.read("vision.onnx")
    changed = with_bytes_cast_first("vision.onnx", data)
    images = np.random.default_rng(0).integers(0, 256, (4, 2, 96, 160, 3)).astype(np.uint8)
    first, second = (open_onnx("vision", one).infer({"images": images}, 0)["vision_tokens"] for one in (data, changed))
    assert np.array_equal(first, second)
    first_node = onnx.load_from_string(changed).graph.node[0]
    assert (first_node.op_type, list(first_node.input)) == ("Cast", ["images"])
    assert with_bytes_cast_first("action.onnx", nano.read("action.onnx")) == nano.read("action.onnx")


def test_the_lengths_of_nano_cover_its_longest_answer(nano: ModelFolder) -> None:
    lengths = lengths_of(nano)
    assert lengths["tokens"] == (1, 1, 40)
    assert lengths["cache"].largest == 240 + 2 + 40
    assert all(one.least <= one.usual <= one.largest for one in lengths.values())


def test_a_model_of_an_unknown_network_has_no_lengths(tmp_path: Path, tiny_model: Any) -> None:
    tiny_model.write_tiny_model(tmp_path)
    with pytest.raises(ArtifactError, match="model tiny names no network"):
        lengths_of(open_model_folder(tmp_path / "tiny"))


def test_eight_bits_are_built_too(rtx: TensorRTLibrary, nano: ModelFolder, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 2, 96, 160, 3)).astype(np.uint8)
    calibration = {"vision.onnx": [{"images": one} for one in images]}
    engine, _ = build_engine(
        nano, PROGRAMS[:1], tmp_path / "e", backend="tensorrt", precision="int8", calibration=calibration,
        architectures=GPUS[:1],
    )  # fmt: skip
    identity = engine_identity(engine)
    assert identity is not None
    assert identity.calibration.startswith("sha256:")
    assert identity.libraries[TENSORRT_RTX] == rtx.version
    assert engine.read("vision.engine").startswith(RTX_MAGIC)
