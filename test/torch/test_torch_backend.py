"""The backend ``torch``: what ONNX Runtime computes, from the weights of the same folder, and clear words where not."""

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; run 'make test-torch'")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

from ruamel.yaml import YAML  # noqa: E402

from alpamayo_ros.errors import (  # noqa: E402
    ArtifactError,
    BackendError,
    BackendUnavailableError,
    DigestMismatchError,
    TensorSpecError,
)
from alpamayo_ros.inference.backend import SessionOptions  # noqa: E402
from alpamayo_ros.inference.model_folder import ModelFolder, open_model_folder  # noqa: E402
from alpamayo_ros.inference.networks.anatomy import Anatomy  # noqa: E402
from alpamayo_ros.inference.networks.nano import Nano  # noqa: E402
from alpamayo_ros.inference.registry import library_versions, open_session  # noqa: E402
from alpamayo_ros.lineage.canonical import bytes_id  # noqa: E402
from alpamayo_ros.params.profile import StageSpec  # noqa: E402
from alpamayo_ros.reasoning.driving_language import vocabulary  # noqa: E402
from alpamayo_ros.training.example_inputs import example_inputs  # noqa: E402
from alpamayo_ros.training.model_files import write_model  # noqa: E402

PARTS = ("vision.onnx", "reasoning.onnx", "action.onnx")
SMALL = Anatomy(len(vocabulary()), stem=16, middle=16, width=32, layers=2, expert_width=32, expert_layers=1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    torch.manual_seed(1)
    nano = Nano(SMALL).eval()
    for value in nano.parameters():
        if not value.abs().max():
            torch.nn.init.normal_(value, std=0.02)
    folder = tmp_path_factory.mktemp("model")
    write_model(nano, folder, "unknown", {"command": "test", "commit": "unknown", "seed": 1})
    return open_model_folder(folder)


def changed(model: ModelFolder, tmp_path: Path, weights: bytes | None, **document: Any) -> ModelFolder:
    """Return a copy of a model with other weights, rightly named, or another document."""
    data = model.read("weights.safetensors") if weights is None else weights
    (tmp_path / "weights.safetensors").write_bytes(data)
    files = {"weights.safetensors": bytes_id(data)}
    changed_document = {**model.document, "files": files, **document}
    text = io.StringIO()
    YAML().dump({name: value for name, value in changed_document.items() if value is not None}, text)
    (tmp_path / "model.yaml").write_text(text.getvalue())
    return open_model_folder(tmp_path)


def inputs_of(program: str) -> Mapping[str, Any]:
    return example_inputs(SMALL)[program.removesuffix(".onnx")]


@pytest.mark.parametrize("program", PARTS)
def test_it_takes_gives_and_computes_what_onnx_runtime_does(model: ModelFolder, program: str) -> None:
    ours, theirs = (open_session(backend, StageSpec(program), model) for backend in ("torch", "ort_cpu"))
    assert sorted(ours.input_specs, key=str) == sorted(theirs.input_specs, key=str)
    assert [spec.name for spec in ours.output_specs] == [spec.name for spec in theirs.output_specs]
    ours.warm_up()
    found, expected = (session.infer(inputs_of(program), 7) for session in (ours, theirs))
    for name, value in expected.items():
        assert np.abs(found[name] - value).max() < 1e-3
    again = ours.infer(inputs_of(program), 8)
    assert all(np.array_equal(again[name], value) for name, value in found.items())


def test_what_it_is_given_stays_as_it_is_and_may_be_read_only(model: ModelFolder) -> None:
    session = open_session("torch", StageSpec("vision"), model)
    images = inputs_of("vision.onnx")["images"].copy()
    images.flags.writeable = False
    before = images.tobytes()
    session.infer({"images": images}, 0)
    assert images.tobytes() == before


def test_inputs_that_do_not_fit_are_named(model: ModelFolder) -> None:
    session = open_session("torch", StageSpec("vision.onnx"), model)
    with pytest.raises(TensorSpecError, match=r"input of vision\.onnx"):
        session.infer({"images": np.zeros((1, 2, 3), np.uint8)}, 0)
    session.close()
    with pytest.raises(BackendError, match="was closed"):
        session.infer(inputs_of("vision.onnx"), 0)


def test_a_part_or_a_folder_that_is_not_there_is_named(model: ModelFolder, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="part of network nano 'hearing' is not known; expected one of: action"):
        open_session("torch", StageSpec("hearing.onnx"), model)
    with pytest.raises(BackendError, match="the profile names none"):
        open_session("torch", StageSpec("vision.onnx"))
    with pytest.raises(BackendError, match="names no network"):
        open_session("torch", StageSpec("vision.onnx"), changed(model, tmp_path, None, network=None))


@pytest.mark.parametrize("damage", ["cut", "empty", "other bytes"])
def test_weights_that_are_damaged_are_refused_when_they_are_loaded(
    model: ModelFolder, tmp_path: Path, damage: str
) -> None:
    data = model.read("weights.safetensors")
    broken = {"cut": data[: len(data) // 2], "empty": b"", "other bytes": b"\xff" * 200}[damage]
    with pytest.raises(ArtifactError, match="does not fit the network"):
        open_session("torch", StageSpec("vision.onnx"), changed(model, tmp_path, broken))


def test_weights_of_other_sizes_and_another_digest_are_refused(model: ModelFolder, tmp_path: Path) -> None:
    sizes = {**model.document["network"]["sizes"], "width": 64}
    network = {"architecture": "nano", "sizes": sizes}
    with pytest.raises(ArtifactError, match="does not fit the network"):
        open_session("torch", StageSpec("vision.onnx"), changed(model, tmp_path, None, network=network))
    unknown = {"architecture": "nano", "sizes": {"wings": 2}}
    with pytest.raises(ArtifactError, match="does not fit the network"):
        open_session("torch", StageSpec("vision.onnx"), changed(model, tmp_path, None, network=unknown))
    other = replace(model, files={**model.files, "weights.safetensors": "sha256:" + "0" * 64})
    with pytest.raises(DigestMismatchError):
        open_session("torch", StageSpec("vision.onnx"), other)


def test_a_gpu_that_is_not_there_is_said_before_anything_runs(model: ModelFolder) -> None:
    if torch.cuda.is_available():
        session = open_session("torch", StageSpec("vision.onnx"), model, SessionOptions(device="cuda"))
        expected = open_session("torch", StageSpec("vision.onnx"), model).infer(inputs_of("vision.onnx"), 0)
        found = session.infer(inputs_of("vision.onnx"), 0)
        assert np.abs(found["vision_tokens"] - expected["vision_tokens"]).max() < 1e-2
        return
    with pytest.raises(BackendUnavailableError, match="it finds no GPU"):
        open_session("torch", StageSpec("vision.onnx"), model, SessionOptions(device="cuda"))


def test_it_names_its_library() -> None:
    assert library_versions("torch") == {"torch": str(torch.__version__)}
