"""Every message once, in order and on time, whatever is done to the playback; the time is told, never read."""

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.errors import BagCorruptError, ConfigurationError, ParameterError, TopicError
from alpamayo_ros.replay import bag_feed
from alpamayo_ros.replay.playback import CATCH_UP_NS, LOOP_GAP_NS, MAX_STEP, Playback, PlaybackState
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter

S = 1_000_000_000
MS = 1_000_000
T0 = 1_700_000_000 * S
"""Bag time of most bags here."""
NOW = 5_000 * S
"""Steady time of most starts here."""

TOPICS = {
    "/tf_static": ("tf2_msgs/msg/TFMessage", OUTPUT_QOS),
    "/lineage": ("alpamayo_ros/msg/Lineage", OUTPUT_QOS),
    "/map": ("std_msgs/msg/String", LATCHED_QOS),
    "/a": ("std_msgs/msg/String", OUTPUT_QOS),
    "/b": ("std_msgs/msg/String", OUTPUT_QOS),
}
Row = tuple[str, int, bytes]
Play = Callable[..., Playback]


def write(path: Path, rows: list[Row], **options: Any) -> Path:
    with BagWriter(path, identity=None, **options) as writer:
        for name, (type_name, qos) in TOPICS.items():
            writer.add_topic(name, type_name, qos=qos)
        for topic, receive_ns, payload in rows:
            writer.write(topic, payload, receive_ns=receive_ns, publish_ns=receive_ns)
    return path


@pytest.fixture
def play(tmp_path: Path, request: pytest.FixtureRequest) -> Play:
    """Write rows and return their playback."""

    def make(rows: list[Row], chunk_size: int = 1 << 20, **options: Any) -> Playback:
        path = write(tmp_path / f"bag{len(list(tmp_path.iterdir()))}", rows, chunk_size=chunk_size)
        reader = open_bag(path)
        request.addfinalizer(reader.close)
        return Playback(reader, **options)

    return make


def at(*times_ns: int, topic: str = "/a") -> list[Row]:
    return [(topic, T0 + time_ns, f"{number}".encode()) for number, time_ns in enumerate(times_ns)]


def payloads(messages: list[BagMessage]) -> list[bytes]:
    return [message.payload for message in messages]


def due_times(playback: Playback, most: int = 1000) -> list[int]:
    """Play on and return the steady time of each message after NOW, as a caller does that is never late."""
    times: list[int] = []
    while len(times) < most and (due_ns := playback.next_due_ns()) is not None:
        assert playback.due(due_ns - 1, 1000) == []
        times += [due_ns - NOW] * len(playback.due(due_ns, 1000))
    return times


# Time.


def test_the_first_message_is_due_at_the_start_and_the_others_relative_to_it(play: Play) -> None:
    playback = play(at(0, 10, 250 * MS, S))
    assert playback.state is PlaybackState.WAITING
    assert playback.next_due_ns() is None
    assert playback.due(NOW, 100) == []
    playback.start(NOW)
    assert due_times(playback) == [0, 10, 250 * MS, S]
    assert playback.state is PlaybackState.ENDED


def test_a_start_does_not_burst(play: Play) -> None:
    playback = play(at(*(number * 10 * MS for number in range(50))))
    playback.start(NOW)
    for tick in range(0, 500, 2):
        assert len(playback.due(NOW + tick * MS, 100)) == (tick % 10 == 0)


def test_topics_that_begin_late_do_not_delay_the_start(play: Play) -> None:
    rows = [*at(0), *at(7 * S, 8 * S, topic="/b")]
    playback = play(rows, topics=["/b"])
    playback.start(NOW)
    assert due_times(playback) == [0, S]


