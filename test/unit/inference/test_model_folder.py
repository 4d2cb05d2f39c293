"""A model folder names its files by digest, and nothing else is read for them."""

import json
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.errors import ArtifactError, DigestMismatchError
from alpamayo_ros.inference.action_scale import ActionScale
from alpamayo_ros.inference.model_folder import open_model_folder
from alpamayo_ros.lineage.canonical import document_id


@pytest.fixture
def folder(tmp_path: Path, tiny_model: Any) -> Path:
    """Write a model folder of one file and return it."""
    (tmp_path / "a.bin").write_bytes(b"weights")
    tiny_model.write_model_document(tmp_path)
    return tmp_path


def test_what_it_says_about_itself_is_read(folder: Path) -> None:
    model = open_model_folder(folder)
    assert (model.name, model.version, model.dataset) == ("tiny", "1", f"sha256:{'d' * 64}")
    assert model.actions == ActionScale((0.1, 0.0), (0.8, 0.02))
    assert model.read("a.bin") == b"weights"
    model.verify()


def test_the_knee_of_its_curvature_is_read(folder: Path, tiny_model: Any) -> None:
    tiny_model.write_model_document(folder, actions={"mean": [0, 0], "std": [1.5, 1], "curvature_knee": 0.005})
    assert open_model_folder(folder).actions == ActionScale((0.0, 0.0), (1.5, 1.0), 0.005)


def test_its_digest_is_that_of_the_canonical_document(folder: Path, tiny_model: Any) -> None:
    first = open_model_folder(folder)
    assert first.digest == document_id(json.loads((folder / "model.yaml").read_text(encoding="utf-8")))
    (folder / "model.yaml").write_text(f"# a remark\n{json.dumps(dict(first.document), indent=2)}\n", encoding="utf-8")
    assert open_model_folder(folder).digest == first.digest
    tiny_model.write_model_document(folder, version="2")
    assert open_model_folder(folder).digest != first.digest


def test_a_file_that_changed_or_went_is_refused(folder: Path) -> None:
    model = open_model_folder(folder)
    (folder / "a.bin").write_bytes(b"weighty")
    for use in (lambda: model.read("a.bin"), model.verify):
        with pytest.raises(DigestMismatchError, match=r"model tiny .*a\.bin has the digest sha256:"):
            use()
    (folder / "a.bin").unlink()
    (folder / "a.bin").mkdir()
    with pytest.raises(ArtifactError, match=r"model tiny .*a\.bin cannot be read: Is a directory"):
        model.verify()


def test_a_file_that_is_not_named_is_not_read(folder: Path) -> None:
    (folder / "b.bin").write_bytes(b"")
    with pytest.raises(ArtifactError, match=r"file 'b.bin' is not known; expected one of: a.bin"):
        open_model_folder(folder).read("b.bin")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"files": {}}, "not valid at files"),
        ({"files": {"../secret": f"sha256:{'0' * 64}"}}, "not valid at files"),
        ({"files": {"a/b": f"sha256:{'0' * 64}"}}, "not valid at files"),
        ({"files": {".hidden": f"sha256:{'0' * 64}"}}, "not valid at files"),
        ({"files": {"a.bin": "md5:0"}}, "not valid at files"),
        ({"actions": {"mean": [0.0, 0.0], "std": [1.0, 0.0]}}, "not valid at actions/std/1"),
        ({"actions": {"mean": [0.0], "std": [1.0, 1.0]}}, "not valid at actions/mean"),
        (
            {"actions": {"mean": [0.0, 0.0], "std": [1.0, 1.0], "curvature_knee": 0.0}},
            "not valid at actions/curvature_knee",
        ),
        ({"dataset": "none"}, "not valid at dataset"),
        ({"provenance": {"host": ["a"]}}, "not valid at provenance/host"),
        ({"weights": 1}, "not valid at top level"),
    ],
)
def test_a_document_that_is_not_well_formed_is_refused(
    folder: Path, tiny_model: Any, changes: dict[str, Any], message: str
) -> None:
    tiny_model.write_model_document(folder, **changes)
    with pytest.raises(ArtifactError, match=message):
        open_model_folder(folder)


def test_a_folder_without_a_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"model .*model\.yaml cannot be read: No such file"):
        open_model_folder(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"provenance": {1: "a"}}', "not valid at provenance: expected names that are texts"),
        ('{"provenance": {? [a] : "b"}}', "not valid at provenance: expected names that are texts"),
        (r'{"provenance": {"a": "\ud800"}}', "not valid at provenance/a: expected Unicode text"),
        ('{"actions": {"mean": [' + "9" * 400 + ", 0]}}", "not valid at actions/mean/0: expected a finite number"),
        ('{"actions": {"mean": [.inf, 0]}}', "not valid at actions/mean/0: expected a finite number"),
    ],
)
def test_a_document_that_has_no_canonical_form_is_refused(folder: Path, text: str, message: str) -> None:
    (folder / "model.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match=message):
        open_model_folder(folder)
