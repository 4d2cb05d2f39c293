"""Bags and episodes become rows of a manifest that know whether they are real."""

from dataclasses import replace
from pathlib import Path

import pytest

from alpamayo_ros.errors import BagNotFoundError, ConfigurationError
from alpamayo_ros.storage.digest import content_digest
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter
from alpamayo_ros.world.dataset import DatasetManifest
from alpamayo_ros.world.dataset_sources import bag_episode, spec_episode
from alpamayo_ros.world.scenarios import episode


def _bag(path: Path, tags: dict[str, str]) -> Path:
    with BagWriter(path, identity=BagIdentity("none", "none", tags=tags)) as writer:
        writer.add_topic("/text", "std_msgs/msg/String")
        for step in range(21):
            stamp_ns = 1_000_000_000 + 100_000_000 * step
            writer.write("/text", b"\x00\x01\x00\x00\x01\x00\x00\x00\x00", receive_ns=stamp_ns, publish_ns=stamp_ns)
    return path


def test_a_real_bag_needs_its_kind(tmp_path: Path) -> None:
    bag = _bag(tmp_path / "bag", {"provenance": "real"})
    with pytest.raises(ConfigurationError, match="expected --real-kind with one of: human_demonstration, fleet"):
        bag_episode(bag)
    with pytest.raises(ConfigurationError, match="is not known"):
        bag_episode(bag, real_kind="simulation")
    row = bag_episode(bag, real_kind="fleet")
    assert (row.kind, row.real, row.samples, row.duration_s) == ("fleet", True, 20, pytest.approx(2.0))
    with open_bag(bag) as reader:
        assert row.source == content_digest(reader)


def test_a_simulated_bag_is_a_simulation_whatever_real_bags_are(tmp_path: Path) -> None:
    tags = {"provenance": "simulated", "generator": "g", "episode": "curve:1@held_out", "split": "held_out"}
    row = bag_episode(_bag(tmp_path / "bag", tags), real_kind="fleet")
    assert (row.id, row.kind, row.split, row.real) == ("bag:curve:1@held_out", "simulation", "held_out", False)


def test_a_bag_that_says_nothing_or_both_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not say whether it is real"):
        bag_episode(_bag(tmp_path / "silent", {}), real_kind="fleet")
    with pytest.raises(ConfigurationError, match="expected"):
        bag_episode(_bag(tmp_path / "both", {"provenance": "real", "generator": "g"}), real_kind="fleet")
    with pytest.raises(BagNotFoundError):
        bag_episode(tmp_path / "none")


def test_episodes_have_one_source_each_that_depends_on_everything(tmp_path: Path) -> None:
    rows = [spec_episode(episode(name)) for name in ("curve:0", "curve:1", "curve:0@held_out")]
    assert len({row.source for row in rows}) == 3
    assert [row.split for row in rows] == ["train", "train", "held_out"]
    assert {row.kind for row in rows} == {"simulation"}
    assert spec_episode(replace(episode("curve:0"), duration_s=5.0)).source != rows[0].source
    assert spec_episode(episode("curve:0"), samples=7).samples == 7
    assert DatasetManifest("d", tuple(rows)).real_to_simulated["episodes"] == [0, 3]
