"""A recorder says that it writes, or what keeps it from it."""

from dataclasses import replace
from pathlib import Path

import pytest

from alpamayo_ros.monitoring.health import Level
from alpamayo_ros.recording.health import RecorderFacts, recorder_health
from alpamayo_ros.recording.status import RecordingState, RecordingStatus, TopicStatus

SECOND_NS = 10**9
STATUS = RecordingStatus(
    path=Path("/bags/drive"),
    state=RecordingState.RECORDING,
    reason="",
    lineage_id="none",
    envelope_id="none",
    messages=12,
    payload_bytes=3_400_000,
    lost=0,
    refused=0,
    last_receive_ns=1,
    steps_back=0,
    topics=(TopicStatus("/a", "std_msgs/msg/String", messages=12), TopicStatus("/b", "std_msgs/msg/String")),
    warnings=("something odd",),
)
FACTS = RecorderFacts(status=STATUS, silent_ns=0)


def test_all_is_well_while_messages_come() -> None:
    health = recorder_health(FACTS, SECOND_NS)
    assert (health.level, health.text) == (Level.OK, "recording 12 messages, 3.4 MB into /bags/drive")
    assert health.values["topics"] == "1"
    assert health.values["bag"] == "/bags/drive"
    assert health.values["warning 1"] == "something odd"


@pytest.mark.parametrize(
    ("facts", "level", "text"),
    [
        (
            replace(FACTS, silent_ns=2 * SECOND_NS, awaited=("/a", "/b")),
            Level.WARN,
            "nothing has arrived for 2.0 s; nobody publishes /a, /b",
        ),
        (replace(FACTS, silent_ns=2 * SECOND_NS), Level.WARN, "nothing has arrived for 2.0 s"),
        (
            replace(FACTS, refusals={"/a": "it is odd", "/b": "it too"}),
            Level.WARN,
            "topic /a is not recorded (and 1 more): it is odd",
        ),
        (
            replace(FACTS, missed=3),
            Level.WARN,
            "3 message(s) were sent and did not arrive; 12 messages, 3.4 MB in /bags/drive",
        ),
        (
            replace(
                FACTS,
                status=replace(STATUS, refused=2, topics=(TopicStatus("/a", "x", refused=2, reason="too large"),)),
            ),
            Level.WARN,
            "2 message(s) were refused: too large",
        ),
        (
            replace(
                FACTS,
                silent_ns=2 * SECOND_NS,
                status=replace(STATUS, state=RecordingState.FAILED, reason="the disk is full", lost=7),
            ),
            Level.ERROR,
            "the recording has ended: the disk is full; 7 message(s) are lost; bag /bags/drive",
        ),
    ],
)
def test_the_worst_trouble_is_said_first(facts: RecorderFacts, level: Level, text: str) -> None:
    health = recorder_health(facts, SECOND_NS)
    assert (health.level, health.text) == (level, text)


def test_every_topic_that_is_not_recorded_is_named_in_the_values() -> None:
    health = recorder_health(replace(FACTS, refusals={"/a": "it is odd", "/b": "it too"}), SECOND_NS)
    assert health.values["not recorded: /b"] == "it too"
