"""A dataset manifest knows what is real, has one digest, and cannot be edited unseen."""

import json
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.errors import AlpamayoError, ConfigurationError, DigestMismatchError, OutputError
from alpamayo_ros.world.dataset import (
    DatasetEpisode,
    DatasetManifest,
    load_manifest,
    write_manifest,
)

DIGESTS = [f"sha256:{index:064x}" for index in range(4)]


def _episode(index: int = 0, kind: str = "simulation", **changes: Any) -> DatasetEpisode:
    values: dict[str, Any] = {
        "id": f"red_light:{index}", "kind": kind, "source": DIGESTS[index], "samples": 10 * (index + 1),
        "duration_s": 1.5, "tags": {"seed": str(index)},
    }  # fmt: skip
    return DatasetEpisode(**{**values, **changes})


def _mixed() -> DatasetManifest:
    episodes = (_episode(0), _episode(1, "fleet"), _episode(2, "human_demonstration", split="held_out"), _episode(3))
    return DatasetManifest("mixed", episodes)


def test_counts_and_ratio_are_by_kind_and_by_provenance() -> None:
    manifest = _mixed()
    assert manifest.counts["simulation"] == {"episodes": 2, "samples": 50, "duration_s": 3.0}
    assert manifest.counts["fleet"]["episodes"] == 1
    assert manifest.counts["real"] == {"episodes": 2, "samples": 50, "duration_s": 3.0}
    assert manifest.real_to_simulated == {"episodes": [2, 2], "samples": [50, 50], "duration_s": [3.0, 3.0]}


def test_a_data_set_without_episodes_counts_nothing() -> None:
    assert DatasetManifest("empty", ()).real_to_simulated == {
        "episodes": [0, 0],
        "samples": [0, 0],
        "duration_s": [0, 0],
    }


def test_the_digest_depends_on_what_is_in_it_and_not_on_its_order() -> None:
    manifest = _mixed()
    assert DatasetManifest("mixed", manifest.episodes[::-1]).digest == manifest.digest
    assert manifest.digest.startswith("sha256:")
    assert DatasetManifest("other", manifest.episodes).digest != manifest.digest
    assert DatasetManifest("mixed", manifest.episodes[:3]).digest != manifest.digest


def test_a_written_manifest_is_read_as_it_was(tmp_path: Path) -> None:
    write_manifest(tmp_path / "new" / "m.json", _mixed())
    read = load_manifest(tmp_path / "new" / "m.json")
    assert read.digest == _mixed().digest
    assert {episode.id: episode for episode in read.episodes} == {one.id: one for one in _mixed().episodes}


def test_the_same_manifest_is_the_same_bytes(tmp_path: Path) -> None:
    write_manifest(tmp_path / "a.json", _mixed())
    write_manifest(tmp_path / "b.json", DatasetManifest("mixed", _mixed().episodes[::-1]))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_an_existing_manifest_is_replaced_only_when_told(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    write_manifest(path, _mixed())
    with pytest.raises(OutputError, match="exists already"):
        write_manifest(path, DatasetManifest("other", ()))
    write_manifest(path, DatasetManifest("other", ()), force=True)
    assert load_manifest(path).name == "other"


@pytest.mark.parametrize("kind", ["fleet", "human_demonstration"])
@pytest.mark.parametrize(
    "tags",
    [
        {"provenance": "simulated"},
        {"provenance": "real", "generator": "x"},
        {"provenance": "Synthetic"},
        {"generator": "alpamayo_ros.world"},
        {"weather_model": "graded_effects"},
    ],
)
def test_what_is_real_cannot_carry_marks_of_a_generator(kind: str, tags: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="expected one of"):
        DatasetManifest("d", (_episode(0, kind, tags=tags),))
    with pytest.raises(ConfigurationError, match="expected one of"):
        DatasetManifest("d", (_episode(0, kind),), tags=tags)


@pytest.mark.parametrize("said", ["real", "REAL", "real, simulated", "fleet"])
def test_a_simulation_cannot_claim_to_be_real(said: str) -> None:
    with pytest.raises(ConfigurationError, match="expected one of"):
        DatasetManifest("d", (_episode(0, tags={"provenance": said}),))


def test_one_source_cannot_be_real_and_simulated_or_in_both_splits() -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        DatasetManifest("d", (_episode(0), _episode(1, "fleet", source=DIGESTS[0])))
    with pytest.raises(ConfigurationError, match="must not be trained on"):
        DatasetManifest("d", (_episode(0), _episode(1, source=DIGESTS[0], split="held_out")))
    with pytest.raises(ConfigurationError, match="stands twice"):
        DatasetManifest("d", (_episode(0), _episode(1, id="red_light:0")))


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "synthetic"}, {"kind": "real"}, {"split": "test"}, {"samples": -1}, {"samples": 1.5},
        {"samples": True}, {"duration_s": float("nan")}, {"duration_s": -1.0}, {"duration_s": float("inf")},
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="expected"):
        DatasetManifest("d", (_episode(0, **changes),))


def _edited(path: Path, **changes: Any) -> Path:
    write_manifest(path, _mixed(), force=True)
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, **changes}))
    return path


def test_an_edited_manifest_is_found(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    for changes in ({"name": "better"}, {"digest": DIGESTS[0]}, {"licence": "none"}, {"tags": {"provenance": "?"}}):
        with pytest.raises(DigestMismatchError):
            load_manifest(_edited(path, **changes))
    _edited(path)
    document = json.loads(path.read_text())
    document["counts"]["real"]["episodes"] = 40
    path.write_text(json.dumps(document))
    with pytest.raises(DigestMismatchError, match="counts"):
        load_manifest(path)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", "null", "{}", '{"schema": 1, "schema": 1}', "[" * 100_000, '{"episodes": NaN}', "\x00",
    ],
)  # fmt: skip
def test_a_hostile_file_gives_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(AlpamayoError):
        load_manifest(path)


def test_a_missing_file_gives_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_manifest(tmp_path / "none.json")


def test_a_folder_that_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be"):
        write_manifest(tmp_path / "file" / "m.json", _mixed())
