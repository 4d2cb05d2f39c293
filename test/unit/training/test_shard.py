"""Shards keep samples as they were, and refuse what does not belong together."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from alpamayo_ros.errors import ArtifactError
from alpamayo_ros.training.shard import PICTURES, Shard, join_shards, read_shard, write_shard

MakeShard = Callable[..., Shard]


def assert_equal(one: Shard, other: Shard) -> None:
    for field in fields(Shard):
        assert np.array_equal(getattr(one, field.name), getattr(other, field.name)), field.name
        assert getattr(one, field.name).dtype == getattr(other, field.name).dtype, field.name


def test_a_shard_comes_back_as_it_was_written(make_shard: MakeShard, tmp_path: Path) -> None:
    shard = make_shard(5)
    write_shard(tmp_path / "a.npz", shard)
    assert_equal(read_shard(tmp_path / "a.npz"), shard)


def test_the_same_samples_give_the_same_bytes(make_shard: MakeShard, tmp_path: Path) -> None:
    digests = {write_shard(tmp_path / name, make_shard(5)) for name in ("a.npz", "b.npz")}
    assert len(digests) == 1
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_joined_shards_keep_each_sample(make_shard: MakeShard) -> None:
    parts = [make_shard(3, 1), make_shard(4, 2), make_shard(1, 3)]
    joined = join_shards(parts)
    assert len(joined) == 8
    place = 0
    for number, part in enumerate(parts):
        for sample in range(len(part)):
            assert np.array_equal(joined.boxes_of(place), part.boxes_of(sample))
            for ours, theirs in zip(joined.jpegs(place), part.jpegs(sample), strict=True):
                assert np.array_equal(ours, theirs)
            assert joined.episodes[joined.episode[place]] == f"curve:{number + 1}"
            place += 1


def test_every_picture_of_a_sample_is_its_own(make_shard: MakeShard) -> None:
    shard = make_shard(2)
    jpegs = [jpeg for sample in range(2) for jpeg in shard.jpegs(sample)]
    assert len(jpegs) == 2 * PICTURES
    assert np.array_equal(np.concatenate(jpegs), shard.pictures)


def test_nothing_to_join_is_an_error() -> None:
    with pytest.raises(ArtifactError, match="there is no shard"):
        join_shards([])


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("history", np.zeros((5, 15, 4), np.float32), "history has the shape"),
        ("tokens", np.zeros((4, 40), np.int16), "tokens has the shape"),
        ("boxes", np.zeros((0, 6), np.float32), "boxes has the shape"),
        ("pictures", np.zeros(3, np.uint8), "end elsewhere"),
        ("actions", np.full((5, 64, 2), np.nan, np.float32), "no finite number"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(
    make_shard: MakeShard, name: str, value: object, wrong: str
) -> None:
    with pytest.raises(ArtifactError, match=wrong):
        make_shard(5, **{name: value})


@pytest.mark.parametrize("length", [0, 10, 3000, -1])
def test_a_damaged_file_is_an_artifact_error(make_shard: MakeShard, tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.npz"
    write_shard(path, make_shard(5))
    data = path.read_bytes()
    path.write_bytes(data[:length] if length >= 0 else b"PK" + data[7:])
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_shard(path)


def test_a_file_of_something_else_is_an_artifact_error(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_shard(tmp_path / "a.npz")
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_shard(tmp_path / "missing.npz")
