"""Settings beside a bag go along with it; what does not is named."""

from pathlib import Path

import pytest

from alpamayo_ros.storage.companions import MAX_COMPANION_BYTES, Companion, joined_companions


def folder(path: Path, **files: bytes) -> Path:
    path.mkdir()
    for name in ("metadata.yaml", "identity.json", f"{path.name}_0.mcap", "b_0.db3.zstd", ".hidden.yaml"):
        (path / name).write_bytes(b"part of the bag")
    for name, data in files.items():
        (path / name.replace("__", ".")).write_bytes(data)
    return path


def test_settings_go_along_and_the_bag_itself_is_no_companion(tmp_path: Path) -> None:
    bag = folder(tmp_path / "a", calibration__yaml=b"x: 1", topics__yml=b"y: 2")
    assert joined_companions([bag]) == ((Companion("calibration.yaml", b"x: 1"), Companion("topics.yml", b"y: 2")), ())


def test_anything_else_stays_behind_and_is_named(tmp_path: Path) -> None:
    large = b" " * (MAX_COMPANION_BYTES + 1)
    bag = folder(tmp_path / "a", large__yaml=large, notes__txt=b"hello")
    (bag / "link.yaml").symlink_to("/etc/passwd")
    (bag / "folder.yaml").mkdir()
    kept, warnings = joined_companions([bag])
    assert kept == ()
    assert "left behind: folder.yaml, large.yaml, link.yaml, notes.txt;" in warnings[0]


def test_settings_that_differ_stay_behind(tmp_path: Path) -> None:
    one = folder(tmp_path / "a", calibration__yaml=b"1", topics__yaml=b"same")
    two = folder(tmp_path / "b", calibration__yaml=b"2", topics__yaml=b"same")
    kept, warnings = joined_companions([one, two])
    assert [companion.name for companion in kept] == ["topics.yaml"]
    assert "calibration.yaml" in warnings[0]


def test_a_bare_file_has_none(tmp_path: Path) -> None:
    assert joined_companions([folder(tmp_path / "a") / "a_0.mcap"]) == ((), ())


@pytest.mark.parametrize(
    "text",
    [
        b"image: /camera/front/image\n",
        b"{image: '/camera/front/image'}",
        b'- ["/camera/front/image", x]',
        b"\xff /camera/front/image",
    ],
)
def test_a_topics_file_that_names_what_the_copy_lacks_stays_behind(tmp_path: Path, text: bytes) -> None:
    bag = folder(tmp_path / "a", topics__yaml=text, calibration__yaml=b"frame: /camera/front/image")
    kept, warnings = joined_companions([bag], ["/odom", "/camera/front/image"])
    assert [companion.name for companion in kept] == ["calibration.yaml"]
    assert warnings == ("left behind: topics.yaml; it names topics that the copy lacks (/camera/front/image)",)


@pytest.mark.parametrize("dropped", [(), ("/odom",), ("/camera/front",), ("/camera/front/image/x", "image")])
def test_a_topics_file_whose_topics_are_all_there_goes_along(tmp_path: Path, dropped: tuple[str, ...]) -> None:
    bag = folder(tmp_path / "a", topics__yaml=b"picture: /camera/front/image\n")
    kept, warnings = joined_companions([bag], dropped)
    assert ([companion.name for companion in kept], warnings) == (["topics.yaml"], ())
