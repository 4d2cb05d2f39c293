"""What perception knows of its ticks: counts, who is in work, and who is overdue."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from alpamayo_ros.envelope.document import Envelope
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import load_profile
from alpamayo_ros.pipeline.dispatch import Decision, key_of
from alpamayo_ros.pipeline.setup import set_up_stack
from alpamayo_ros.pipeline.tick_status import answered, stage_failed
from alpamayo_ros.ros.tick_ledger import TickLedger
from alpamayo_ros.structs.camera import RigCalibration
from alpamayo_ros.structs.navigation import Navigation, NavigationCommand
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.structs.tick import TickOutcome

MS = 1_000_000
START_NS = 1_700_000_000_000_000_000
PROFILES = Path(__file__).parents[2] / "profiles"
Build = Callable[..., Observation]


class Steady:
    """A steady clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.ns = 5_000

    def __call__(self) -> int:
        return self.ns


def make(profile: str = "kinematic", clock: Steady | None = None, requested: Any = None, **values: Any) -> TickLedger:
    parameters = NodeParameters(perception=PerceptionParams(**values))
    stack = set_up_stack(load_profile(profile), parameters, RigCalibration(), Envelope())
    return TickLedger(stack, requested, clock or Steady())


def seen(build: Build, index: int, epoch: int = 0) -> Observation:
    return replace(build(t0_ns=START_NS + index * 100 * MS), epoch=epoch)


