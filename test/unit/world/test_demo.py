"""The demonstration bag is what the generator makes, small, honest about itself and reproducible."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from alpamayo_ros.cli.world_demo import DEFAULT_DURATION_S
from alpamayo_ros.cli.world_demo import write_demo_bag as write_by_verb
from alpamayo_ros.errors import OutputError, ParameterError
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.storage.digest import content_digest
from alpamayo_ros.storage.identity import verify_identity
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.world.demo import (
    ASSUMPTIONS,
    DURATION_S,
    MAX_DURATION_S,
    START_NS,
    Event,
    encode_jpeg,
    image_topic,
    info_topic,
    plan_events,
    write_demo_bag,
)
from alpamayo_ros.world.rig import CAMERAS
from alpamayo_ros.world.scene import Scene

COMMITTED = Path(__file__).resolve().parents[3] / "bags" / "demo"
MAX_BYTES = 6_000_000
SHORT_S = 0.7
ODOMETRY_TYPE = "nav_msgs/msg/Odometry"
PICTURES = {image_topic(camera.id) for camera in CAMERAS}


def _digest(path: Path) -> str:
    with open_bag(path) as reader:
        return content_digest(reader)


@pytest.fixture(scope="module")
def short_bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("world") / "short"
    write_demo_bag(path, duration_s=SHORT_S)
    return path


@pytest.fixture(scope="module")
def planned(scene: Scene) -> list[Event]:
    return plan_events(scene, DURATION_S, 0)


def test_generating_twice_gives_the_same_content(short_bag: Path, tmp_path: Path) -> None:
    write_demo_bag(tmp_path / "again", duration_s=SHORT_S)
    assert _digest(tmp_path / "again") == _digest(short_bag)


def test_another_process_with_another_hash_seed_gives_the_same_content(short_bag: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import cv2; cv2.setNumThreads(1); "
        "from alpamayo_ros.world.demo import write_demo_bag; "
        f"write_demo_bag(Path(sys.argv[1]), duration_s={SHORT_S})"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "other")], check=True, env=environment, cwd=tmp_path)
    assert _digest(tmp_path / "other") == _digest(short_bag)


def test_another_seed_gives_another_world_but_the_same_drive(short_bag: Path, tmp_path: Path, scene: Scene) -> None:
    write_demo_bag(tmp_path / "other", duration_s=SHORT_S, seed=1)
    assert _digest(tmp_path / "other") != _digest(short_bag)
    assert verify_identity(tmp_path / "other").tags["seed"] == "1"
    with open_bag(tmp_path / "other") as reader:
        odometry = [deserialize(message.payload, ODOMETRY_TYPE) for message in reader.messages(["/odometry"])]
    assert len(odometry) == 36
    for message in odometry:
        t_s = (message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec - START_NS) * 1e-9
        state = scene.ego.state(t_s)
        assert _numbers(message)[:3] == pytest.approx(state.position, abs=1e-9)
        assert _numbers(message)[3:7] == pytest.approx(state.quaternion, abs=1e-9)


def test_the_verb_tells_its_progress_and_what_it_wrote(tmp_path: Path) -> None:
    shares: list[float] = []
    summary = write_by_verb(tmp_path / "bag", duration_s=0.5, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert summary["size_bytes"] == sum(file.stat().st_size for file in (tmp_path / "bag").iterdir())
    with open_bag(tmp_path / "bag") as reader:
        assert summary["topics"] == {name: topic.message_count for name, topic in reader.topics.items()}
    assert DEFAULT_DURATION_S == DURATION_S


@pytest.mark.parametrize("duration_s", [0.0, -1.0, 0.49, MAX_DURATION_S + 0.01, float("nan"), float("inf")])
def test_a_duration_that_the_script_does_not_cover_is_refused(tmp_path: Path, duration_s: float) -> None:
    with pytest.raises(ParameterError, match="out of range; expected"):
        write_demo_bag(tmp_path / "bag", duration_s=duration_s)
    assert not (tmp_path / "bag").exists()


def test_a_negative_seed_and_an_existing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="negative; expected"):
        write_demo_bag(tmp_path / "bag", seed=-1)
    with pytest.raises(OutputError):
        write_demo_bag(tmp_path, duration_s=SHORT_S)


def test_an_interrupted_bag_can_be_read(tmp_path: Path) -> None:
    class Interrupted(BaseException):
        pass

    def interrupt(share: float) -> None:
        if share > 0.5:
            raise Interrupted

    with pytest.raises(Interrupted):
        write_demo_bag(tmp_path / "bag", duration_s=0.5, progress=interrupt)
    with open_bag(tmp_path / "bag") as reader:
        assert sum(1 for _ in reader.messages()) > 10


def test_the_committed_bag_is_small_sound_and_says_that_it_is_simulated() -> None:
    size = sum(file.stat().st_size for file in COMMITTED.iterdir())
    assert size <= MAX_BYTES
    report = verify_identity(COMMITTED)
    assert report.state == "closed"
    assert not [text for text in report.disagreements if "sha256" in text or "file" in text]
    assert report.tags["provenance"] == "simulated"
    assert "real" not in report.tags["provenance"]
    assert report.tags["generator"] == "alpamayo_ros.world"
    for assumption in ASSUMPTIONS:
        assert assumption in report.tags["assumptions"]
    assert report.lineage_id == "none"
    assert report.envelope_id == "none"


def test_the_committed_bag_holds_what_the_generator_makes_now(planned: list[Event]) -> None:
    with open_bag(COMMITTED) as reader:
        messages = list(reader.messages())
        types = {name: topic.type_name for name, topic in reader.topics.items()}
    assert len(messages) == len(planned)
    made = {(START_NS + event.moment.receive_ns, event.topic): event for event in planned}
    assert len(made) == len(planned)
    for message in messages:
        event = made.pop((message.receive_ns, message.topic))
        assert message.publish_ns == START_NS + event.moment.publish_ns
        content = deserialize(message.payload, types[message.topic])
        header = getattr(content, "header", None)
        if header is not None:
            stamp_ns = header.stamp.sec * 1_000_000_000 + header.stamp.nanosec
            assert stamp_ns == START_NS + event.moment.stamp_ns
        if message.topic in PICTURES:
            assert content.format == "jpeg"
            continue
        now = deserialize(event.build(), types[message.topic])
        if types[message.topic] == ODOMETRY_TYPE:
            assert _numbers(content) == pytest.approx(_numbers(now), abs=1e-9)
            assert (content.header.frame_id, content.child_frame_id) == ("odom", "base_link")
        elif message.topic.endswith("camera_info"):
            assert content.k == pytest.approx(now.k, abs=1e-9)
            assert (content.width, content.height) == (now.width, now.height)
        elif message.topic == "/actors":
            assert [marker.text for marker in content.markers] == [marker.text for marker in now.markers]
            for marker, other in zip(content.markers, now.markers, strict=True):
                assert (marker.ns, marker.id) == (other.ns, other.id)
                assert marker.pose.position.x == pytest.approx(other.pose.position.x, abs=1e-9)
                assert marker.pose.position.y == pytest.approx(other.pose.position.y, abs=1e-9)
                assert marker.scale.x == other.scale.x
    assert not made


def test_the_committed_pictures_are_what_the_renderer_draws_now(planned: list[Event]) -> None:
    chosen = {
        (START_NS + event.moment.receive_ns, event.topic): event
        for topic in sorted(PICTURES)
        for event in [one for one in planned if one.topic == topic][3::29]
    }
    assert len(chosen) >= 5 * len(PICTURES)
    with open_bag(COMMITTED) as reader:
        for message in reader.messages(sorted(PICTURES)):
            event = chosen.pop((message.receive_ns, message.topic), None)
            if event is None:
                continue
            stored, drawn = (_decoded(payload) for payload in (message.payload, event.build()))
            assert stored.shape == drawn.shape
            # Rasterisation and JPEG may differ between versions of OpenCV, never by more than a shade.
            assert np.abs(stored - drawn).mean() < 2.0
    assert not chosen


def test_every_camera_has_its_intrinsics_and_its_place(short_bag: Path) -> None:
    with open_bag(short_bag) as reader:
        types = {name: topic.type_name for name, topic in reader.topics.items()}
        assert set(types) == {"/tf_static", "/odometry", "/actors", *PICTURES, *(info_topic(c.id) for c in CAMERAS)}
        durability = {name: topic.offered_qos[0].durability for name, topic in reader.topics.items()}
        first = {}
        for message in reader.messages():
            first.setdefault(message.topic, deserialize(message.payload, types[message.topic]))
    assert durability["/tf_static"] == "transient_local"
    children = {transform.child_frame_id: transform for transform in first["/tf_static"].transforms}
    for camera in CAMERAS:
        frame = first[image_topic(camera.id)].header.frame_id
        assert first[info_topic(camera.id)].header.frame_id == frame
        assert children[frame].header.frame_id == "base_link"
        translation = children[frame].transform.translation
        assert (translation.x, translation.y, translation.z) == camera.position
        assert first[info_topic(camera.id)].k[0] == camera.focal_px
        picture = _decoded_image(first[image_topic(camera.id)])
        assert picture.shape == (camera.height, camera.width, 3)


def test_a_picture_survives_its_encoding(scene: Scene) -> None:
    picture = np.full((60, 80, 3), (30, 140, 200), dtype=np.uint8)
    decoded = cv2.imdecode(np.frombuffer(encode_jpeg(picture), dtype=np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(decoded.astype(int) - picture).max() <= 4


def _decoded(payload: bytes) -> np.ndarray:
    return _decoded_image(deserialize(payload, "sensor_msgs/msg/CompressedImage"))


def _decoded_image(message: object) -> np.ndarray:
    picture = cv2.imdecode(np.asarray(message.data), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture.astype(np.float64)


def _numbers(odometry: object) -> list[float]:
    pose, twist = odometry.pose.pose, odometry.twist.twist
    return [
        *(pose.position.x, pose.position.y, pose.position.z),
        *(pose.orientation.x, pose.orientation.y, pose.orientation.z, pose.orientation.w),
        *(twist.linear.x, twist.linear.y, twist.linear.z),
        *(twist.angular.x, twist.angular.y, twist.angular.z),
    ]
