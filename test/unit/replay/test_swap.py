"""Whatever interrupts a swap, one of the two folders is whole in its place."""

from pathlib import Path

import pytest

from alpamayo_ros.replay.swap import put_in_place


def folders(tmp_path: Path) -> tuple[Path, Path]:
    part, target = tmp_path / ".out.part", tmp_path / "out"
    for folder, text in ((part, "new"), (target, "old")):
        folder.mkdir()
        (folder / "result.json").write_text(text)
        (folder / "report.html").write_text(text)
    return part, target


def test_the_new_folder_takes_the_place_and_nothing_else_is_left(tmp_path: Path) -> None:
    part, target = folders(tmp_path)
    put_in_place(part, target)
    assert (target / "result.json").read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_target_that_is_not_there_is_made(tmp_path: Path) -> None:
    part, target = folders(tmp_path)
    target.rename(tmp_path / "elsewhere")
    put_in_place(part, target)
    assert (target / "result.json").read_text() == "new"


@pytest.mark.parametrize("call", [1, 2])
def test_an_interrupt_between_the_renames_brings_the_earlier_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    part, target = folders(tmp_path)
    rename, calls = Path.rename, iter(range(1, 10))

    def interrupted(self: Path, other: Path) -> Path:
        if next(calls) == call:
            raise KeyboardInterrupt
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        put_in_place(part, target)
    assert (target / "result.json").read_text() == "old"
    assert (target / "report.html").read_text() == "old"


def test_an_interrupt_while_the_earlier_folder_is_deleted_leaves_the_new_one_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, target = folders(tmp_path)
    (tmp_path / ".out.old").mkdir()
    calls = iter(range(10))

    def interrupted(path: Path, **_: object) -> None:
        if next(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("alpamayo_ros.replay.swap.shutil.rmtree", interrupted)
    (tmp_path / ".out.old").rmdir()
    with pytest.raises(KeyboardInterrupt):
        put_in_place(part, target)
    assert (target / "result.json").read_text() == "new"
    assert (target / "report.html").read_text() == "new"
