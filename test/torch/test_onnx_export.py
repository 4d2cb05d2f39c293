"""The three files compute what torch computes, and hold nothing else."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; run 'make test-torch'")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

import onnxruntime  # noqa: E402

from alpamayo_ros.errors import ArtifactError  # noqa: E402
from alpamayo_ros.inference.model_folder import open_model_folder  # noqa: E402
from alpamayo_ros.inference.networks.anatomy import Anatomy  # noqa: E402
from alpamayo_ros.inference.networks.nano import Nano  # noqa: E402
from alpamayo_ros.reasoning.driving_language import vocabulary  # noqa: E402
from alpamayo_ros.training import onnx_export  # noqa: E402
from alpamayo_ros.training.model_files import LARGEST_BYTES, PARTS, read_weights, write_model  # noqa: E402


@pytest.fixture(scope="module")
def nano() -> "Nano":
    torch.manual_seed(1)
    model = Nano(Anatomy(len(vocabulary()))).eval()
    for value in model.parameters():
        if not value.abs().max():
            torch.nn.init.normal_(value, std=0.02)
    return model


@pytest.fixture(scope="module")
def folder(nano: "Nano", tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nano")
    write_model(nano, path, "unknown", {"command": "test", "commit": "unknown", "seed": 1})
    return path


def test_the_folder_is_a_model_that_the_pipeline_takes(folder: Path) -> None:
    open_model_folder(folder).verify()


def test_the_weights_are_those_of_torch_and_fit_no_other_network(nano: "Nano", folder: Path) -> None:
    found = read_weights(folder, nano.anatomy.document())
    assert set(found) == set(nano.state_dict())
    assert all(torch.equal(found[name], value) for name, value in nano.state_dict().items())
    with pytest.raises(ArtifactError, match="of a network with the sizes"):
        read_weights(folder, Anatomy(7).document())


def test_the_files_are_small_and_name_no_machine(folder: Path) -> None:
    data = [(folder / name).read_bytes() for name in PARTS]
    assert sum(map(len, data)) <= LARGEST_BYTES
    assert not any(b"site-packages" in one or b"/alpamayo_ros/" in one for one in data)


def test_prefill_and_decoding_equal_torch(nano: "Nano", folder: Path) -> None:
    session = onnxruntime.InferenceSession(str(folder / "reasoning.onnx"), providers=["CPUExecutionProvider"])
    random, sizes = np.random.default_rng(2), nano.anatomy
    vision = random.standard_normal((sizes.vision_tokens, sizes.width)).astype(np.float32)
    history = random.standard_normal((1, 16, 4)).astype(np.float32)
    navigation, tokens = np.array([2]), random.integers(0, sizes.vocabulary, 15)
    cache = np.zeros((sizes.layers, 2, sizes.heads, 0, sizes.head_width), np.float32)
    found = []
    for place, token in enumerate(tokens):
        count = 1 if place == 0 else 0
        logits, _, cache = session.run(
            ["logits", "states", "grown_cache"],
            {
                "vision_tokens": vision if count else vision[:0],
                "history": history[:count],
                "navigation": navigation[:count],
                "tokens": np.array([token]),
                "cache": cache,
            },
        )
        found.append(logits[0])
    with torch.no_grad():
        expected, _ = nano.reason(
            torch.from_numpy(vision)[None],
            torch.from_numpy(history),
            torch.from_numpy(navigation),
            torch.from_numpy(tokens)[None],
        )
    assert np.abs(np.stack(found) - expected[0].numpy()).max() < 1e-3


def test_a_file_that_computes_something_else_is_refused(
    nano: "Nano", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_export, "LARGEST_DIFFERENCE", -1.0)
    with pytest.raises(ArtifactError, match="differs from torch"):
        onnx_export.export_nano(nano, tmp_path)
