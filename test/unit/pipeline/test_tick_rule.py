"""Ticks open and close by stamps alone, exactly at the limits of the rule."""

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.pipeline.tick_rule import Advance, OpenTick, TickRule, time_backwards
from alpamayo_ros.structs.tick import TickOutcome

MS = 1_000_000
BASE = 1_557_539_956_000_000_000


def closed_times_ms(rule, stamps_ms, input_id="odometry"):
    """Feed stamps of one input and return the t0 of the ticks that closed, in ms after BASE."""
    closed = []
    for stamp_ms in stamps_ms:
        closed += rule.advance(input_id, BASE + round(stamp_ms * MS)).closed
    return [(tick.t0_ns - BASE) / MS for tick in closed]


def opened_times_ms(stamps_ms):
    return closed_times_ms(TickRule(["odometry"], "odometry"), stamps_ms)


def test_the_first_trigger_is_a_tick_and_the_next_is_due_a_period_later():
    assert opened_times_ms([0, 50, 94.999, 95, 99, 195]) == [0, 95, 195]


def test_due_times_do_not_drift_with_early_triggers():
    # 97, 195 are early against 100, 200; due stays on the grid of the first.
    assert opened_times_ms([0, 97, 194.999, 195, 294, 295]) == [0, 97, 195, 295]


def test_a_trigger_less_than_half_a_period_after_the_last_tick_waits():
    # 199 is 99 late, so due stays 200; 248.9 is 49.9 after it, 249 is 50.
    assert opened_times_ms([0, 199, 248.9, 249]) == [0, 199, 249]


def test_a_trigger_a_period_late_sets_the_grid_anew_and_one_less_late_does_not():
    assert opened_times_ms([0, 199.999, 250]) == [0, 199.999, 250]
    assert opened_times_ms([0, 200, 250, 294, 295]) == [0, 200, 295]
    assert opened_times_ms([0, 230, 324, 325]) == [0, 230, 325]


def test_a_jump_of_hours_makes_one_tick_and_a_new_grid():
    assert opened_times_ms([0, 7_200_000, 7_200_094, 7_200_095]) == [0, 7_200_000, 7_200_095]