def drive(ledger: TickLedger, start_ns: int, count: int, step_ns: int = 20 * MS) -> None:
    for index in range(count):
        sample = OdometrySample(start_ns + index * step_ns, 0.16 * index, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
        ledger.count("odometry", ledger.observer.feed_odometry(sample))


def test_before_anything_came_every_input_is_listed_with_nothing() -> None:
    counts = make(str(PROFILES / "one_camera.yaml")).input_counts()
    assert counts.inputs == ("odometry", "front", "front/camera_info")
    assert (counts.received, counts.dropped, counts.newest_stamp_ns) == ((0, 0, 0), (0, 0, 0), (-1, -1, -1))
    assert (counts.epoch, counts.last_closed_ns) == (0, -1)


def test_messages_and_the_ticks_that_they_close_are_counted() -> None:
    ledger = make()
    drive(ledger, START_NS, 11)
    counts = ledger.input_counts()
    assert (counts.received, counts.newest_stamp_ns) == ((11,), (START_NS + 200 * MS,))
    assert counts.last_closed_ns == START_NS + 200 * MS
    assert ledger.facts(()).closed == 3


def test_what_was_dropped_and_what_could_not_be_used_are_one_number() -> None:
    ledger = make()
    drive(ledger, START_NS, 2)
    drive(ledger, START_NS, 2)
    ledger.count_unusable("odometry")
    counts = ledger.input_counts()
    assert (counts.received, counts.dropped) == ((5,), (3,))


def test_a_stamp_that_was_dropped_is_not_the_newest() -> None:
    ledger = make()
    drive(ledger, START_NS, 2)
    far = OdometrySample(2**62, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    ledger.count("odometry", ledger.observer.feed_odometry(far))
    assert ledger.input_counts().dropped == (1,)
    assert ledger.input_counts().newest_stamp_ns == (START_NS + 20 * MS,)


def test_after_a_step_back_the_newest_stamp_is_that_of_the_new_epoch() -> None:
    ledger = make()
    drive(ledger, START_NS, 11)
    drive(ledger, START_NS - 60_000 * MS, 3)
    counts = ledger.input_counts()
    assert counts.epoch == 1
    assert counts.newest_stamp_ns == (START_NS - 60_000 * MS + 40 * MS,)
    assert counts.last_closed_ns == START_NS - 60_000 * MS


def test_camera_info_has_a_count_and_no_stamp() -> None:
    ledger = make(str(PROFILES / "one_camera.yaml"))
    ledger.count("front/camera_info", [])
    counts = ledger.input_counts()
    assert (counts.received, counts.newest_stamp_ns) == ((0, 0, 1), (-1, -1, -1))


def test_a_tick_in_work_is_known_with_its_age(straight_observation: Build) -> None:
    clock = Steady()
    ledger = make(clock=clock)
    assert ledger.facts(()).busy_ns is None
    ledger.offer(seen(straight_observation, 0))
    clock.ns += 70
    facts = ledger.facts(())
    assert (facts.busy_ns, facts.busy_text) == (70, f"t0 {START_NS} ns")


def test_an_answer_ends_the_row_of_rejections_and_a_rejection_begins_one(straight_observation: Build) -> None:
    ledger = make()
    for text in ("first", "second"):
        ledger.note(replace(answered(0, 0, "odometry"), outcome=TickOutcome.ODOMETRY_GAP, text=text))
    facts = ledger.facts(())
    assert (facts.rejected_in_a_row, facts.last_rejection, facts.answered) == (2, "second", 0)
    ledger.offer(seen(straight_observation, 0))
    ledger.finish(answered(START_NS, 0, "odometry"))
    facts = ledger.facts(())
    assert (facts.rejected_in_a_row, facts.last_rejection, facts.answered, facts.busy_ns) == (0, "", 1, None)


def test_a_failed_stage_counts_as_no_answer(straight_observation: Build) -> None:
    ledger = make()
    ledger.offer(seen(straight_observation, 0))
    ledger.finish(stage_failed(START_NS, 0, "odometry", ValueError("x")))
    facts = ledger.facts(())
    assert (facts.answered, facts.rejected_in_a_row) == (0, 1)


def test_the_status_of_a_tick_that_is_not_in_work_changes_nothing(straight_observation: Build) -> None:
    ledger = make()
    ledger.offer(seen(straight_observation, 0))
    ledger.offer(seen(straight_observation, 1))
    for status in (answered(START_NS + 100 * MS, 0, "odometry"), answered(START_NS, 1, "odometry")):
        assert ledger.finish(status) == Decision()
    assert ledger.facts(()).answered == 0
    following = ledger.finish(answered(START_NS, 0, "odometry")).send
    assert following is not None
    assert following.t0_ns == START_NS + 100 * MS
    assert ledger.facts(()).answered == 1


def test_skipped_ticks_are_counted(straight_observation: Build) -> None:
    ledger = make()
    skipped = [status for index in range(4) for status in ledger.offer(seen(straight_observation, index)).skipped]
    assert [status.t0_ns for status in skipped] == [START_NS + 100 * MS, START_NS + 200 * MS]
    assert ledger.facts(()).skipped == 2


def test_a_tick_is_overdue_just_after_its_time_and_the_next_has_its_own(straight_observation: Build) -> None:
    clock = Steady()
    ledger = make(clock=clock, answer_timeout_ms=300)
    assert ledger.overdue() is None
    ledger.offer(seen(straight_observation, 0))
    ledger.offer(seen(straight_observation, 1))
    clock.ns += 300 * MS
    assert ledger.overdue() is None
    clock.ns += 1
    overdue = ledger.overdue()
    assert overdue is not None
    assert (overdue.t0_ns, overdue.outcome, overdue.error_code) == (START_NS, TickOutcome.STAGE_FAILED, 300)
    assert "no answer within 300 ms; expected one of reasoning or planner" in overdue.text
    following = ledger.finish(overdue).send
    assert following is not None
    assert following.t0_ns == START_NS + 100 * MS
    assert ledger.overdue() is None
    clock.ns += 300 * MS + 1
    assert ledger.overdue() is not None


def test_zero_waits_for_ever(straight_observation: Build) -> None:
    clock = Steady()
    ledger = make(clock=clock, answer_timeout_ms=0)
    ledger.offer(seen(straight_observation, 0))
    clock.ns += 10**18
    assert ledger.overdue() is None


def test_requested_ticks_are_the_only_ones() -> None:
    ledger = make(requested=((0, START_NS + 50 * MS),))
    drive(ledger, START_NS, 11)
    assert ledger.facts(()).closed == 1
    assert ledger.input_counts().last_closed_ns == START_NS + 50 * MS


def test_two_threads_lose_no_tick_and_send_none_twice(straight_observation: Build) -> None:
    ledger = make(skip_when_busy=False)
    count = 300
    sent: list[int] = []
    arrived = threading.Semaphore(0)

    def take(decision: Decision) -> None:
        if decision.send is not None:
            sent.append(decision.send.t0_ns)
            arrived.release()

    def work() -> None:
        for index in range(count):
            if not arrived.acquire(timeout=30.0):
                return
            take(ledger.finish(answered(START_NS + index * 100 * MS, 0, "odometry")))

    thread = threading.Thread(target=work)
    thread.start()
    for index in range(count):
        take(ledger.offer(seen(straight_observation, index)))
    thread.join(60.0)
    assert not thread.is_alive()
    assert sent == [START_NS + index * 100 * MS for index in range(count)]
    assert ledger.facts(()).answered == count


def test_a_profile_that_takes_navigation_counts_its_commands() -> None:
    stack = set_up_stack(load_profile("kinematic"), NodeParameters(), RigCalibration(), Envelope())
    stack = replace(stack, profile=replace(stack.profile, navigation=True))
    ledger = TickLedger(stack, None, Steady())
    ledger.observer.feed_navigation(NavigationCommand(-1, Navigation.LEFT))
    ledger.count("navigation", [])
    counts = ledger.input_counts()
    assert (counts.inputs, counts.received, counts.dropped) == (("odometry", "navigation"), (0, 1), (0, 1))
    assert make().input_counts().inputs == ("odometry",)


def test_a_tick_is_in_work_from_its_turn_until_it_has_an_outcome(straight_observation: Build) -> None:
    ledger = make()
    first, second = seen(straight_observation, 0), seen(straight_observation, 1)
    ledger.offer(first)
    ledger.offer(second)
    assert (ledger.in_work(key_of(first)), ledger.in_work(key_of(second))) == (True, False)
    ledger.finish(ledger.failed(key_of(first), "no answer"))
    assert (ledger.in_work(key_of(first)), ledger.in_work(key_of(second))) == (False, True)
