"""The stages get one observation at a time, and no tick is lost or sent twice."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.pipeline.dispatch import Decision, Dispatch, Key, key_of
from alpamayo_ros.structs.observation import EgoHistory, Observation
from alpamayo_ros.structs.tick import TickOutcome, TickStatus

MS = 1_000_000
HISTORY = EgoHistory(*(np.zeros(size) for size in (1, (1, 3), (1, 3, 3), 3, 4)))  # type: ignore[arg-type]
Build = Callable[..., Observation]


def seen(t0_ms: int, epoch: int = 0) -> Observation:
    return Observation(t0_ms * MS, epoch, HISTORY)


def test_an_idle_stage_gets_what_is_offered_at_once() -> None:
    dispatch = Dispatch("odometry", skip_when_busy=True)
    observation = seen(100, epoch=2)
    assert dispatch.offer(observation) == Decision(send=observation)
    assert (dispatch.busy_with, dispatch.waiting) == ((2, 100 * MS), 0)


def test_live_the_newest_waits_and_the_one_that_it_overtakes_is_skipped_with_words() -> None:
    dispatch = Dispatch("front", skip_when_busy=True)
    dispatch.offer(seen(100))
    assert dispatch.offer(seen(200)) == Decision()
    skipped = dispatch.offer(seen(300)).skipped
    assert skipped == (
        TickStatus(
            200 * MS, 0, "front", TickOutcome.SKIPPED_BUSY,
            "SKIPPED_BUSY: the stages were busy with t0 100000000 ns until t0 300000000 ns closed",
        ),
    )  # fmt: skip
    assert dispatch.waiting == 1
    newest = dispatch.finish((0, 100 * MS)).send
    assert newest is not None
    assert newest.t0_ns == 300 * MS


def test_a_replay_answers_every_tick_in_order() -> None:
    dispatch = Dispatch("odometry", skip_when_busy=False)
    assert [dispatch.offer(seen(time)).send is not None for time in (100, 200, 300)] == [True, False, False]
    assert dispatch.waiting == 2
    sent = [dispatch.finish((0, time * MS)).send for time in (100, 200, 300)]
    assert [item and item.t0_ns // MS for item in sent] == [200, 300, None]
    assert (dispatch.busy_with, dispatch.waiting) == (None, 0)


@pytest.mark.parametrize("key", [(0, 200 * MS), (1, 100 * MS), (0, 0)])
def test_news_of_another_tick_or_of_another_epoch_change_nothing(key: Key) -> None:
    dispatch = Dispatch("odometry", skip_when_busy=True)
    dispatch.offer(seen(100))
    dispatch.offer(seen(200))
    assert dispatch.finish(key) == Decision()
    assert (dispatch.busy_with, dispatch.waiting) == ((0, 100 * MS), 1)


def test_news_that_come_twice_do_not_end_the_next_tick() -> None:
    dispatch = Dispatch("odometry", skip_when_busy=True)
    dispatch.offer(seen(100))
    dispatch.offer(seen(200))
    dispatch.finish((0, 100 * MS))
    assert dispatch.finish((0, 100 * MS)) == Decision()
    assert dispatch.busy_with == (0, 200 * MS)


def test_an_idle_stage_that_finishes_something_stays_idle() -> None:
    dispatch = Dispatch("odometry", skip_when_busy=True)
    assert dispatch.finish((0, 0)) == Decision()
    assert dispatch.busy_with is None


def test_an_observation_and_its_status_have_one_key(straight_observation: Build) -> None:
    observation = replace(straight_observation(), epoch=3)
    assert key_of(observation) == key_of(TickStatus(observation.t0_ns, 3, "x", TickOutcome.ANSWERED, "")) == (
        3, 1_700_000_000_000_000_000,
    )  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(
    skip=st.booleans(),
    events=st.lists(st.sampled_from(["offer", "finish", "finish another", "new epoch"]), max_size=60),
)
def test_every_observation_is_sent_once_or_skipped_once_or_waits(skip: bool, events: list[str]) -> None:
    dispatch = Dispatch("odometry", skip_when_busy=skip)
    offered: list[Key] = []
    sent: list[Key] = []
    skipped: list[Key] = []
    epoch = 0
    for index, event in enumerate(events):
        busy = dispatch.busy_with
        if event == "offer":
            observation = seen(100 * (index + 1 if epoch % 2 == 0 else 1000 - index), epoch)
            offered.append(key_of(observation))
            decision = dispatch.offer(observation)
        elif event == "finish" and busy is not None:
            decision = dispatch.finish(busy)
        else:
            epoch += event == "new epoch"
            decision = dispatch.finish((-1, 0))
            assert decision == Decision()
        if decision.send is not None:
            assert busy is None or event == "finish", "a stage got a second tick while it was busy"
            sent.append(key_of(decision.send))
        skipped += map(key_of, decision.skipped)
        assert dispatch.waiting == len(offered) - len(sent) - len(skipped)
        assert dispatch.waiting == 0 or dispatch.busy_with is not None, "a stage is idle although a tick waits"
        assert not skip or dispatch.waiting <= 1
    assert len({*sent, *skipped}) == len(sent) + len(skipped)
    assert [key for key in offered if key in sent] == sent
    assert [key for key in offered if key in skipped] == skipped
    assert skip or not skipped
    waiting = offered[len(offered) - dispatch.waiting :]
    assert {*sent, *skipped, *waiting} == set(offered)
