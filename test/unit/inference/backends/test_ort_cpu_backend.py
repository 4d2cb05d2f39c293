"""ONNX files run on the CPU alone, bit-equal each time, and only with the tensors that they state."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from alpamayo_ros.errors import ArtifactError, BackendError, DigestMismatchError, TensorSpecError
from alpamayo_ros.inference.backend import Session, SessionOptions, TensorSpec
from alpamayo_ros.inference.backends.ort_cpu_backend import PROVIDER
from alpamayo_ros.inference.model_folder import open_model_folder
from alpamayo_ros.inference.registry import open_onnx, open_session
from alpamayo_ros.params.profile import StageSpec


@pytest.fixture
def folder(tmp_path: Path, tiny_model: Any) -> Path:
    """Write a tiny model and return its folder."""
    tiny_model.write_tiny_model(tmp_path)
    return tmp_path / "tiny"


def load(folder: Path, program: str = "vision.onnx", threads: int = 1) -> Session:
    return open_session("ort_cpu", StageSpec(program), open_model_folder(folder), SessionOptions(threads))


def pictures(seed: int = 0) -> dict[str, Any]:
    return {"images": np.random.Generator(np.random.PCG64(seed)).integers(0, 256, (4, 2, 96, 160, 3), dtype=np.uint8)}


def test_a_file_states_its_tensors_with_open_lengths(folder: Path) -> None:
    session = load(folder, "reasoning.onnx")
    assert TensorSpec("cache", (1, 2, 1, -1, 8), "float32") in session.input_specs
    assert TensorSpec("tokens", (-1,), "int64") in session.input_specs
    assert [spec.name for spec in session.output_specs] == ["logits", "states", "grown_cache"]
    assert load(folder, "action.onnx").input_specs[-1] == TensorSpec("time", (), "float32")


def test_the_same_input_gives_the_same_bits_each_time_and_in_every_session(folder: Path) -> None:
    one, other = load(folder), load(folder)
    outputs = [session.infer(pictures(), seed)["vision_tokens"] for session in (one, one, other) for seed in (0, 1)]
    assert {output.tobytes() for output in outputs} == {outputs[0].tobytes()}
    assert one.infer(pictures(1), 0)["vision_tokens"].tobytes() != outputs[0].tobytes()


def test_it_runs_on_the_cpu_alone_with_the_pinned_threads(folder: Path) -> None:
    session: Any = load(folder, threads=3)
    options = session._session.get_session_options()
    assert session._session.get_providers() == [PROVIDER.name]
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (3, 1)
    assert options.use_deterministic_compute


@pytest.mark.parametrize("program", ["vision.onnx", "reasoning.onnx", "action.onnx"])
def test_it_warms_up_whatever_its_open_lengths_are(folder: Path, program: str) -> None:
    load(folder, program).warm_up()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, r"input of vision.onnx has the tensors \[\]; expected \['images'\]"),
        ({"images": np.zeros((4, 2, 96, 160, 3), np.float32)}, "'images' is float32"),
        ({"images": np.zeros((4, 2, 95, 160, 3), np.uint8)}, r"'images' is uint8 \(4, 2, 95, 160, 3\); expected uint8"),
        ({"images": np.zeros((4, 2, 96, 160, 3), np.uint8), "more": np.zeros(1)}, "has the tensors"),
    ],
)
def test_other_tensors_than_stated_are_refused(folder: Path, inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(TensorSpecError, match=message):
        load(folder).infer(inputs, 0)


def test_lengths_that_do_not_go_together_are_an_error_of_the_backend(folder: Path) -> None:
    session = load(folder, "reasoning.onnx")
    inputs = {
        "vision_tokens": np.zeros((8, 8), np.float32),
        "history": np.zeros((1, 16, 4), np.float32),
        "navigation": np.array([9]),
        "tokens": np.array([1]),
        "cache": np.zeros((1, 2, 1, 0, 8), np.float32),
    }
    with pytest.raises(BackendError, match=r"reasoning.onnx could not be run: "):
        session.infer(inputs, 0)


def test_a_missing_file_and_a_changed_one_are_refused(folder: Path) -> None:
    (folder / "action.onnx").write_bytes((folder / "action.onnx").read_bytes() + b"\x00")
    with pytest.raises(DigestMismatchError, match=r"action.onnx has the digest sha256:.*; expected sha256:"):
        load(folder, "action.onnx")
    (folder / "vision.onnx").unlink()
    with pytest.raises(ArtifactError, match=r"vision.onnx cannot be read: No such file or directory"):
        load(folder)
    with pytest.raises(
        ArtifactError, match=r"model tiny: file 'other.onnx' is not known; expected one of: action.onnx"
    ):
        load(folder, "other.onnx")


@pytest.mark.parametrize("data", [b"", b"no protobuf at all", bytes(1000)])
def test_a_file_that_is_no_model_is_refused(folder: Path, tiny_model: Any, data: bytes) -> None:
    (folder / "vision.onnx").write_bytes(data)
    tiny_model.write_model_document(folder)
    with pytest.raises(BackendError, match=r"vision.onnx cannot be loaded: "):
        load(folder)
    with pytest.raises(BackendError, match="detector cannot be loaded: "):
        open_onnx("detector", data)


def test_a_file_that_was_cut_off_or_is_of_a_later_opset_is_refused(folder: Path, tiny_model: Any) -> None:
    whole = (folder / "vision.onnx").read_bytes()
    later = onnx.load_from_string(whole)
    later.opset_import[0].version = 4000
    for data in (whole[: len(whole) // 2], later.SerializeToString()):
        (folder / "vision.onnx").write_bytes(data)
        tiny_model.write_model_document(folder)
        with pytest.raises(BackendError, match=r"vision\.onnx cannot be loaded: "):
            open_session("ort_cpu", StageSpec("vision.onnx"), open_model_folder(folder))


def test_a_type_that_no_stage_has_is_refused(folder: Path, tiny_model: Any) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    text = onnx.helper.make_tensor_value_info("text", onnx.TensorProto.STRING, [1])
    same = onnx.helper.make_tensor_value_info("same", onnx.TensorProto.STRING, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["text"], ["same"])], "words", [text], [same])
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=9), folder / "vision.onnx")
    tiny_model.write_model_document(folder)
    with pytest.raises(TensorSpecError, match=r"'text' is tensor\(string\); expected one of: tensor\(bool\)"):
        load(folder)


def file_of(*shape: int, external: bool = False) -> bytes:
    """Return a file that adds a number to its input; with its weight outside, in ``weights.bin``, if asked for."""
    weight = onnx.TensorProto(name="one", data_type=onnx.TensorProto.FLOAT, dims=[64], raw_data=bytes(256))
    if external:
        weight.ClearField("raw_data")
        weight.data_location = onnx.TensorProto.EXTERNAL
        weight.external_data.add(key="location", value="weights.bin")
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ("x", "y")]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Add", ["x", "one"], ["y"])], "g", values[:1], values[1:], [weight]
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def test_weights_beside_the_file_which_its_digest_does_not_cover_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(256))
    monkeypatch.chdir(tmp_path)
    open_onnx("whole.onnx", file_of(64)).warm_up()
    with pytest.raises(BackendError, match=r"split\.onnx cannot be loaded: .*xternal data"):
        open_onnx("split.onnx", file_of(64, external=True))


def test_inputs_that_no_memory_holds_are_an_error_of_the_backend() -> None:
    with pytest.raises(BackendError, match=r"vast\.onnx could not be run: .*; expected inputs of a usable size"):
        open_onnx("vast.onnx", file_of(10**9, 10**9, 64)).warm_up()


def test_a_closed_session_says_so(folder: Path) -> None:
    session = load(folder)
    session.close()
    with pytest.raises(BackendError, match=r"vision\.onnx was closed"):
        session.infer(pictures(), 0)
