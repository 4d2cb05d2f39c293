"""The diagnostics of a playback say the worst thing first."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.monitoring.health import Level
from alpamayo_ros.replay.playback import Playback
from alpamayo_ros.replay.playback_health import PlaybackFacts, playback_health
from alpamayo_ros.storage.reader import open_bag

S = 1_000_000_000
START_NS = 1_700_000_000 * S


@pytest.fixture
def playback(make_odometry_bag: Callable[..., Path]) -> Iterator[Playback]:
    """Give the playback of six seconds of odometry at 20 Hz."""
    with open_bag(make_odometry_bag()) as reader:
        yield Playback(reader)


def facts(**known: Any) -> PlaybackFacts:
    return PlaybackFacts(START_NS, {"/odometry": 1}, **known)


def test_before_the_start_it_says_whom_it_waits_for(playback: Playback) -> None:
    health = playback_health(playback, 0, facts(awaited=["/odometry"]))
    assert (health.level, health.text) == (Level.WARN, "waits for a subscriber of /odometry")


def test_while_it_plays_it_says_where_it_stands(playback: Playback) -> None:
    playback.start(5 * S)
    given = len(playback.due(5 * S, 1000)) + len(playback.due(7 * S, 1000))
    health = playback_health(playback, 7 * S, facts(latest_ns=1_500_000))
    assert health.level is Level.WARN  # nothing was called for two seconds, so that the schedule was moved
    assert "1.9 s behind in all: this machine is too slow for rate and bag" in health.text
    assert health.values["late by at most"] == "1.500 ms"
    assert health.values["messages of /odometry"] == str(given)
    assert health.values["duration"] == "6.000 s"


def test_at_the_end_all_is_well(playback: Playback) -> None:
    playback.start(0)
    for now_ns in range(0, 7 * S, S // 20):
        playback.due(now_ns, 1000)
    health = playback_health(playback, 7 * S, facts())
    assert (health.level, health.text) == (Level.OK, "ended at 6.0 of 6.0 s; 121 messages")
    assert health.values["topics without a subscriber"] == "none"


def test_topics_that_are_left_out_are_named_and_damage_is_an_error(playback: Playback) -> None:
    left_out = {"/lidar": "its type is absent", "/radar": "its type is absent"}
    health = playback_health(playback, 0, facts(left_out=left_out))
    assert health.level is Level.WARN
    assert health.text.endswith("; topic /lidar is left out (and 1 more): its type is absent")
    assert health.values["left out: /radar"] == "its type is absent"
    health = playback_health(playback, 0, facts(left_out=left_out, damage="the bag is damaged"))
    assert (health.level, health.text) == (Level.ERROR, "the bag is damaged; 0 messages before it were played")
