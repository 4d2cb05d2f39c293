"""The committed demo bag is what the world records now, small, and honest about itself."""

from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.storage.identity import verify_identity
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.world.bag import ODOMETRY_TOPIC, BagPlan, Event, image_topic, plan_events
from alpamayo_ros.world.episode import drive_expert
from alpamayo_ros.world.rendering.rig import FRONT_FOUR
from alpamayo_ros.world.scenarios import episode
from alpamayo_ros.world.tags import ASSUMPTIONS, episode_tags
from alpamayo_ros.world.timing import START_NS

COMMITTED = Path(__file__).resolve().parents[3] / "bags" / "demo"
MAX_BYTES = 6_000_000
PICTURES = {image_topic(name) for name in FRONT_FOUR}
VERSIONED = ("generator_version", "map_asset_pack", "traffic_policy")
"""Tags that name versions: another one is no other bag while it records the same."""
REMAKE = "expected what 'alpamayo world record' makes: see bags/README.md"


@pytest.fixture(scope="module")
def tags() -> dict[str, str]:
    return dict(verify_identity(COMMITTED).tags)


@pytest.fixture(scope="module")
def planned(tags: dict[str, str]) -> list[Event]:
    """What the recorder plans for the episode and the options that the bag names."""
    width, height = map(int, tags["picture_size"].split("x"))
    plan = BagPlan(FRONT_FOUR, (width, height), int(tags["jpeg_quality"]), float(tags["from_s"]), float(tags["to_s"]))
    return plan_events(drive_expert(episode(tags["episode"])), plan)


def test_it_is_small_whole_and_simulated(tags: dict[str, str]) -> None:
    assert sum(file.stat().st_size for file in COMMITTED.iterdir()) <= MAX_BYTES
    report = verify_identity(COMMITTED)
    assert report.state == "closed"
    assert not report.disagreements
    assert tags["provenance"] == "simulated"
    for name, sentence in ASSUMPTIONS.items():
        assert tags[name] == sentence
    assert (report.lineage_id, report.envelope_id) == ("none", "none")


def test_it_is_of_a_held_out_road_that_no_model_was_trained_on(tags: dict[str, str]) -> None:
    assert tags["split"] == "held_out"


def test_its_tags_are_those_of_the_episode_now(tags: dict[str, str]) -> None:
    now = {name: value for name, value in episode_tags(episode(tags["episode"])).items() if name not in VERSIONED}
    assert {name: value for name, value in tags.items() if name in now} == now, REMAKE


def test_it_holds_every_message_that_is_recorded_now(planned: list[Event]) -> None:
    with open_bag(COMMITTED) as reader:
        kept = Counter((message.topic, message.receive_ns, message.publish_ns) for message in reader.messages())
    made = Counter(
        (event.topic, START_NS + event.moment.receive_ns, START_NS + event.moment.publish_ns) for event in planned
    )
    assert kept == made, REMAKE


def test_its_messages_are_those_that_are_recorded_now(planned: list[Event]) -> None:
    made = {(START_NS + event.moment.receive_ns, event.topic): event for event in planned}
    with open_bag(COMMITTED) as reader:
        types = {name: topic.type_name for name, topic in reader.topics.items()}
        for message in reader.messages(topics=sorted(set(types) - PICTURES)):
            now = made[(message.receive_ns, message.topic)].build()
            if message.payload != now:
                # Machines may differ in the last bit of a sine; nothing that is not a number may differ.
                _require_equal(
                    deserialize(message.payload, types[message.topic]), deserialize(now, types[message.topic])
                )


def test_its_pictures_are_drawn_so_now(planned: list[Event]) -> None:
    chosen = {
        (START_NS + event.moment.receive_ns, event.topic): event
        for topic in sorted(PICTURES)
        for event in [one for one in planned if one.topic == topic][3::29]
    }
    assert len(chosen) >= 5 * len(PICTURES)
    with open_bag(COMMITTED) as reader:
        for message in reader.messages(topics=sorted(PICTURES)):
            event = chosen.pop((message.receive_ns, message.topic), None)
            if event is not None:
                # Rasterisation and JPEG may differ between versions of OpenCV, never by more than a shade.
                assert np.abs(_decoded(message.payload) - _decoded(event.build())).mean() < 2.0, REMAKE
    assert not chosen


def test_a_pedestrian_makes_it_brake_and_drive_on() -> None:
    with open_bag(COMMITTED) as reader:
        odometry = [
            deserialize(message.payload, "nav_msgs/msg/Odometry")
            for message in reader.messages(topics=[ODOMETRY_TOPIC])
        ]
        rationales = [
            deserialize(message.payload, "alpamayo_ros/msg/Rationale")
            for message in reader.messages(topics=["/ground_truth/rationale"])
        ]
    speeds = [message.twist.twist.linear.x for message in odometry]
    assert min(speeds) < 2.0
    assert speeds[-1] > min(speeds) + 4.0
    boxed = [factor for one in rationales for factor in one.causal_factors if factor.label == "crossing pedestrian"]
    assert sum(bool(factor.camera) for factor in boxed) > 40


def _decoded(payload: bytes) -> np.ndarray:
    message = deserialize(payload, "sensor_msgs/msg/CompressedImage")
    picture = cv2.imdecode(np.asarray(message.data), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture.astype(np.float64)


def _require_equal(kept: Any, now: Any) -> None:
    if hasattr(kept, "__dataclass_fields__"):
        for name in kept.__dataclass_fields__:
            _require_equal(getattr(kept, name), getattr(now, name))
    elif isinstance(kept, (list, tuple)):
        assert len(kept) == len(now), REMAKE
        for one, other in zip(kept, now, strict=True):
            _require_equal(one, other)
    elif isinstance(kept, (float, np.ndarray)):
        assert kept == pytest.approx(now, abs=1e-6), REMAKE
    else:
        assert kept == now, REMAKE
