"""Episodes are rendered as pictures by step and as a video, the same bytes each time, or nothing is left."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from alpamayo_ros.errors import BagWriteError, ConfigurationError, OutputError
from alpamayo_ros.world.bag import BagPlan
from alpamayo_ros.world.episode import EpisodeRecord, drive_expert
from alpamayo_ros.world.pictures import render_episode
from alpamayo_ros.world.scenarios import episode
from alpamayo_ros.world.sensor_faults import SensorFault

FRONT, LEFT = "camera_front_wide_120fov", "camera_cross_left_120fov"
PLAN = BagPlan(cameras=(FRONT, LEFT), size=(161, 95), from_s=1.0, to_s=1.5)


@pytest.fixture(scope="module")
def record() -> EpisodeRecord:
    return drive_expert(episode("lane_keeping:2"))


def test_pictures_are_named_by_camera_and_step_and_the_same_twice(record: EpisodeRecord, tmp_path: Path) -> None:
    for name in ("a", "b"):
        summary = render_episode(record, PLAN, folder=tmp_path / name)
        assert summary.pictures == {FRONT: 6, LEFT: 6}
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.jpg"))
    assert [str(path) for path in files] == [
        f"{name}/{step:05d}.jpg" for name in (LEFT, FRONT) for step in range(10, 16)
    ]
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert cv2.imread(str(tmp_path / "a" / files[0])).shape == (95, 161, 3)


def test_a_video_has_every_step_and_ends_in_its_place(record: EpisodeRecord, tmp_path: Path) -> None:
    summary = render_episode(record, PLAN, video=tmp_path / "new" / "film.mp4")
    assert summary.video_frames == 6
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["film.mp4"]
    reader = cv2.VideoCapture(str(tmp_path / "new" / "film.mp4"))
    frames = []
    while (read := reader.read())[0]:
        frames.append(read[1])
    assert len(frames) == 6
    assert frames[0].shape == (140, 326, 3)
    assert np.std(frames[0]) > 10.0


def test_a_camera_that_delivers_nothing_leaves_no_picture(record: EpisodeRecord, tmp_path: Path) -> None:
    fault = SensorFault("dropped", FRONT, 1.2, 1.4)
    faulty = replace(record, spec=replace(record.spec, faults=(fault,)))
    summary = render_episode(faulty, PLAN, folder=tmp_path / "a", video=tmp_path / "film.mp4")
    assert summary.pictures == {FRONT: 4, LEFT: 6}
    assert summary.video_frames == 6


def test_outputs_that_cannot_be_are_refused_before_anything_is_drawn(record: EpisodeRecord, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing to render into"):
        render_episode(record, PLAN)
    with pytest.raises(OutputError, match=r"expected \.mp4"):
        render_episode(record, PLAN, video=tmp_path / "film.avi")
    (tmp_path / "file").write_text("")
    for arguments in ({"folder": tmp_path}, {"video": tmp_path / "film.mp4", "folder": tmp_path / "file"}):
        with pytest.raises(OutputError, match="exists already"):
            render_episode(record, PLAN, **arguments)
    with pytest.raises(OutputError, match="expected a writable folder"):
        render_episode(record, PLAN, video=tmp_path / "file" / "film.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_interrupted_video_leaves_nothing(record: EpisodeRecord, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_episode(record, PLAN, video=tmp_path / "film.mp4", progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_video_that_is_not_whole_is_an_error(record: EpisodeRecord, tmp_path: Path) -> None:
    def cut(done: int, total: int) -> None:
        if done == total:
            next(tmp_path.iterdir()).unlink()

    with pytest.raises(BagWriteError, match="expected a sound disk"):
        render_episode(record, PLAN, video=tmp_path / "film.mp4", progress=cut)
    assert list(tmp_path.iterdir()) == []
