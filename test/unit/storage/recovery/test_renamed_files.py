"""A file of a bag under another name is taken by its content; what is of another bag is named, not taken."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from alpamayo_ros.errors import BagCorruptError
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.mcap_files.facts import ChunkHead
from alpamayo_ros.storage.mcap_files.scan import scan_mcap
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.recovery.recover import recover_bag
from alpamayo_ros.storage.verification.verify import verify_bag

CDR = b"\0\1\0\0"
ROWS = [
    ("/odom" if number % 3 else "/imu", 1000 + number, CDR + b"\0\0\0\0\0\0\0\0payload %d" % number)
    for number in range(200)
]
Rows = list[tuple[str, int, bytes]]


@pytest.fixture
def bag(make_bag: Callable[..., Path], identity: BagIdentity) -> Path:
    """A bag of some splits."""
    path = make_bag("bag", ROWS, chunk_size=600, identity=identity, max_file_bytes=2000, compression="none")
    assert len(list(path.glob("*.mcap"))) > 3
    return path


def recovered(path: Path) -> tuple[Rows, tuple[str, ...], bool]:
    """Recover a bag; return its messages, what was said, and whether it is whole."""
    destination = path.parent / "out"
    result = recover_bag(path, destination)
    with open_bag(destination) as reader:
        rows = [(message.topic, message.receive_ns, message.payload) for message in reader.messages()]
    assert {check.name for check in verify_bag(destination).failed} <= {"identity"}
    shutil.rmtree(destination)
    return rows, result.notes, result.is_whole


def test_renamed_files_are_taken_in_the_place_of_the_missing_ones(bag: Path) -> None:
    (bag / "bag_1.mcap").rename(bag / "part one.mcap")
    (bag / "bag_2.mcap").rename(bag / "a_part.mcap")
    report = verify_bag(bag)
    assert report.is_recoverable
    rows, notes, is_whole = recovered(bag)
    assert (rows, is_whole) == (ROWS, True)
    assert "file bag_1.mcap is missing; part one.mcap is taken for it by its content" in notes
    assert "file bag_2.mcap is missing; a_part.mcap is taken for it by its content" in notes


def test_the_only_file_may_be_renamed(make_bag: Callable[..., Path]) -> None:
    path = make_bag("single", ROWS)
    (path / "single_0.mcap").rename(path / "renamed.mcap")
    rows, _, is_whole = recovered(path)
    assert (rows, is_whole) == (ROWS, True)
    (path / "renamed.mcap").write_bytes(bytes(1000))
    with pytest.raises(BagCorruptError, match=r"renamed\.mcap is passed over.*no readable message"):
        recovered(path)


def test_a_renamed_file_that_is_cut_gives_what_is_left(bag: Path) -> None:
    file = bag / "bag_1.mcap"
    with open_bag(file) as reader:
        count = reader.message_count
    with file.open("rb") as opened:
        chunks = [item.offset for item in scan_mcap(file, opened) if isinstance(item.content, ChunkHead)]
    data = file.read_bytes()
    file.unlink()
    (bag / "half.mcap").write_bytes(data[: chunks[-1] + 100])
    rows, notes, is_whole = recovered(bag)
    assert len(ROWS) - count < len(rows) < len(ROWS)
    assert not is_whole
    assert any("half.mcap is taken for it" in note for note in notes)


def test_files_without_stated_times_are_taken_where_no_other_file_is(bag: Path) -> None:
    metadata = bag / "metadata.yaml"
    text = metadata.read_text()
    assert "path: bag_1.mcap" in text
    metadata.write_text(text.replace("path: bag_1.mcap", "path: gone.mcap"))
    (bag / "bag_1.mcap").rename(bag / "other.mcap")
    rows, notes, _ = recovered(bag)
    assert rows == ROWS, notes
    metadata.write_text("damaged")
    rows, notes, _ = recovered(bag)
    assert rows == ROWS, notes


def test_copies_and_files_of_other_bags_are_named_and_not_taken(
    bag: Path, make_bag: Callable[..., Path], identity: BagIdentity
) -> None:
    (bag / "bag_1.mcap").rename(bag / "moved.mcap")
    shutil.copyfile(bag / "bag_0.mcap", bag / "copy.mcap")
    stranger = replace(identity, lineage_id="sha256:" + "0" * 64, manifest="")
    within = [row for row in ROWS if row[1] == 1040]
    for name, rows, names in (
        ("lineage", within, stranger),
        ("later", [("/odom", 10**6, CDR)], identity),
    ):
        other = make_bag(name, rows, identity=names)
        shutil.copyfile(other / f"{name}_0.mcap", bag / f"{name}.mcap")
    (bag / "zeros.mcap").write_bytes(bytes(100))
    rows, notes, is_whole = recovered(bag)
    assert (rows, is_whole) == (ROWS, True)
    for name in ("copy", "lineage", "later", "zeros"):
        assert any(note.startswith(f"file {name}.mcap is passed over") for note in notes), name
        assert any(f"run 'alpamayo bag recover {bag / name}.mcap'" in note for note in notes), name


def test_nothing_of_another_name_is_taken_where_nothing_is_missing(bag: Path, make_bag: Callable[..., Path]) -> None:
    other = make_bag("other", [("/odom", 5000, CDR)])
    shutil.copyfile(other / "other_0.mcap", bag / "extra.mcap")
    assert not verify_bag(bag).is_recoverable
    rows, notes, _ = recovered(bag)
    assert rows == ROWS
    assert any("extra.mcap is passed over" in note and "every file of this one is there" in note for note in notes)


def test_a_file_of_a_bag_that_was_being_recorded_may_have_another_name(bag: Path) -> None:
    metadata = bag / "metadata.yaml"
    last = max(bag.glob("*.mcap"), key=lambda file: int(file.stem.removeprefix("bag_")))
    text = metadata.read_text().replace("state: closed", "state: recording").replace(f"- {last.name}\n", "")
    assert "recording" in text
    metadata.write_text(text)
    last.rename(bag / "last.mcap")
    assert recovered(bag)[0] == ROWS