@pytest.mark.parametrize(("rate", "expected"), [(0.5, 2 * S), (2, S // 2), (100, S // 100), (0.1, 10 * S)])
def test_the_rate_stretches_time(play: Play, rate: float, expected: int) -> None:
    playback = play(at(0, S), rate=rate)
    playback.start(NOW)
    assert due_times(playback) == [0, expected]


def test_no_error_adds_up_in_a_thousand_hours_at_a_third(play: Play) -> None:
    end = 3_600_000 * S + 1
    playback = play(at(0, end - 1, end), rate=Fraction(333_333, 1_000_000))
    playback.start(NOW)
    assert due_times(playback) == [0, math.ceil(Fraction(end - 1) * 10**6 / 333_333), math.ceil(end * 10**6 / 333_333)]


def test_ten_thousand_pauses_and_rates_lose_no_nanosecond(play: Play) -> None:
    playback = play(at(0, 3600 * S), rate=0.3)
    playback.start(NOW)
    playback.due(NOW, 1)
    now, bag = NOW, Fraction(0)
    for number in range(10_000):
        now += 7
        bag += 7 * playback.rate
        playback.pause(now)
        now += 1234
        playback.resume(now)
        playback.set_rate((number % 97 + 1) / 17, now)
    assert playback.bag_time_ns(now) == T0 + math.floor(bag)
    assert playback.next_due_ns() == now + math.ceil((3600 * S - bag) / playback.rate)


@pytest.mark.parametrize("rate", [0, -1, 100.001, 1e-9, math.nan, math.inf])
def test_a_rate_out_of_range_is_refused_with_the_range_and_changes_nothing(play: Play, rate: float) -> None:
    with pytest.raises(ParameterError, match=r"rate .* is out of range; expected more than 0 and at most 100"):
        play(at(0), rate=rate)
    playback = play(at(0, S), rate=2)
    playback.start(NOW)
    with pytest.raises(ParameterError, match="out of range"):
        playback.set_rate(rate, NOW + MS)
    assert due_times(playback) == [0, S // 2]


def test_a_gap_of_an_hour_takes_an_hour(play: Play) -> None:
    playback = play(at(0, 3600 * S, 3601 * S))
    playback.start(NOW)
    assert len(playback.due(NOW, 10)) == 1
    assert playback.position_ns == T0 + 3600 * S
    assert playback.bag_time_ns(NOW + 1800 * S) == T0 + 1800 * S
    assert due_times(playback) == [3600 * S, 3601 * S]


def test_a_pause_keeps_the_rest_of_an_interval(play: Play) -> None:
    playback = play(at(0, S))
    playback.start(NOW)
    playback.due(NOW, 1)
    playback.pause(NOW + 300 * MS)
    playback.pause(NOW + 400 * MS)
    assert playback.state is PlaybackState.PAUSED
    assert playback.next_due_ns() is None
    assert playback.due(NOW + 9 * S, 10) == []
    assert playback.bag_time_ns(NOW + 9 * S) == T0 + 300 * MS
    playback.resume(NOW + 20 * S)
    playback.resume(NOW + 20 * S + 1)
    assert due_times(playback) == [20 * S + 700 * MS]


def test_a_paused_start_plays_evenly_after_the_resume(play: Play) -> None:
    playback = play(at(0, 10 * MS, 20 * MS), start_paused=True)
    playback.start(NOW)
    assert playback.state is PlaybackState.PAUSED
    assert playback.due(NOW + 100 * S, 10) == []
    playback.resume(NOW + 200 * S)
    assert due_times(playback) == [200 * S, 200 * S + 10 * MS, 200 * S + 20 * MS]


def test_what_is_asked_for_before_the_start_holds_after_it(play: Play) -> None:
    playback = play(at(0, S, 3 * S))
    playback.pause(1)
    playback.set_rate(2, 2)
    playback.seek(T0 + 5, 3)
    assert playback.state is PlaybackState.WAITING
    playback.start(NOW)
    assert playback.state is PlaybackState.PAUSED
    playback.resume(NOW)
    assert due_times(playback) == [0, S]


def test_it_starts_once(play: Play) -> None:
    playback = play(at(0, S))
    playback.start(NOW)
    with pytest.raises(ConfigurationError, match="playback is playing; expected waiting"):
        playback.start(NOW)


# Lateness.


def test_a_late_caller_gets_no_more_than_the_limit_and_hears_how_late_it_is(play: Play) -> None:
    playback = play(at(*(number * MS for number in range(60))))
    playback.start(NOW)
    assert len(playback.due(NOW + 50 * MS, 20)) == 20
    assert playback.lateness_ns == 50 * MS
    assert playback.next_due_ns() == NOW + 20 * MS
    assert len(playback.due(NOW + 50 * MS, 100)) == 31
    assert playback.lateness_ns == 30 * MS
    assert playback.due(NOW + 50 * MS, 100) == []
    assert playback.lateness_ns == 0
    assert playback.slipped_ns == 0


def test_a_long_stall_moves_the_schedule_instead_of_a_burst(play: Play) -> None:
    playback = play(at(*(number * 10 * MS for number in range(100))))
    playback.start(NOW)
    playback.due(NOW, 10)
    stalled = 10 * MS + CATCH_UP_NS + 1
    assert len(playback.due(NOW + stalled, 100)) == 1
    assert (playback.lateness_ns, playback.slipped_ns) == (CATCH_UP_NS + 1, CATCH_UP_NS + 1)
    assert due_times(playback)[:3] == [stalled + 10 * MS, stalled + 20 * MS, stalled + 30 * MS]


def test_bag_time_never_passes_a_message_that_was_not_given(play: Play) -> None:
    playback = play(at(0, S, 2 * S))
    playback.start(NOW)
    assert playback.bag_time_ns(NOW + 5 * S) == T0
    playback.due(NOW, 1)
    assert playback.bag_time_ns(NOW + S - 1) == T0 + S - 1
    assert playback.bag_time_ns(NOW + 5 * S) == T0 + S
    playback.pause(NOW + 5 * S)
    assert playback.bag_time_ns(NOW + 9 * S) == T0 + S
    playback.resume(NOW + 9 * S)
    assert due_times(playback) == [9 * S, 10 * S]
    assert playback.bag_time_ns(NOW + 99 * S) == playback.position_ns == T0 + 2 * S


# Bags.


def test_an_empty_bag_ends_at_once(play: Play) -> None:
    playback = play([], loop=True)
    assert (playback.position_ns, playback.duration_ns) == (0, 0)
    playback.start(NOW)
    assert playback.state is PlaybackState.ENDED
    assert playback.next_due_ns() is None
    assert playback.due(NOW, 10) == []
    assert playback.bag_time_ns(NOW) == 0
    with pytest.raises(ParameterError, match="seek: time 0 ns is out of range; the bag has no messages"):
        playback.seek(0, NOW)


def test_one_message_is_played_once(play: Play) -> None:
    playback = play(at(0))
    playback.start(NOW)
    assert playback.position_ns == T0
    assert payloads(playback.due(NOW, 10)) == [b"0"]
    assert playback.state is PlaybackState.ENDED
    assert (playback.position_ns, playback.duration_ns) == (T0, 0)
    assert playback.due(NOW + S, 10) == []


def test_equal_stamps_come_together_in_the_total_order(play: Play) -> None:
    rows = [(topic, T0, topic.encode()) for topic in sorted(TOPICS, reverse=True)]
    playback = play(rows)
    playback.start(NOW)
    given = playback.due(NOW, 2) + playback.due(NOW, 100)
    assert [message.topic for message in given] == ["/lineage", "/tf_static", "/a", "/b", "/map"]


def test_topics_are_chosen_renamed_and_counted_under_their_new_name(play: Play) -> None:
    playback = play([*at(0, 1), *at(2, topic="/b"), *at(3, topic="/map")], topics=["/a", "/b"], remaps={"/a": "/x"})
    assert {name: info.type_name for name, info in playback.topics.items()} == dict.fromkeys(
        ["/x", "/b"], "std_msgs/msg/String"
    )
    assert playback.topics["/x"].name == "/x"
    playback.start(NOW)
    given = playback.due(NOW + S, 100)
    assert [message.topic for message in given] == ["/x"]
    given += playback.due(NOW + S + 2, 100)
    assert [message.topic for message in given] == ["/x", "/x", "/b"]
    assert playback.counts == {"/x": 2, "/b": 1}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"topics": ["/a", "/nope"]}, r"topic '/nope' is not known; expected one of: /a, /b, /lineage, /map"),
        ({"topics": ["/a"], "remaps": {"/b": "/c"}}, r"remapped topic '/b' is not known; expected one of: /a"),
        ({"remaps": {"/a": "/b"}}, r"topics /a and /b would both be published as '/b'"),
    ],
)
def test_topics_that_cannot_be_played_are_refused(play: Play, options: dict[str, Any], text: str) -> None:
    with pytest.raises(TopicError, match=text):
        play(at(0), **options)


