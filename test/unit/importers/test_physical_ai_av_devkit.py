"""Opening the data set: which copy is read, that a copy is read offline, and what is said without the devkit."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.importers.physical_ai_av_devkit import LOCAL_COPY, open_dataset

FOLDER = "datasets--nvidia--PhysicalAI-Autonomous-Vehicles"
COMMIT, OTHER_COMMIT = "a" * 40, "b" * 40


class Opened:
    """What the devkit is given, and what it could see at that moment."""

    def __init__(self, constants, revision=None, cache_dir=None, token=None):
        self.revision, self.token = revision, token
        self.was_offline = constants.HF_HUB_OFFLINE
        self.features = None
        if cache_dir is not None:
            self.features = Path(cache_dir, FOLDER, "snapshots", revision, "features.csv").read_text()


@pytest.fixture
def constants(monkeypatch):
    """Put a devkit of the real one's interface where it is imported from."""
    constants = SimpleNamespace(HF_HUB_OFFLINE=False)
    package = SimpleNamespace(PhysicalAIAVDatasetInterface=lambda **options: Opened(constants, **options))
    monkeypatch.setitem(sys.modules, "physical_ai_av", package)
    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(constants=constants))
    monkeypatch.setitem(sys.modules, "huggingface_hub.constants", constants)
    return constants


def snapshot(cache, commit, text="in the cache"):
    folder = cache / FOLDER / "snapshots" / commit
    folder.mkdir(parents=True)
    (folder / "features.csv").write_text(text)
    return folder


def test_a_plain_folder_is_read_offline_through_a_cache_that_goes_again(constants, tmp_path):
    (tmp_path / "features.csv").write_text("plain")
    with open_dataset(tmp_path) as dataset:
        assert dataset.devkit.features == "plain"
        assert dataset.devkit.was_offline
        assert (dataset.streaming, dataset.revision, dataset.devkit.token) == (False, LOCAL_COPY, False)
        assert constants.HF_HUB_OFFLINE
    assert not constants.HF_HUB_OFFLINE
    assert [entry.name for entry in tmp_path.iterdir()] == ["features.csv"]


@pytest.mark.usefixtures("constants")
def test_a_relative_folder_is_read_too(tmp_path, monkeypatch):
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "features.csv").write_text("plain")
    monkeypatch.chdir(tmp_path)
    with open_dataset(Path("copy")) as dataset:
        assert dataset.devkit.features == "plain"


@pytest.mark.usefixtures("constants")
def test_a_folder_that_is_named_after_its_commit_keeps_it(tmp_path):
    folder = snapshot(tmp_path, COMMIT)
    with open_dataset(folder) as dataset:
        assert dataset.revision == COMMIT


@pytest.mark.usefixtures("constants")
def test_a_cache_gives_its_only_snapshot_its_main_one_or_the_asked_one(tmp_path):
    snapshot(tmp_path, COMMIT, "first")
    with open_dataset(tmp_path) as dataset:
        assert (dataset.revision, dataset.devkit.features) == (COMMIT, "first")
    snapshot(tmp_path, OTHER_COMMIT, "second")
    with pytest.raises(ConfigurationError, match=f"expected one of its snapshots: {COMMIT}, {OTHER_COMMIT}"):
        open_dataset(tmp_path).__enter__()
    with open_dataset(tmp_path, COMMIT) as dataset:
        assert dataset.devkit.features == "first"
    (tmp_path / FOLDER / "refs").mkdir()
    (tmp_path / FOLDER / "refs" / "main").write_text(OTHER_COMMIT)
    with open_dataset(tmp_path) as dataset:
        assert dataset.devkit.features == "second"
    with pytest.raises(ConfigurationError, match="has no snapshot main"):
        open_dataset(tmp_path, "main").__enter__()


@pytest.mark.usefixtures("constants")
@pytest.mark.parametrize("place", ["absent", "file", "empty"])
def test_a_root_that_is_no_copy_is_refused(tmp_path, place):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="is not a copy of PhysicalAI-Autonomous-Vehicles"):
        open_dataset(tmp_path / place).__enter__()


@pytest.mark.usefixtures("constants")
@pytest.mark.parametrize("revision", ["main", "../" * 13 + "x", "A" * 40])
def test_a_revision_of_a_plain_folder_is_a_commit(tmp_path, revision):
    (tmp_path / "features.csv").write_text("plain")
    with pytest.raises(ConfigurationError, match="expected 40 hexadecimal digits"):
        open_dataset(tmp_path, revision).__enter__()


def test_without_a_root_the_devkit_uses_its_own_cache_and_the_network(constants):
    with open_dataset(revision="main") as dataset:
        assert (dataset.streaming, dataset.revision) == (True, "main")
        assert not dataset.devkit.was_offline
    assert not constants.HF_HUB_OFFLINE


@pytest.mark.parametrize("error", [OSError("no route\nto host"), ValueError(""), KeyError("chunk")])
def test_a_data_set_that_cannot_be_opened_is_one_sentence_and_the_network_is_back(
    constants, tmp_path, monkeypatch, error
):
    def refuse(**_):
        raise error

    monkeypatch.setattr(sys.modules["physical_ai_av"], "PhysicalAIAVDatasetInterface", refuse)
    (tmp_path / "features.csv").write_text("plain")
    for root in (None, tmp_path):
        with pytest.raises(ConfigurationError, match="cannot be opened") as caught:
            open_dataset(root).__enter__()
        assert "\n" not in str(caught.value)
        assert type(error).__name__ in str(caught.value)
    assert not constants.HF_HUB_OFFLINE


@pytest.mark.parametrize("missing", ["physical_ai_av", "huggingface_hub.constants"])
@pytest.mark.usefixtures("constants")
def test_without_the_devkit_the_way_to_install_it_is_named(monkeypatch, missing, tmp_path):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigurationError, match="pip install physical_ai_av") as caught:
        open_dataset(tmp_path).__enter__()
    assert caught.value.exit_code == 2
