"""Decoding of video files, made here by OpenCV, and damaged."""

import itertools
import math
import os

import cv2
import numpy as np
import pytest

from alpamayo_ros.errors import ArtifactError, ConfigurationError
from alpamayo_ros.importers import video_file
from alpamayo_ros.importers.video_file import read_pictures, survey_video

FRAMES, FPS, WIDTH, HEIGHT = 12, 25.0, 64, 48
PERIOD_NS = 40_000_000


def grey(index):
    return 20 * index


def make_video(path, *, code="mp4v", fps=FPS, frames=FRAMES, size=(WIDTH, HEIGHT)):
    """Write a video whose frames are grey, each lighter than the one before."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), fps, size)
    assert writer.isOpened()
    for index in range(frames):
        writer.write(np.full((size[1], size[0], 3), grey(index), dtype=np.uint8))
    writer.release()
    return path


@pytest.fixture
def video(tmp_path):
    return make_video(tmp_path / "drive.mp4")


@pytest.mark.parametrize(("suffix", "code"), [("mp4", "mp4v"), ("avi", "MJPG"), ("mkv", "mp4v"), ("ts", "MPG2")])
def test_times_are_those_of_the_container(tmp_path, suffix, code):
    survey = survey_video(make_video(tmp_path / f"drive.{suffix}", code=code))
    assert list(survey.times_ns) == pytest.approx([index * PERIOD_NS for index in range(FRAMES)], abs=1000)
    assert (survey.size.width, survey.size.height) == (WIDTH, HEIGHT)
    assert (survey.declared_frames, survey.missing_frames, survey.fps, survey.rotation_deg) == (FRAMES, 0, None, 0)


def test_pictures_are_decoded_in_order(video):
    pictures = [round(picture.mean()) for picture in read_pictures(survey_video(video))]
    assert pictures == pytest.approx([grey(index) for index in range(FRAMES)], abs=4)


def test_a_single_frame_is_a_video(tmp_path):
    survey = survey_video(make_video(tmp_path / "one.mp4", frames=1))
    assert list(survey.times_ns) == [0]
    assert len(list(read_pictures(survey))) == 1


def test_a_cut_video_says_how_many_frames_are_missing(tmp_path):
    whole = make_video(tmp_path / "whole.avi", code="MJPG").read_bytes()
    cut = tmp_path / "cut.avi"
    # The index at the end is gone, and half of the frames.
    cut.write_bytes(whole[: whole.index(b"movi") + (len(whole) - whole.index(b"movi")) // 2])
    survey = survey_video(cut)
    assert 0 < len(survey.times_ns) < FRAMES
    assert survey.missing_frames == FRAMES - len(survey.times_ns)
    assert len(list(read_pictures(survey))) == len(survey.times_ns)


@pytest.mark.parametrize("kind", ["absent", "folder", "dangling link", "pipe", "empty", "text", "index cut off"])
def test_what_is_no_video_is_refused(tmp_path, kind):
    path = tmp_path / "source.mp4"
    if kind == "folder":
        path.mkdir()
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("not a video\n" * 1000)
    elif kind == "index cut off":
        path.write_bytes(make_video(tmp_path / "whole.mp4").read_bytes()[:-200])
    with pytest.raises(ConfigurationError, match="expected a video file") as caught:
        survey_video(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.mp4", "ffconcat version 1.0\nfile drive.ts\n"),
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ndrive.ts\n#EXT-X-ENDLIST\n"),
    ],
)
def test_a_list_of_other_files_is_refused(tmp_path, name, text):
    make_video(tmp_path / "drive.ts", code="MPG2")
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError, match="is a list of other files"):
        survey_video(tmp_path / name)


def test_a_name_that_looks_like_an_address_or_a_pattern_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("concat:a.mp4", "frame%02d.mp4", "-i.mp4", "ä b.mp4"):
        (tmp_path / name).write_bytes(make_video(tmp_path / "plain.mp4").read_bytes())
        assert len(survey_video((tmp_path / name).relative_to(tmp_path)).times_ns) == FRAMES


def test_a_name_that_is_no_text_is_refused_because_opencv_would_crash(tmp_path):
    path = tmp_path / os.fsdecode(b"\xff.mp4")
    path.write_bytes(make_video(tmp_path / "plain.mp4").read_bytes())
    with pytest.raises(ConfigurationError, match="name that is not UTF-8"):
        survey_video(path)


@pytest.mark.parametrize("suffix", ["mjpeg", "m2v"])
def test_a_bare_stream_has_no_times_and_takes_frames_per_second(tmp_path, suffix):
    path = make_video(tmp_path / f"bare.{suffix}", code={"mjpeg": "MJPG", "m2v": "MPG2"}[suffix])
    with pytest.raises(ArtifactError, match="no usable frame times: it is a bare stream"):
        survey_video(path)
    survey = survey_video(path, fps=12.5)
    assert list(survey.times_ns) == [2 * index * PERIOD_NS for index in range(FRAMES)]
    assert survey.fps == 12.5
    assert survey.declared_frames is None


def test_a_still_picture_has_no_times(tmp_path):
    cv2.imwrite(str(tmp_path / "still.png"), np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8))
    with pytest.raises(ArtifactError, match="no usable frame times"):
        survey_video(tmp_path / "still.png")


def test_frames_per_second_are_refused_where_the_container_has_times(video):
    with pytest.raises(ConfigurationError, match="has times of its own, and 25 frames per second"):
        survey_video(video, fps=25.0)


@pytest.mark.parametrize("fps", [0.0, -1.0, math.nan, math.inf, 1e9])
def test_frames_per_second_out_of_range_are_refused(video, fps):
    with pytest.raises(ConfigurationError, match="expected more than 0, at most 1000"):
        survey_video(video, fps=fps)


class Capture:
    """Stands in for OpenCV's capture where no encoder makes such a file."""

    def __init__(self, times_ms, size=(WIDTH, HEIGHT), pictures=None):
        self.times_ms, self.size, self.index = times_ms, size, -1
        self.pictures = pictures
        self.released = False

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return True

    def grab(self):
        self.index += 1
        return self.index < len(self.times_ms)

    def read(self):
        self.index += 1
        if self.index >= len(self.pictures):
            return False, None
        return True, self.pictures[self.index]

    def get(self, key):
        return {
            cv2.CAP_PROP_FRAME_COUNT: float(len(self.times_ms)),
            cv2.CAP_PROP_FRAME_WIDTH: float(self.size[0]),
            cv2.CAP_PROP_FRAME_HEIGHT: float(self.size[1]),
            cv2.CAP_PROP_POS_MSEC: self.times_ms[self.index] if 0 <= self.index < len(self.times_ms) else 0.0,
        }.get(key, 0.0)

    def release(self):
        self.released = True