def test_topics_may_swap_their_names(play: Play) -> None:
    playback = play(at(0), remaps={"/a": "/b", "/b": "/a"})
    playback.start(NOW)
    assert [message.topic for message in playback.due(NOW, 1)] == ["/b"]


def test_what_stands_before_a_damage_is_played_and_then_the_damage_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", at(*range(100)), chunk_size=100, compression="none")
    file = path / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    data[data.index(b"90", data.index(b"89")) - 4] ^= 0xFF
    file.write_bytes(data)
    with open_bag(path) as reader:
        playback = Playback(reader)
        playback.start(NOW)
        while playback.read_ahead():
            pass
        given = playback.due(NOW + 100, 1000)
        assert payloads(given) == [f"{number}".encode() for number in range(len(given))]
        assert 80 < len(given) <= 90
        assert playback.state is PlaybackState.PLAYING
        assert playback.next_due_ns() is not None
        for _ in range(2):
            with pytest.raises(BagCorruptError):
                playback.due(NOW + 100, 1000)
        playback.pause(NOW + 200)
        with pytest.raises(BagCorruptError):
            playback.step()


def test_a_bag_that_holds_less_than_it_counts_does_not_just_end(tmp_path: Path) -> None:
    with open_bag(write(tmp_path / "bag", at(0, 1))) as reader:
        reader.topics = {
            name: replace(info, message_count=info.message_count + 1) for name, info in reader.topics.items()
        }
        playback = Playback(reader)
        playback.start(NOW)
        assert len(playback.due(NOW + 1, 10)) == 2
        with pytest.raises(BagCorruptError, match="holds 2 messages where it counts"):
            playback.due(NOW + 1, 10)


