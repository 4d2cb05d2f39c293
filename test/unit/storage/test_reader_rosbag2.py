"""Bags that rosbag2 itself wrote: 0.32 (Kilted), and the writers of Humble (0.15) and Iron (0.22).

They stand in ``test/data/rosbag2.tar.xz`` with ``index.json``, which says how each was made and what is in it.
"""

import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.errors import BagCorruptError
from alpamayo_ros.storage.copying.copy import copy_bag
from alpamayo_ros.storage.copying.request import CopyRequest
from alpamayo_ros.storage.digest import content_digest
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.recovery.recover import recover_bag
from alpamayo_ros.storage.verification.verify import verify_bag

ARCHIVE = Path(__file__).parents[2] / "data" / "rosbag2.tar.xz"
UNCLOSED = ("killed_mcap_split", "killed_mcap_file_zstd_split", "killed_mcap_message_zstd", "mcap_nosummary")
"""Those without an index in one of their files."""


def read_index() -> dict[str, Any]:
    with tarfile.open(ARCHIVE) as archive:
        file = archive.extractfile("index.json")
        assert file is not None
        index: dict[str, Any] = json.load(file)
    return index


INDEX = read_index()
SOUND = sorted(set(INDEX) - set(UNCLOSED))


@pytest.fixture(scope="module")
def bags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of all bags."""
    folder = tmp_path_factory.mktemp("rosbag2")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


def counts(path: Path) -> dict[str, int]:
    with open_bag(path) as reader:
        found = Counter(message.topic for message in reader.messages())
        return {name: found[name] for name in reader.topics}


@pytest.mark.parametrize("name", SOUND)
def test_every_message_is_read_and_nothing_is_wrong(bags: Path, name: str) -> None:
    assert counts(bags / name) == INDEX[name]["counts"]
    failed = {check.name for check in verify_bag(bags / name).failed}
    assert failed == ({"metadata"} if name.startswith("nometa") else set())


def test_the_releases_wrote_the_same_content_in_their_own_forms(bags: Path) -> None:
    names = ("humble_mcap", "iron_mcap", "iron_sqlite3", "humble_sqlite3")
    digests, versions = [], []
    for name in names:
        with open_bag(bags / name) as reader:
            digests.append(content_digest(reader))
            versions.append(reader.metadata_version)
            assert reader.topics["/talk/latched"].offered_qos[0].durability == "transient_local"
            assert reader.topics["/talk/imu"].offered_qos[0].reliability in ("best_effort", "reliable")
    assert versions == [5, 7, 7, 5]
    # A sqlite3 bag of Humble neither defines nor hashes its types, so that its digest cannot name them.
    assert digests[0] == digests[1] == digests[2] != digests[3]


@pytest.mark.parametrize("name", UNCLOSED)
def test_a_bag_without_index_is_refused_and_recovered(bags: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(BagCorruptError, match="alpamayo bag recover"):
        open_bag(bags / name)
    recover_bag(bags / name, tmp_path / "saved")
    assert not verify_bag(tmp_path / "saved").failed
    saved = {topic: count for topic, count in counts(tmp_path / "saved").items() if count}
    known = INDEX[name]["counts"] or INDEX[name].get("counts_after_reindex")
    if known is None:
        assert sum(saved.values()) > 50
    else:
        assert saved == {topic: count for topic, count in known.items() if count}


@pytest.mark.parametrize("ros_distro", ["humble", "iron", "kilted"])
@pytest.mark.parametrize("name", ["sqlite3_message_zstd", "mcap_file_zstd_split", "mcap_unknown_type", "iron_mcap"])
def test_a_copy_for_any_release_has_the_same_content(bags: Path, tmp_path: Path, name: str, ros_distro: str) -> None:
    summary = copy_bag(CopyRequest("convert", (bags / name,), tmp_path / "copy", ros_distro=ros_distro))
    assert summary.changed_by == ()
    assert counts(tmp_path / "copy") == INDEX[name]["counts"]
    assert not verify_bag(tmp_path / "copy").failed
