"""Messages in, one observation or rejection per closed tick out; nothing else decides."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import CameraSpec, Profile, load_profile
from alpamayo_ros.pipeline.observer import MAX_STAMP_NS, Observer, Seen, latest_stamp_ns, make_tick_rule
from alpamayo_ros.pipeline.requested_ticks import RequestedTicks
from alpamayo_ros.structs.camera import CameraFrame, CameraIntrinsics
from alpamayo_ros.structs.navigation import Navigation, NavigationCommand
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.structs.tick import Rejection, TickOutcome

MS = 1_000_000
ONE_CAMERA = load_profile(str(Path(__file__).parents[2] / "profiles" / "one_camera.yaml"))
KINEMATIC = load_profile("kinematic")
JPEG = cv2.imencode(".jpg", np.full((36, 64, 3), 99, dtype=np.uint8))[1].tobytes()


def observer(profile: Profile = KINEMATIC, **values: Any) -> Observer:
    return Observer(profile, PerceptionParams(), **values)


def sample(stamp_ns: int) -> OdometrySample:
    return OdometrySample(stamp_ns, 8e-9 * stamp_ns, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def drive(target: Observer, start_ms: int, stop_ms: int, step_ms: int = 20) -> list[Seen]:
    return [seen for stamp in range(start_ms, stop_ms, step_ms) for seen in target.feed_odometry(sample(stamp * MS))]


def test_every_closed_tick_comes_out_once_with_what_was_seen() -> None:
    seen = drive(observer(), 0, 2001)
    assert [item.tick.t0_ns for item in seen] == [time * MS for time in range(0, 2001, 100)]
    assert [isinstance(item.result, Observation) for item in seen] == [False] * 15 + [True] * 6
    observation = seen[-1].result
    assert isinstance(observation, Observation)
    assert (observation.t0_ns, observation.epoch, observation.images) == (2000 * MS, 0, None)


@pytest.mark.parametrize("stamp_ns", [-1, -(2**63), MAX_STAMP_NS, MAX_STAMP_NS + 1, 2**63 - 1])
def test_a_stamp_that_no_output_could_carry_is_dropped_and_counted(stamp_ns: int) -> None:
    target = observer(ONE_CAMERA)
    assert target.feed_odometry(sample(stamp_ns)) == []
    assert target.feed_frame(CameraFrame("front", stamp_ns, "jpeg", JPEG)) == []
    assert (target.dropped, target.open_at_end, target.epoch) == ({"odometry": 1, "front": 1}, 0, 0)


def test_the_last_usable_stamp_leaves_room_for_the_declared_latency() -> None:
    latest = latest_stamp_ns(KINEMATIC)
    assert latest == MAX_STAMP_NS - KINEMATIC.declared_latency_ms * MS
    assert len(observer().feed_odometry(sample(latest))) == 1
    assert observer().feed_odometry(sample(latest + 1)) == []


def test_a_wrong_stamp_does_not_stop_what_comes_after_it() -> None:
    target = observer()
    target.feed_odometry(sample(0))
    target.feed_odometry(sample(2**62))
    assert [seen.tick.t0_ns for seen in drive(target, 20, 201)] == [100 * MS, 200 * MS]
    assert target.dropped == {"odometry": 1}


def test_bad_and_old_stamps_of_one_input_are_added_up() -> None:
    target = observer()
    for stamp_ns in (MS, MS, 0, -1):
        target.feed_odometry(sample(stamp_ns))
    assert target.dropped == {"odometry": 3}


def test_inputs_that_dropped_nothing_are_not_listed() -> None:
    target = observer(ONE_CAMERA)
    target.feed_odometry(sample(0))
    assert target.dropped == {}


def test_a_step_back_ends_open_ticks_and_forgets_what_was_seen() -> None:
    target = observer(ONE_CAMERA)
    drive(target, 10_000, 10_201)
    assert target.open_at_end == 3
    seen = target.feed_odometry(sample(8000 * MS))
    assert [(item.tick.t0_ns // MS, item.tick.epoch) for item in seen] == [(10_000, 0), (10_100, 0), (10_200, 0)]
    for item in seen:
        assert isinstance(item.result, Rejection)
        assert item.result.outcome is TickOutcome.TIME_BACKWARDS
        assert "odometry stepped back by 2200.0 ms" in item.result.text
    assert (target.epoch, target.open_at_end) == (1, 1)


def test_after_a_step_back_history_must_be_filled_anew() -> None:
    target = observer()
    drive(target, 10_000, 12_001)
    again = drive(target, 5000, 6601)
    outcomes = [item.result.outcome if isinstance(item.result, Rejection) else None for item in again]
    assert outcomes == [TickOutcome.HISTORY_TOO_SHORT] * 15 + [None] * 2
    assert {item.tick.epoch for item in again} == {1}


def test_a_picture_closes_ticks_as_odometry_does() -> None:
    target = observer(ONE_CAMERA)
    drive(target, 0, 101)
    seen = target.feed_frame(CameraFrame("front", 120 * MS, "jpeg", JPEG))
    assert [item.tick.t0_ns for item in seen] == [0, 100 * MS]


def test_camera_info_closes_nothing_and_counts_nothing() -> None:
    target = observer(ONE_CAMERA)
    lens = CameraIntrinsics(64, 36, (50.0, 0.0, 32.0, 0.0, 50.0, 18.0, 0.0, 0.0, 1.0))
    target.feed_camera_info("front", lens)
    assert (target.open_at_end, target.dropped) == (0, {})


def test_an_unknown_camera_is_refused_with_the_known_inputs() -> None:
    with pytest.raises(ValueError, match="input 'rear' is not known; expected one of: front, odometry"):
        observer(ONE_CAMERA).feed_frame(CameraFrame("rear", 0, "jpeg", JPEG))


def test_requested_ticks_take_the_place_of_those_that_the_trigger_gives() -> None:
    target = observer(requested=[(0, 1550 * MS), (0, 1700 * MS), (7, 0), (0, 9000 * MS)])
    assert [item.tick.t0_ns // MS for item in drive(target, 0, 2001)] == [1550, 1700]
    assert target.not_opened == 2
    assert observer().not_opened == 0


def test_the_rule_is_the_profiles() -> None:
    rule = make_tick_rule(ONE_CAMERA, PerceptionParams())
    assert dict(rule.dropped) == {"odometry": 0, "front": 0}
    assert not isinstance(rule, RequestedTicks)
    assert isinstance(make_tick_rule(ONE_CAMERA, PerceptionParams(), []), RequestedTicks)


def test_while_the_trigger_is_silent_the_other_inputs_do_not_pile_up() -> None:
    target = observer(ONE_CAMERA)
    target.feed_odometry(sample(0))
    for index in range(3000):
        target.feed_frame(CameraFrame("front", index * 100 * MS, "jpeg", JPEG))
    buffered = len(target._assembler._cameras["front"]._frames)
    assert buffered < 120, "2.3 s at 10 Hz and up to 64 more"


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(-1500, 400)), max_size=150))
def test_whatever_arrives_every_tick_comes_out_once_or_is_open_at_the_end(steps: list[tuple[bool, int]]) -> None:
    target = observer(ONE_CAMERA)
    now = {True: 10_000, False: 10_000}
    keys: list[tuple[int, int]] = []
    fed = 0
    for is_odometry, step_ms in steps:
        now[is_odometry] = max(-5, now[is_odometry] + step_ms)
        stamp_ns = now[is_odometry] * MS
        epoch = target.epoch
        feed = target.feed_odometry(sample(stamp_ns)) if is_odometry else target.feed_frame(
            CameraFrame("front", stamp_ns, "jpeg", b"broken")
        )  # fmt: skip
        fed += 1
        assert target.epoch - epoch in (0, 1)
        keys += [(item.tick.epoch, item.tick.t0_ns) for item in feed]
        for item in feed:
            if isinstance(item.result, Observation):
                assert (item.result.epoch, item.result.t0_ns) == (item.tick.epoch, item.tick.t0_ns)
    assert keys == sorted(set(keys))
    assert sum(target.dropped.values()) <= fed


@given(lag_ms=st.sampled_from([0, 400, 2700, 4000]), randomness=st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_between_the_messages_that_decide_topics_may_overtake_each_other(lag_ms: int, randomness: Any) -> None:
    """What a lockstep replay relies on, also where a trigger lags so far that the others' past is forgotten."""
    camera = replace(ONE_CAMERA, cameras=(CameraSpec("front"), CameraSpec("rear")), trigger="rear")
    arrivals = [(time_ms, "odometry", time_ms) for time_ms in range(0, 9000, 20)]
    arrivals += [(time_ms + 1, "front", time_ms) for time_ms in range(0, 9000, 50)]
    arrivals += [(time_ms + (lag_ms if time_ms >= 4000 else 2), "rear", time_ms) for time_ms in range(0, 9000, 100)]
    events = [(name, stamp_ms * MS) for _, name, stamp_ms in sorted(arrivals)]
    rule, batches = make_tick_rule(camera, PerceptionParams()), [[]]  # type: ignore[var-annotated]
    for name, stamp_ns in events:
        advance = rule.advance(name, stamp_ns)
        if advance.closed:
            batches += [[(name, stamp_ns)], []]
        else:
            batches[-1].append((name, stamp_ns))
    shuffled = [event for batch in batches for event in overtaking(batch, randomness)]
    assert outcomes_of(camera, shuffled) == outcomes_of(camera, events)