@pytest.fixture
def capture(monkeypatch):
    """Let the next captures be those of the list that is returned."""
    captures = []
    waiting = itertools.count()
    monkeypatch.setattr(video_file.cv2, "VideoCapture", lambda *_: captures[next(waiting)])
    return captures


@pytest.mark.parametrize(
    ("times_ms", "said"),
    [
        ([0.0, 40.0, 40.0], "frame 2 has time 40.000 ms after 40.000 ms"),
        ([0.0, 80.0, 40.0], "frame 2 has time 40.000 ms after 80.000 ms"),
        ([0.0, 40.0, 0.0], "frame 2 has time 0.000 ms after 40.000 ms"),
        ([math.nan, 40.0], "frame 0 has time nan ms"),
        ([0.0, math.inf], "frame 1 has time inf ms"),
        ([0.0, 1e300], "frame 1 has time 1e\\+300 ms"),
        ([0.0, 0.0], "frame 1 has time 0.000 ms after 0.000 ms"),
    ],
)
def test_times_that_do_not_rise_are_refused_and_can_be_replaced(video, capture, times_ms, said):
    capture += [Capture(times_ms), Capture(times_ms)]
    with pytest.raises(ArtifactError, match=said):
        survey_video(video)
    assert capture[0].released
    assert list(survey_video(video, fps=25.0).times_ns) == [index * PERIOD_NS for index in range(len(times_ms))]


def test_a_video_without_frames_is_refused(video, capture):
    capture.append(Capture([]))
    with pytest.raises(ArtifactError, match="no frame that can be decoded"):
        survey_video(video)


@pytest.mark.parametrize("size", [(0, 48), (100_000, 100_000)])
def test_a_size_that_nobody_decodes_is_refused_before_the_first_frame(video, capture, size):
    capture.append(Capture([0.0], size=size))
    with pytest.raises(ArtifactError, match="picture declares"):
        survey_video(video)
    assert capture[0].index == -1


def test_a_file_that_changes_between_the_passes_is_refused(video, capture):
    picture = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    capture += [Capture([0.0, 40.0]), Capture([], pictures=[picture]), Capture([], pictures=[picture, picture[:-2]])]
    survey = survey_video(video)
    with pytest.raises(ArtifactError, match="gave 1 pictures after 2 before"):
        list(read_pictures(survey))
    with pytest.raises(ArtifactError, match="picture 1 has 64 x 46 px; expected 64 x 48 px"):
        list(read_pictures(survey))
    assert all(item.released for item in capture)


def test_one_picture_at_a_time_is_decoded(video, capture):
    pictures = [np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)] * 3
    capture += [Capture([0.0, 40.0, 80.0]), Capture([], pictures=pictures)]
    reading = read_pictures(survey_video(video))
    next(reading)
    assert capture[1].index == 0
    reading.close()
    assert capture[1].released
