"""A file is what its digest says, or it is not read."""

import os
from pathlib import Path

import pytest

from alpamayo_ros.errors import ArtifactError, DigestMismatchError
from alpamayo_ros.inference import verified_file
from alpamayo_ros.inference.verified_file import read_verified
from alpamayo_ros.lineage.canonical import bytes_id


def test_the_bytes_of_the_digest_are_returned(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    assert read_verified(tmp_path / "a", bytes_id(b"a"), "model") == b"a"


def test_other_bytes_a_missing_file_and_a_huge_one_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"ab")
    with pytest.raises(DigestMismatchError, match=r"model .*a has the digest sha256:"):
        read_verified(tmp_path / "a", bytes_id(b"a"), "model")
    with pytest.raises(ArtifactError, match=r"model .*b cannot be read: No such file or directory; expected a file"):
        read_verified(tmp_path / "b", bytes_id(b"a"), "model")
    monkeypatch.setattr(verified_file, "MAX_FILE_BYTES", 1)
    with pytest.raises(ArtifactError, match="is larger than 1 bytes"):
        read_verified(tmp_path / "a", bytes_id(b"ab"), "model")


def test_what_has_no_end_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ArtifactError, match="is no regular file; expected a file"):
            read_verified(path, bytes_id(b""), "model")