def overtaking(batch: list[tuple[str, int]], randomness: Any) -> list[tuple[str, int]]:
    """Return the messages of a batch with the order within each topic kept and that between topics left to chance."""
    queues = {name: [event for event in batch if event[0] == name] for name, _ in batch}
    order = []
    while any(queues.values()):
        name = randomness.choice(sorted(name for name, queue in queues.items() if queue))
        order.append(queues[name].pop(0))
    return order


def outcomes_of(profile: Profile, events: list[tuple[str, int]]) -> list[tuple[int, str]]:
    target, found = observer(profile), []
    for name, stamp_ns in events:
        if name == "odometry":
            seen = target.feed_odometry(sample(stamp_ns))
        else:
            seen = target.feed_frame(CameraFrame(name, stamp_ns, "jpeg", JPEG))
        found += [
            (item.tick.t0_ns, item.result.text if isinstance(item.result, Rejection) else "seen") for item in seen
        ]
    return found


NAVIGATED = replace(KINEMATIC, navigation=True)


def command(stamp_ms: int, navigation: Navigation = Navigation.LEFT) -> NavigationCommand:
    return NavigationCommand(stamp_ms * MS, navigation)


def navigation_of(seen: list[Seen]) -> dict[int, Navigation]:
    return {item.tick.t0_ns // MS: item.result.navigation for item in seen if isinstance(item.result, Observation)}


def test_the_newest_command_at_or_before_t0_holds() -> None:
    target = observer(NAVIGATED)
    for item in (command(1600), command(1750, Navigation.RIGHT), command(1900, Navigation.NONE)):
        target.feed_navigation(item)
    assert navigation_of(drive(target, 0, 2001)) == {
        1500: Navigation.NONE, 1600: Navigation.LEFT, 1700: Navigation.LEFT, 1800: Navigation.RIGHT,
        1900: Navigation.NONE, 2000: Navigation.NONE,
    }  # fmt: skip
    assert target.dropped == {}


def test_a_command_that_comes_after_its_tick_closed_changes_later_ticks_only() -> None:
    target = observer(NAVIGATED)
    first = navigation_of(drive(target, 0, 1801))
    target.feed_navigation(command(1500))
    assert set(first.values()) == {Navigation.NONE}
    assert navigation_of(drive(target, 1820, 2001)) == {1900: Navigation.LEFT, 2000: Navigation.LEFT}


def test_a_command_that_is_not_repeated_is_forgotten() -> None:
    target = Observer(NAVIGATED, PerceptionParams(navigation_max_age_ms=500))
    target.feed_navigation(command(1500))
    held = navigation_of(drive(target, 0, 2301))
    assert [time for time, navigation in held.items() if navigation] == [1500, 1600, 1700, 1800, 1900, 2000]


def test_a_profile_without_navigation_ignores_commands() -> None:
    target = observer()
    target.feed_navigation(command(-1))
    target.feed_navigation(command(1500))
    assert set(navigation_of(drive(target, 0, 2001)).values()) == {Navigation.NONE}
    assert target.dropped == {}


def test_commands_of_no_use_are_dropped_and_counted() -> None:
    target = observer(NAVIGATED)
    for stamp_ns in (-1, MAX_STAMP_NS, 5, 5):
        target.feed_navigation(NavigationCommand(stamp_ns, Navigation.LEFT))
    assert target.dropped == {"navigation": 3}


def test_a_step_back_of_time_forgets_commands_and_drops_those_that_come_late() -> None:
    target = observer(NAVIGATED)
    drive(target, 8000, 10_001)
    target.feed_navigation(command(1600))
    assert target.epoch == 0
    drive(target, 0, 21)
    assert target.epoch == 1
    target.feed_navigation(command(9900))
    target.feed_navigation(command(900))
    held = navigation_of(drive(target, 40, 2001))
    assert target.dropped == {"navigation": 1}
    assert set(held.values()) == {Navigation.LEFT}


def test_pictures_do_not_take_the_command_away() -> None:
    target = Observer(replace(ONE_CAMERA, navigation=True), PerceptionParams())
    target.feed_navigation(command(1900, Navigation.STRAIGHT))
    found: list[Seen] = []
    for stamp in range(0, 2101, 20):
        found += target.feed_odometry(sample(stamp * MS))
        if not stamp % 100:
            found += target.feed_frame(CameraFrame("front", stamp * MS, "jpeg", JPEG))
    assert navigation_of(found)[2000] is Navigation.STRAIGHT