@settings(deadline=None, max_examples=100)
@given(st.integers(10, 1000), st.integers(0, 100 * MS), st.data())
def test_ticks_are_at_least_half_a_period_and_for_fast_triggers_a_period_apart(rate_hz, phase_ns, data):
    period_ns = 1_000_000_000 // rate_hz
    rule = TickRule(["odometry"], "odometry")
    times = []
    for index in range(min(5 * rate_hz, 1500)):
        jitter_ns = data.draw(st.integers(0, period_ns // 3)) if index < 50 else 0
        times += [t.t0_ns for t in rule.advance("odometry", phase_ns + index * period_ns + jitter_ns).closed]
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert times
    assert all(step >= 50 * MS for step in steps)
    assert all(step <= 100 * MS + 2 * period_ns for step in steps)


def test_a_tick_closes_when_every_input_reached_it():
    rule = TickRule(["odometry", "front", "rear"], "front")
    assert rule.advance("front", BASE).closed == ()
    assert rule.advance("odometry", BASE + 5 * MS).closed == ()
    assert rule.advance("rear", BASE - 1).closed == ()
    assert rule.open_ticks == (OpenTick(BASE, 0),)
    assert rule.advance("rear", BASE).closed == (OpenTick(BASE, 0),)
    assert rule.open_ticks == ()


def test_a_silent_input_closes_ticks_only_when_another_passes_max_wait():
    rule = TickRule(["odometry", "front"], "front", max_wait_ns=300 * MS)
    rule.advance("front", BASE)
    rule.advance("front", BASE + 100 * MS)
    assert rule.advance("front", BASE + 300 * MS).closed == ()
    assert rule.advance("front", BASE + 300 * MS + 1).closed == (OpenTick(BASE, 0),)
    assert [tick.t0_ns for tick in rule.open_ticks] == [BASE + 100 * MS, BASE + 300 * MS]
    assert [tick.t0_ns for tick in rule.advance("front", BASE + 601 * MS).closed] == [BASE + 100 * MS, BASE + 300 * MS]


def test_a_late_trigger_behind_max_wait_closes_when_it_opens():
    rule = TickRule(["odometry", "front"], "front")
    rule.advance("odometry", BASE)
    assert rule.advance("front", BASE - 301 * MS).closed == (OpenTick(BASE - 301 * MS, 0),)


def test_several_ticks_close_at_once_in_the_order_of_t0():
    rule = TickRule(["odometry", "front"], "front")
    for index in range(3):
        rule.advance("front", BASE + index * 100 * MS)
    closed = rule.advance("odometry", BASE + 250 * MS).closed
    assert [tick.t0_ns for tick in closed] == [BASE, BASE + 100 * MS, BASE + 200 * MS]


def test_a_stamp_that_is_not_newer_is_dropped_and_counted_by_input():
    rule = TickRule(["odometry", "front"], "front")
    for input_id in ("odometry", "front"):
        assert rule.advance(input_id, BASE).accepted
    before = rule.open_ticks
    for input_id, stamp_ns in (("odometry", BASE), ("odometry", BASE - 3600 * 1000 * MS), ("front", BASE)):
        assert rule.advance(input_id, stamp_ns) == Advance(accepted=False)
    assert dict(rule.dropped) == {"odometry": 2, "front": 1}
    assert rule.open_ticks == before
    assert rule.epoch == 0


def test_a_dropped_stamp_closes_nothing():
    rule = TickRule(["odometry", "front"], "front")
    rule.advance("odometry", BASE - 1)
    rule.advance("front", BASE)
    assert rule.advance("odometry", BASE - 2).closed == ()
    assert rule.open_ticks


def test_a_trigger_that_steps_back_by_exactly_a_second_is_dropped():
    rule = TickRule(["odometry", "front"], "front")
    rule.advance("front", BASE)
    assert rule.advance("front", BASE - 1000 * MS) == Advance(accepted=False)
    assert (rule.epoch, rule.dropped["front"]) == (0, 1)


def test_a_trigger_that_steps_back_by_more_starts_an_epoch_with_that_stamp():
    rule = TickRule(["odometry", "front"], "front")
    rule.advance("odometry", BASE - 500 * MS)
    rule.advance("front", BASE)
    rule.advance("front", BASE + 100 * MS)
    back_ns = BASE + 100 * MS - 1000 * MS - 1
    advance = rule.advance("front", back_ns)
    assert advance.accepted
    assert advance.epoch_started
    assert advance.backwards == (OpenTick(BASE, 0), OpenTick(BASE + 100 * MS, 0))
    assert advance.closed == ()
    assert advance.step_back_ns == 1000 * MS + 1
    assert rule.epoch == 1
    assert rule.open_ticks == (OpenTick(back_ns, 1),)
    # The stamps of the other inputs are forgotten, so older ones count again.
    assert rule.advance("odometry", back_ns - MS).accepted
    assert rule.advance("odometry", back_ns).closed == (OpenTick(back_ns, 1),)


def test_a_sole_input_that_steps_back_closes_its_first_tick_at_once():
    rule = TickRule(["odometry"], "odometry")
    rule.advance("odometry", BASE)
    advance = rule.advance("odometry", 0)
    assert (advance.closed, advance.backwards, advance.epoch_started) == ((OpenTick(0, 1),), (), True)


def test_nothing_is_kept_before_the_first_stamp():
    assert TickRule(["odometry"], "odometry").keep_from_ns is None


def test_the_oldest_open_tick_is_kept():
    rule = TickRule(["odometry", "front"], "front")
    rule.advance("front", BASE)
    rule.advance("front", BASE + 100 * MS)
    assert rule.keep_from_ns == BASE
    rule.advance("odometry", BASE)
    assert rule.keep_from_ns == BASE + 100 * MS
    rule.advance("odometry", BASE + 100 * MS)
    assert rule.keep_from_ns == BASE + 195 * MS


def test_the_kept_time_follows_the_trigger_and_no_wrong_stamp_of_another_input():
    rule = TickRule(["odometry", "front"], "front")
    rule.advance("odometry", BASE)
    assert rule.keep_from_ns is None
    rule.advance("front", BASE)
    rule.advance("odometry", BASE + 3_600_000 * MS)
    assert rule.keep_from_ns == BASE + 95 * MS


def test_a_message_of_the_old_epoch_that_comes_late_does_not_shut_its_input_out():
    rule = TickRule(["front", "odometry"], "odometry")
    for step in range(20):
        rule.advance("odometry", BASE + 100 * step * MS)
        rule.advance("front", BASE + 100 * step * MS)
    back = BASE - 60_000 * MS
    assert rule.advance("odometry", back).epoch_started
    assert not rule.advance("front", BASE + 1960 * MS).accepted
    assert rule.advance("front", back + 10 * MS).accepted
    closed = [tick.t0_ns for tick in rule.advance("odometry", back + 100 * MS).closed]
    assert closed == [] or closed == [back]
    assert rule.advance("front", back + 110 * MS).closed
    assert rule.dropped["front"] == 1


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 400)), max_size=200))
def test_every_tick_is_at_or_after_the_time_that_was_kept_and_is_reported_once(steps):
    inputs = ["odometry", "front", "rear"]
    rule = TickRule(inputs, "front")
    clocks = [BASE] * 3
    opened, ended = [], []
    for index, step_ms in steps:
        # Inputs that run at most 300 ms apart, in any order.
        clocks[index] = max(clocks[index] + step_ms * MS, max(clocks) - 300 * MS)
        kept_ns, before = rule.keep_from_ns, rule.open_ticks
        advance = rule.advance(inputs[index], clocks[index])
        new = [t for t in (*advance.closed, *rule.open_ticks) if t not in before]
        assert kept_ns is None or all(tick.t0_ns >= kept_ns for tick in (*new, *advance.closed))
        opened += new
        ended += advance.closed
    assert ended + list(rule.open_ticks) == opened
    assert [t.t0_ns for t in opened] == sorted({t.t0_ns for t in opened})
    assert len(rule.open_ticks) <= 7


