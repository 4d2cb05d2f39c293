"""Import of a video as the pictures of one camera."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from alpamayo_ros.errors import ArtifactError, BagWriteError, ConfigurationError, OutputError
from alpamayo_ros.importers import video
from alpamayo_ros.importers.video import MAX_STAMP_NS, import_video
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.perception.picture_file import inspect_picture
from alpamayo_ros.storage.identity import verify_identity
from alpamayo_ros.storage.reader import open_bag

FRAMES, WIDTH, HEIGHT = 12, 64, 48
PERIOD_NS = 40_000_000
TOPIC = "/camera/front/image/compressed"


@pytest.fixture
def drive(tmp_path):
    """A video of 25 frames per second whose frames are grey, each lighter than the one before."""
    return make_video(tmp_path / "drive.avi")


def make_video(path):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (WIDTH, HEIGHT))
    for index in range(FRAMES):
        writer.write(np.full((HEIGHT, WIDTH, 3), 20 * index, dtype=np.uint8))
    writer.release()
    return path


def read(bag):
    with open_bag(bag) as reader:
        assert len(reader.topics) == 1
        return [(m.receive_ns, deserialize(m.payload, m.type_name)) for m in reader.messages()]


def tags_of(bag):
    with open_bag(bag) as reader:
        return reader.custom_data


@pytest.mark.parametrize("start_ns", [0, 1_700_000_000_123_456_789])
def test_pictures_stand_at_the_times_of_the_container(drive, tmp_path, start_ns):
    summary = import_video(drive, tmp_path / "bag", start_ns=start_ns)
    messages = read(tmp_path / "bag")
    assert [stamp for stamp, _ in messages] == [start_ns + index * PERIOD_NS for index in range(FRAMES)]
    for index, (stamp, message) in enumerate(messages):
        assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == stamp
        assert (message.header.frame_id, message.format) == ("camera_front_optical", "jpeg")
        size = inspect_picture(message.data.tobytes())
        assert (size.width, size.height) == (WIDTH, HEIGHT)
        assert cv2.imdecode(message.data, cv2.IMREAD_COLOR).mean() == pytest.approx(20 * index, abs=3)
    assert (summary.start_ns, summary.end_ns) == (start_ns, start_ns + (FRAMES - 1) * PERIOD_NS)
    assert (summary.topics, summary.warnings, summary.calibration_digest) == ({TOPIC: FRAMES}, (), None)


def test_the_bag_says_what_was_done_and_what_is_not_there(drive, tmp_path):
    summary = import_video(drive, tmp_path / "bag", quality=70)
    tags = tags_of(tmp_path / "bag")
    assert tags["source"] == "video file drive.avi"
    assert tags["source_sha256"] == hashlib.sha256(drive.read_bytes()).hexdigest()
    assert tags["encoding"] == "JPEG of quality 70, encoded again after decoding"
    assert (tags["stamps"], tags["start_ns"]) == ("container frame times", "0")
    assert tags["frames"] == "12 decoded, 12 declared"
    assert tags["assumptions"] == " ".join(summary.assumptions)
    assert "odometry: a video has none" in tags["absent"]
    assert not {"provenance", "warnings"} & set(tags)
    assert verify_identity(tmp_path / "bag").disagreements == ()


def test_there_is_a_topics_file_and_no_calibration(drive, tmp_path):
    import_video(drive, tmp_path / "bag", camera="camera_front_wide_120fov")
    names = {path.name for path in (tmp_path / "bag").iterdir()}
    assert names == {"bag_0.mcap", "identity.json", "metadata.yaml", "topics.yaml"}
    topic = "/camera/camera_front_wide_120fov/image/compressed"
    assert (tmp_path / "bag" / "topics.yaml").read_text() == f"cameras:\n  camera_front_wide_120fov: {topic}\n"


def test_two_imports_are_equal(drive, tmp_path):
    for name in ("one", "two"):
        import_video(drive, tmp_path / name / "bag")
    first, second = ((tmp_path / name / "bag" / "bag_0.mcap").read_bytes() for name in ("one", "two"))
    assert first == second


def test_progress_counts_every_picture_once(drive, tmp_path):
    calls = []
    import_video(drive, tmp_path / "bag", progress=lambda *call: calls.append(call))
    assert calls == [(done, FRAMES) for done in range(1, FRAMES + 1)]


def test_a_cut_video_is_imported_as_far_as_it_goes_with_a_warning(drive, tmp_path):
    data = drive.read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(data[: data.index(b"movi") + (len(data) - data.index(b"movi")) // 2])
    summary = import_video(cut, tmp_path / "bag")
    decoded = len(read(tmp_path / "bag"))
    assert 0 < decoded < FRAMES
    said = f"{decoded} of the container's {FRAMES} frames could be decoded: the video is cut or damaged."
    assert summary.warnings == (said,)
    tags = tags_of(tmp_path / "bag")
    assert (tags["warnings"], tags["frames"]) == (said, f"{decoded} decoded, {FRAMES} declared")


def test_a_stream_without_times_takes_frames_per_second_and_says_so(tmp_path):
    source = make_video(tmp_path / "bare.mjpeg")
    with pytest.raises(ArtifactError, match="--fps"):
        import_video(source, tmp_path / "bag")
    summary = import_video(source, tmp_path / "bag", fps=50.0)
    assert [stamp for stamp, _ in read(tmp_path / "bag")] == [index * PERIOD_NS // 2 for index in range(FRAMES)]
    tags = tags_of(tmp_path / "bag")
    assert tags["stamps"] == "50 frames per second, given"
    assert tags["frames"] == "12 decoded, unknown declared"
    assert "even steps of 50 frames per second" in summary.assumptions[0]


def test_turned_pictures_are_said_to_be_turned(drive, tmp_path, monkeypatch):
    survey = video.survey_video(drive)
    turned = video.VideoSurvey(drive, survey.size, survey.times_ns, survey.declared_frames, 90, None)
    monkeypatch.setattr(video, "survey_video", lambda *_, **__: turned)
    summary = import_video(drive, tmp_path / "bag")
    assert "Pictures are turned by 90 degrees, as the container asks for." in summary.assumptions


@pytest.mark.parametrize("camera", ["", "a/b", "1front", "front wide", "_front", "front\n", "fr\u00f6nt"])
def test_a_camera_that_cannot_name_a_topic_is_refused(drive, tmp_path, camera):
    with pytest.raises(ConfigurationError, match="cannot name a topic"):
        import_video(drive, tmp_path / "bag", camera=camera)


@pytest.mark.parametrize("start_ns", [-1, MAX_STAMP_NS, 10**30, -(10**30)])
def test_a_start_that_gives_impossible_stamps_is_refused(drive, tmp_path, start_ns):
    with pytest.raises(ConfigurationError, match="expected 0 to"):
        import_video(drive, tmp_path / "bag", start_ns=start_ns)
    assert not (tmp_path / "bag").exists()


def test_a_quality_out_of_range_is_refused(drive, tmp_path):
    with pytest.raises(ConfigurationError, match="expected 1 to 100"):
        import_video(drive, tmp_path / "bag", quality=0)


def test_an_existing_destination_is_left_alone(drive, tmp_path):
    (tmp_path / "bag").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        import_video(drive, tmp_path / "bag")
    assert list((tmp_path / "bag").iterdir()) == []


def test_a_source_that_is_no_video_leaves_nothing(tmp_path):
    (tmp_path / "text.mp4").write_text("x" * 1000)
    with pytest.raises(ConfigurationError, match="is not a video"):
        import_video(tmp_path / "text.mp4", tmp_path / "out" / "bag")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, BagWriteError])
def test_an_interrupted_import_leaves_nothing(drive, tmp_path, error):
    (tmp_path / "out").mkdir()

    def interrupt(done, _total):
        if done == 5:
            raise error

    with pytest.raises(error):
        import_video(drive, tmp_path / "out" / "bag", progress=interrupt)
    assert list((tmp_path / "out").iterdir()) == []


def test_one_picture_at_a_time_is_decoded(drive, tmp_path, monkeypatch):
    decoded = []
    original = video.read_pictures

    def counted(survey):
        for picture in original(survey):
            decoded.append(1)
            yield picture

    monkeypatch.setattr(video, "read_pictures", counted)

    def progress(done, _total):
        assert len(decoded) == done

    import_video(drive, tmp_path / "bag", progress=progress)


def test_a_relative_source_is_named_without_its_folder(drive, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    import_video(Path("drive.avi"), Path("bag"))
    assert tags_of(tmp_path / "bag")["source"] == f"video file {drive.name}"
