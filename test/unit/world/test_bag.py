"""An episode's bag is what the world was, the same bytes each time, and honest about itself."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from alpamayo_ros.errors import OutputError, ParameterError
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.storage.digest import content_digest
from alpamayo_ros.storage.identity import verify_identity
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.world.bag import (
    ACTORS_TOPIC,
    NAVIGATION_TOPIC,
    ODOMETRY_TOPIC,
    PATH_TOPIC,
    RATIONALE_TOPIC,
    START_NS,
    TRANSFORMS_TOPIC,
    BagPlan,
    encode_jpeg,
    image_topic,
    info_topic,
    plan_events,
    window,
    write_episode_bag,
)
from alpamayo_ros.world.episode import EpisodeRecord, drive_expert
from alpamayo_ros.world.rendering.rig import FRONT_FOUR, RING
from alpamayo_ros.world.scenarios import episode
from alpamayo_ros.world.sensor_faults import SensorFault
from alpamayo_ros.world.tags import ASSUMPTIONS, episode_tags
from alpamayo_ros.world.truth import truth_at

FRONT = "camera_front_wide_120fov"
PLAN = BagPlan(cameras=(FRONT,), size=(160, 96), from_s=3.0, to_s=4.5)


@pytest.fixture(scope="module")
def record(braking_record: EpisodeRecord) -> EpisodeRecord:
    return braking_record


@pytest.fixture(scope="module")
def bag(record: EpisodeRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("world") / "bag"
    write_episode_bag(path, record, episode_tags(record.spec), PLAN)
    return path


def _digest(path: Path) -> str:
    with open_bag(path) as reader:
        return content_digest(reader)


def _messages(path: Path, topic: str) -> Iterator[tuple[BagMessage, Any]]:
    with open_bag(path) as reader:
        type_name = reader.topics[topic].type_name
        for message in reader.messages(topics=[topic]):
            yield message, deserialize(message.payload, type_name)


def _stamp_ns(message: Any) -> int:
    return int(message.header.stamp.sec) * 1_000_000_000 + int(message.header.stamp.nanosec)


def test_recording_twice_gives_the_same_content(record: EpisodeRecord, bag: Path, tmp_path: Path) -> None:
    again = drive_expert(record.spec)
    write_episode_bag(tmp_path / "again", again, episode_tags(again.spec), PLAN)
    assert _digest(tmp_path / "again") == _digest(bag)


def test_another_process_with_another_hash_seed_gives_the_same_content(
    record: EpisodeRecord, bag: Path, tmp_path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; import cv2; cv2.setNumThreads(1); "
        "from alpamayo_ros.world.bag import BagPlan, write_episode_bag; "
        "from alpamayo_ros.world.episode import drive_expert; from alpamayo_ros.world.scenarios import episode; "
        f"record = drive_expert(episode('{record.spec.id}')); "
        f"plan = BagPlan(cameras=('{FRONT}',), size=(160, 96), from_s=3.0, to_s=4.5); "
        "write_episode_bag(Path(sys.argv[1]), record, {}, plan)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "other")], check=True, env=environment, cwd=tmp_path)
    assert _digest(tmp_path / "other") == _digest(bag)


def test_a_part_holds_what_the_whole_holds_there(record: EpisodeRecord, bag: Path) -> None:
    whole = {(event.topic, event.moment): event for event in plan_events(record, replace(PLAN, from_s=0.0, to_s=None))}
    part = plan_events(record, PLAN)
    assert len(part) > 100
    for event in part:
        if event.topic not in (TRANSFORMS_TOPIC, PATH_TOPIC, info_topic(FRONT)):
            assert (event.topic, event.moment) in whole


def test_a_bag_has_every_topic_of_a_vehicle_and_the_ground_truth(bag: Path) -> None:
    with open_bag(bag) as reader:
        types = {name: topic.type_name for name, topic in reader.topics.items()}
        durability = {name: topic.offered_qos[0].durability for name, topic in reader.topics.items()}
    assert types == {
        TRANSFORMS_TOPIC: "tf2_msgs/msg/TFMessage",
        ODOMETRY_TOPIC: "nav_msgs/msg/Odometry",
        NAVIGATION_TOPIC: "alpamayo_ros/msg/NavigationCommand",
        ACTORS_TOPIC: "visualization_msgs/msg/MarkerArray",
        RATIONALE_TOPIC: "alpamayo_ros/msg/Rationale",
        PATH_TOPIC: "nav_msgs/msg/Path",
        image_topic(FRONT): "sensor_msgs/msg/CompressedImage",
        info_topic(FRONT): "sensor_msgs/msg/CameraInfo",
    }
    assert {name for name, value in durability.items() if value == "transient_local"} == {TRANSFORMS_TOPIC, PATH_TOPIC}


def test_odometry_is_where_the_ego_vehicle_is(record: EpisodeRecord, bag: Path) -> None:
    rows = list(_messages(bag, ODOMETRY_TOPIC))
    assert 74 <= len(rows) <= 76
    stamps = [_stamp_ns(odometry) for _, odometry in rows]
    assert all(after > before for before, after in pairwise(stamps))
    assert len({after - before for before, after in pairwise(stamps)}) > 10, "there is jitter"
    for message, odometry in rows:
        ego = record.at((_stamp_ns(odometry) - START_NS) * 1e-9).ego
        position = odometry.pose.pose.position
        assert (position.x, position.y, position.z) == pytest.approx(ego.position, abs=1e-9)
        assert odometry.twist.twist.linear.x == pytest.approx(ego.linear_velocity[0], abs=1e-9)
        assert (odometry.header.frame_id, odometry.child_frame_id) == ("odom", "base_link")
        assert message.receive_ns > _stamp_ns(odometry)


def test_rationales_are_the_experts_and_box_what_they_name(
    record: EpisodeRecord, braking_s: float, tmp_path: Path
) -> None:
    write_episode_bag(
        tmp_path / "bag", record, {}, replace(PLAN, cameras=FRONT_FOUR[1:], from_s=braking_s, to_s=braking_s + 2.0)
    )
    boxed = 0
    for _, rationale in _messages(tmp_path / "bag", RATIONALE_TOPIC):
        truth = truth_at(record, round((_stamp_ns(rationale) - START_NS) * 1e-8))
        assert rationale.text == truth.text
        assert rationale.longitudinal == int(truth.longitudinal)
        assert [factor.label for factor in rationale.causal_factors] == [truth.label.replace("_", " ")] * bool(
            truth.label
        )
        assert rationale.lineage_id == "none"
        for factor in rationale.causal_factors:
            assert factor.actor_id == truth.actor_id
            if factor.camera:
                boxed += 1
                assert 0.0 <= factor.box_x <= factor.box_x + factor.box_width <= 160.0
                assert 0.0 <= factor.box_y <= factor.box_y + factor.box_height <= 96.0
    assert boxed, "the pedestrian is seen at some time"


def test_actors_and_signals_keep_their_numbers(tmp_path: Path) -> None:
    record = drive_expert(episode("red_light:1"))
    write_episode_bag(tmp_path / "bag", record, {}, replace(PLAN, from_s=0.0, to_s=6.0, size=(16, 16)))
    numbers: dict[str, set[int]] = {}
    for _, array in _messages(tmp_path / "bag", ACTORS_TOPIC):
        for marker in array.markers:
            numbers.setdefault(marker.text, set()).add(marker.id)
    assert all(len(found) == 1 for found in numbers.values())
    assert any(name.startswith("signal:") for name in numbers)


def test_the_path_is_the_whole_drive_of_the_part(record: EpisodeRecord, bag: Path) -> None:
    ((_, path),) = _messages(bag, PATH_TOPIC)
    assert len(path.poses) == 16
    assert (path.poses[0].pose.position.x, path.poses[0].pose.position.y) == pytest.approx(
        record.snapshots[30].ego.position[:2]
    )


def test_navigation_is_said_ten_times_a_second(bag: Path) -> None:
    assert sum(1 for _ in _messages(bag, NAVIGATION_TOPIC)) == 16


def _faulty(record: EpisodeRecord, *faults: SensorFault) -> EpisodeRecord:
    return replace(record, spec=replace(record.spec, faults=faults))


def _times(record: EpisodeRecord, topic: str) -> list[float]:
    return [event.moment.stamp_ns * 1e-9 for event in plan_events(record, PLAN) if event.topic == topic]


def test_faults_of_sensors_are_in_the_bag(record: EpisodeRecord, tmp_path: Path) -> None:
    dropped = _faulty(record, SensorFault("dropped", FRONT, 3.5, 4.0))
    assert not [t_s for t_s in _times(dropped, image_topic(FRONT)) if 3.5 <= t_s < 4.0]
    assert len(_times(dropped, image_topic(FRONT))) == len(_times(record, image_topic(FRONT))) - 5
    gap = _faulty(record, SensorFault("odometry_gap", "odometry", 3.5, 4.0))
    assert not [t_s for t_s in _times(gap, ODOMETRY_TOPIC) if 3.5 <= t_s < 4.0]
    write_episode_bag(tmp_path / "dark", _faulty(record, SensorFault("dark", FRONT, 3.5, 4.0)), {}, PLAN)
    light = {
        (_stamp_ns(image) - START_NS) * 1e-9: cv2.imdecode(np.asarray(image.data), cv2.IMREAD_COLOR).mean()
        for _, image in _messages(tmp_path / "dark", image_topic(FRONT))
    }
    assert all((mean < 10.0) == (3.5 <= t_s < 4.0) for t_s, mean in light.items())
    write_episode_bag(tmp_path / "frozen", _faulty(record, SensorFault("frozen", FRONT, 3.5, 4.0)), {}, PLAN)
    pictures = [
        bytes(image.data)
        for _, image in _messages(tmp_path / "frozen", image_topic(FRONT))
        if 3.5 <= (_stamp_ns(image) - START_NS) * 1e-9 < 4.0
    ]
    assert len(pictures) == 5
    assert len(set(pictures)) == 1


def test_the_identity_says_what_it_is_and_what_was_assumed(record: EpisodeRecord, bag: Path) -> None:
    report = verify_identity(bag)
    assert not report.disagreements
    assert report.lineage_id == "none"
    assert report.tags["provenance"] == "simulated"
    assert report.tags["episode"] == record.spec.id
    assert (report.tags["from_s"], report.tags["to_s"], report.tags["picture_size"]) == ("3", "4.5", "160x96")
    for name, sentence in ASSUMPTIONS.items():
        assert report.tags[name] == sentence
    for name in (
        "generator",
        "generator_version",
        "map_asset_pack",
        "traffic_policy",
        "weather_model",
        "seed",
        "renderer",
    ):
        assert report.tags[name]


def test_a_record_cannot_be_written_as_real(record: EpisodeRecord, tmp_path: Path) -> None:
    write_episode_bag(tmp_path / "bag", record, {"provenance": "real"}, replace(PLAN, to_s=3.6))
    assert verify_identity(tmp_path / "bag").tags["provenance"] == "simulated"


@pytest.mark.parametrize(
    ("from_s", "to_s"),
    [(-1.0, 2.0), (2.0, 2.0), (3.0, 1.0), (0.0, 999.0), (float("nan"), 2.0), (0.0, float("nan")), (0.0, 0.3)],
)
def test_a_part_that_is_none_is_refused(record: EpisodeRecord, from_s: float, to_s: float) -> None:
    with pytest.raises(ParameterError, match="expected times from 0"):
        window(record, from_s, to_s)


@pytest.mark.parametrize(
    "changes", [{"cameras": ()}, {"cameras": ("front",)}, {"cameras": (FRONT, FRONT)}, {"quality": 0}, {"quality": 101}]
)
def test_a_plan_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match="expected"):
        BagPlan(**changes)


def test_every_camera_of_the_family_can_be_recorded(record: EpisodeRecord) -> None:
    everything = BagPlan(cameras=tuple(one.id for one in RING), size=(16, 16), from_s=3.0, to_s=3.6)
    topics = {event.topic for event in plan_events(record, everything)}
    assert {image_topic(one.id) for one in RING} <= topics
    assert set(BagPlan().cameras) == set(FRONT_FOUR)


def test_an_existing_folder_is_refused_and_left_alone(record: EpisodeRecord, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_episode_bag(tmp_path, record, {}, PLAN)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_bag_can_be_read(record: EpisodeRecord, tmp_path: Path) -> None:
    class Interrupted(BaseException):
        pass

    def interrupt(done: int, total: int) -> None:
        if done > total // 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        write_episode_bag(tmp_path / "bag", record, {}, PLAN, progress=interrupt)
    with open_bag(tmp_path / "bag") as reader:
        assert sum(1 for _ in reader.messages()) > 10
    assert verify_identity(tmp_path / "bag").state == "recovered"


def test_a_picture_survives_its_encoding() -> None:
    picture = np.full((60, 80, 3), (30, 140, 200), dtype=np.uint8)
    decoded = cv2.imdecode(np.frombuffer(encode_jpeg(picture), dtype=np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(decoded.astype(int) - picture).max() <= 4