def test_an_unknown_input_and_an_unknown_trigger_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="input 'rear' is not known; expected one of: odometry"):
        TickRule(["odometry"], "odometry").advance("rear", 0)
    with pytest.raises(ValueError, match="trigger 'rear' is not known; expected one of: front, odometry"):
        TickRule(["odometry", "front"], "rear")


def test_doubled_inputs_and_empty_times_are_refused():
    with pytest.raises(ValueError, match="name one twice"):
        TickRule(["odometry", "odometry"], "odometry")
    with pytest.raises(ValueError, match="too short"):
        TickRule(["odometry"], "odometry", period_ns=0)
    with pytest.raises(ValueError, match="too short"):
        TickRule(["odometry"], "odometry", max_wait_ns=0)


def test_a_step_back_is_worded_with_its_size():
    rejection = time_backwards("front", 1500 * MS)
    assert rejection.outcome is TickOutcome.TIME_BACKWARDS
    assert rejection.text.startswith("TIME_BACKWARDS: stamps of front stepped back by 1500.0 ms")


def test_on_pandaset_79_ticks_close_with_a_camera_as_trigger_and_80_with_odometry():
    if "ALPAMAYO_DATA" not in os.environ:
        pytest.skip("ALPAMAYO_DATA is not set")
    root = Path(os.environ["ALPAMAYO_DATA"]) / "pandaset_seq002"

    def stamps(path):
        return [round(stamp_s * 1e6) * 1000 for stamp_s in json.loads(path.read_text())]

    streams = {"odometry": stamps(root / "lidar" / "timestamps.json")}
    for folder in sorted((root / "camera").iterdir()):
        streams[folder.name] = stamps(folder / "timestamps.json")
    messages = sorted((stamp_ns, name) for name, series in streams.items() for stamp_ns in series)
    assert len(streams) == 7

    rule = TickRule(list(streams), "front_left_camera")
    assert sum(len(rule.advance(name, stamp_ns).closed) for stamp_ns, name in messages) == 79
    assert len(rule.open_ticks) == 1
    rule = TickRule(["odometry"], "odometry")
    assert sum(len(rule.advance("odometry", stamp_ns).closed) for stamp_ns in streams["odometry"]) == 80
    assert rule.open_ticks == ()