def test_reading_ahead_is_bounded_and_changes_nothing(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bag_feed, "_AHEAD_BYTES", 4)
    playback = play(at(*range(9)))
    playback.start(NOW)
    assert [playback.read_ahead() for _ in range(5)] == [True, True, True, False, False]
    assert payloads(playback.due(NOW + 1, 100)) == [b"0", b"1"]
    assert [playback.read_ahead() for _ in range(3)] == [True, True, False]
    assert len(playback.due(NOW + 8, 100)) == 7
    assert not playback.read_ahead()
    assert playback.state is PlaybackState.ENDED


# Steps.


def test_a_step_gives_the_next_messages_and_says_how_far_it_came(play: Play) -> None:
    playback = play(at(0, 10 * MS, 20 * MS, 35 * MS), start_paused=True)
    playback.start(NOW)
    step = playback.step()
    assert (payloads(step.messages), step.published, step.reached_ns) == ([b"0"], 1, T0)
    step = playback.step(2)
    assert (payloads(step.messages), step.reached_ns) == ([b"1", b"2"], T0 + 20 * MS)
    assert (playback.position_ns, playback.bag_time_ns(NOW)) == (T0 + 35 * MS, T0 + 20 * MS)
    playback.resume(NOW + S)
    assert due_times(playback) == [S + 15 * MS]


def test_a_step_stops_at_the_end(play: Play) -> None:
    playback = play(at(0, 1), start_paused=True)
    playback.start(NOW)
    assert playback.step(MAX_STEP).published == 2
    assert playback.state is PlaybackState.ENDED
    with pytest.raises(ConfigurationError, match="step: playback is ended; expected paused"):
        playback.step()


