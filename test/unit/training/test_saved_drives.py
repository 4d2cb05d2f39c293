"""Drives are made once, in parts, and never mixed with those of another driver."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from alpamayo_ros.errors import ArtifactError, ConfigurationError
from alpamayo_ros.training import saved_drives as module
from alpamayo_ros.training.saved_drives import saved_drives
from alpamayo_ros.world.campaign import DriveOutcome, DriveRequest
from alpamayo_ros.world.metrics import Collision, DriveMetrics

REQUESTS = [DriveRequest(f"curve:{seed}@held_out", "nano") for seed in range(7)]


def metrics_of(name: str) -> DriveMetrics:
    seed = int(name.split(":")[1].split("@")[0])
    collision = Collision(1.0, "v1", "vehicle", 3.0, 2.0) if seed == 3 else None
    return DriveMetrics(20.0, collision, 0.0, 100.0 + seed, None, 1.0, 2.0, 3.0, 0.5, float("inf"), 0, 0.0)


def ignore(*_: object) -> None:
    """Watch nothing."""


@pytest.fixture
def driven(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    parts: list[list[str]] = []

    def drive(requests: Sequence[DriveRequest], *, workers: int, progress: object) -> tuple[DriveOutcome, ...]:
        assert workers == 2
        assert callable(progress)
        names = [request.episode for request in requests]
        parts.append(names)
        if len(parts) == 2:
            raise KeyboardInterrupt
        return tuple(DriveOutcome(name, "curve", metrics_of(name), "sha256:0", {}) for name in names)

    monkeypatch.setattr(module, "DRIVES_OF_A_PART", 3)
    monkeypatch.setattr(module, "drive_all", drive)
    return parts


def test_what_was_driven_is_not_driven_again(driven: list[list[str]], tmp_path: Path) -> None:
    path, told = tmp_path / "drives.jsonl", []
    with pytest.raises(KeyboardInterrupt):
        saved_drives(path, "sha256:a", REQUESTS, 2, ignore)
    found = saved_drives(path, "sha256:a", REQUESTS, 2, lambda done, total: told.append((done, total)))
    assert found == [metrics_of(request.episode) for request in REQUESTS]
    assert told[0] == (3, 7)
    assert [len(part) for part in driven] == [3, 3, 3, 1]
    before = len(driven)
    assert saved_drives(path, "sha256:a", REQUESTS, 2, ignore) == found
    assert len(driven) == before


def test_drives_of_another_driver_are_refused(driven: list[list[str]], tmp_path: Path) -> None:
    path = tmp_path / "drives.jsonl"
    saved_drives(path, "sha256:a", REQUESTS[:2], 2, ignore)
    with pytest.raises(ConfigurationError, match="drives of sha256:a"):
        saved_drives(path, "sha256:b", REQUESTS[:2], 2, ignore)
    assert len(driven) == 1


@pytest.mark.parametrize("line", ["{", "[]", '{"drives": "sha256:a", "episode": "x", "metrics": {"duration_s": 1}}'])
def test_a_line_that_is_no_drive_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "drives.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(ArtifactError, match="line 1"):
        saved_drives(path, "sha256:a", REQUESTS, 2, ignore)