@pytest.mark.parametrize("count", [0, -1, MAX_STEP + 1])
def test_a_step_has_a_bound(play: Play, count: int) -> None:
    playback = play(at(0), start_paused=True)
    with pytest.raises(ConfigurationError, match="step: playback is waiting; expected paused"):
        playback.step(count)
    playback.start(NOW)
    with pytest.raises(ParameterError, match=f"count {count} is out of range; expected 1 to 1000"):
        playback.step(count)


def test_a_step_needs_a_pause(play: Play) -> None:
    playback = play(at(0, 1))
    playback.start(NOW)
    with pytest.raises(ConfigurationError, match="step: playback is playing; expected paused"):
        playback.step()


# Positions.


def test_a_seek_stands_before_the_first_message_at_or_after_the_time(play: Play) -> None:
    playback = play(at(0, S, S, 2 * S, 3 * S), chunk_size=1)
    playback.start(NOW)
    playback.seek(T0 + 1, NOW + MS)
    assert playback.position_ns == T0 + S
    assert payloads(playback.due(NOW + MS, 10)) == [b"1", b"2"]
    playback.seek(T0 + 3 * S, NOW + MS)
    assert payloads(playback.due(NOW + MS, 10)) == [b"4"]
    assert playback.state is PlaybackState.ENDED
    playback.seek(T0, NOW + 9 * S)
    assert playback.state is PlaybackState.PLAYING
    assert due_times(playback) == [9 * S, 10 * S, 10 * S, 11 * S, 12 * S]


def test_seeks_leave_no_file_open(tmp_path: Path) -> None:
    with open_bag(write(tmp_path / "bag", latched_rows(), chunk_size=1)) as reader:
        playback = Playback(reader)
        playback.start(NOW)
        open_files = []
        for number in range(20):
            playback.seek(T0 + number * 100 * MS, NOW)
            playback.due(NOW, 10)
            open_files.append(len(list(Path("/proc/self/fd").iterdir())))
    assert len(set(open_files)) == 1


def test_a_seek_while_paused_stays_paused(play: Play) -> None:
    playback = play(at(0, S, 2 * S), start_paused=True)
    playback.start(NOW)
    playback.seek(T0 + S, NOW)
    assert playback.due(NOW + 9 * S, 10) == []
    assert payloads(playback.step().messages) == [b"1"]


@pytest.mark.parametrize("beyond", [-1, 3 * S + 1])
def test_a_seek_out_of_range_is_refused_with_the_range_and_moves_nothing(play: Play, beyond: int) -> None:
    playback = play(at(0, S, 3 * S))
    playback.start(NOW)
    with pytest.raises(
        ParameterError, match=rf"seek: time {T0 + beyond} ns is out of range; expected {T0} to {T0 + 3 * S} ns"
    ):
        playback.seek(T0 + beyond, NOW + S)
    assert due_times(playback) == [0, S, 3 * S]


def test_a_seek_after_the_last_message_of_the_chosen_topics_is_the_end(play: Play) -> None:
    playback = play([*at(0), *at(S, topic="/b")], topics=["/a"])
    playback.start(NOW)
    playback.seek(T0 + 5, NOW)
    assert playback.state is PlaybackState.ENDED
    assert playback.position_ns == playback.bag_time_ns(NOW + S) == T0 + 5


def latched_rows() -> list[Row]:
    return [
        ("/tf_static", T0, b"tf front"),
        ("/tf_static", T0 + 1, b"tf rear"),
        ("/map", T0 + 2, b"map old"),
        ("/lineage", T0 + S, b"lineage"),
        ("/map", T0 + 2 * S, b"map new"),
        *at(*(number * 100 * MS for number in range(51))),
    ]


REPEATED = [b"tf front", b"tf rear", b"lineage", b"map new"]


def test_after_a_seek_the_last_message_of_each_latched_topic_comes_first(play: Play) -> None:
    playback = play(latched_rows(), chunk_size=1)
    assert playback.latched == {"/tf_static": bag_feed.REPEATED_TRANSFORMS, "/lineage": 1, "/map": 1}
    playback.start(NOW)
    playback.seek(T0 + 4 * S, NOW)
    assert payloads(playback.due(NOW, 3)) == REPEATED[:3]
    assert playback.next_due_ns() == NOW
    assert payloads(playback.due(NOW, 3)) == [REPEATED[3], b"40"]
    assert (playback.repeat_count, playback.counts) == (4, {"/a": 1})


def test_latched_messages_come_even_while_paused_or_where_nothing_follows(play: Play) -> None:
    playback = play(latched_rows(), start_paused=True, start_offset_s=4.0)
    assert playback.next_due_ns() is None
    playback.start(NOW)
    assert playback.next_due_ns() == NOW
    assert payloads(playback.due(NOW, 10)) == REPEATED
    assert playback.next_due_ns() is None
    playback.seek(T0 + 1, NOW)
    step = playback.step()
    assert (payloads(step.messages), step.published) == ([b"tf front", b"tf rear"], 1)

    alone = play(latched_rows(), topics=["/map"])
    alone.start(NOW)
    alone.seek(T0 + 4 * S, NOW)
    assert payloads(alone.due(NOW, 10)) == [b"map new"]
    assert alone.state is PlaybackState.ENDED


def test_at_the_start_of_the_bag_nothing_is_given_again(play: Play) -> None:
    playback = play(latched_rows(), start_paused=True)
    playback.start(NOW)
    assert playback.due(NOW, 10) == []


def test_a_start_offset_begins_there_without_waiting(play: Play) -> None:
    playback = play(at(0, S, 3 * S), start_offset_s=0.5)
    assert playback.duration_ns == 3 * S
    playback.start(NOW)
    assert due_times(playback) == [0, 2 * S]
    last = play(at(0, 3 * S), start_offset_s=3.0)
    last.start(NOW)
    assert payloads(last.due(NOW, 10)) == [b"1"]


@pytest.mark.parametrize("offset", [-0.1, 3.1, math.nan, math.inf])
def test_a_start_offset_out_of_range_is_refused_with_the_range(play: Play, offset: float) -> None:
    with pytest.raises(ParameterError, match=r"start offset .* s is out of range; expected 0 to 3.0 s"):
        play(at(0, 3 * S), start_offset_s=offset)


# Rounds.


def test_a_loop_begins_again_at_the_offset_after_a_gap(play: Play) -> None:
    playback = play([("/map", T0, b"map"), *at(0, S, 2 * S)], loop=True, start_offset_s=1.0)
    playback.start(NOW)
    assert payloads(playback.due(NOW, 10)) == [b"map", b"1"]
    assert payloads(playback.due(NOW + S, 10)) == [b"2"]
    assert playback.position_ns == T0 + S
    assert payloads(playback.due(NOW + S, 10)) == [b"map"]
    playback.set_rate(2, NOW + S)
    assert due_times(playback, 1) == [S + LOOP_GAP_NS]
    assert playback.bag_time_ns(NOW + S + LOOP_GAP_NS) == T0 + S
    assert playback.counts == {"/a": 3}


def test_a_loop_of_one_message_is_no_burst_and_keeps_its_period(play: Play) -> None:
    playback = play(at(0), loop=True)
    playback.start(NOW)
    assert due_times(playback, 4) == [0, LOOP_GAP_NS, 2 * LOOP_GAP_NS, 3 * LOOP_GAP_NS]


def test_steps_go_on_into_the_next_round(play: Play) -> None:
    playback = play(at(0, S), loop=True, start_paused=True)
    playback.start(NOW)
    assert payloads(playback.step(5).messages) == [b"0", b"1", b"0", b"1", b"0"]
    assert payloads(playback.step().messages) == [b"1"]
    playback.resume(NOW + 9 * S)
    assert due_times(playback, 2) == [9 * S, 10 * S]
