"""Perceiving happens in the thread of the stages, and every observation comes out or is told of."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")

from alpamayo_ros.errors import BackendError
from alpamayo_ros.pipeline.stages import Perceiving
from alpamayo_ros.ros.perceive_stage import PerceiveStage
from alpamayo_ros.ros.worker import StageWorker
from alpamayo_ros.structs.observation import Observation

pytestmark = pytest.mark.ros
WAIT_S = 10.0


class FakePerceiver:
    """Marks observations with an epoch, or fails."""

    def __init__(self, error: Exception | None = None, during: Callable[[], None] = lambda: None) -> None:
        self.error = error
        self.during = during
        self.thread = ""

    def perceive(self, observation: Observation) -> Observation:
        self.thread = threading.current_thread().name
        self.during()
        if self.error is not None:
            raise self.error
        return replace(observation, epoch=7)


class Taker:
    """Writes down what it is given."""

    def __init__(self) -> None:
        self.given: list[Observation] = []
        self.failed: list[tuple[Observation, Exception]] = []
        self.waits = True

    def in_work(self, observation: Observation) -> bool:
        return self.waits

    def give(self, observation: Observation) -> None:
        self.given.append(observation)

    def fail(self, observation: Observation, error: Exception) -> None:
        self.failed.append((observation, error))


@pytest.fixture
def worker() -> Iterator[StageWorker]:
    """Give a worker that ends with the test."""
    made = StageWorker("test stages")
    yield made
    assert made.close(WAIT_S)


def stage(perceiver: Any, worker: StageWorker, taker: Taker) -> PerceiveStage:
    return PerceiveStage(Perceiving(perceiver=perceiver), worker, taker.in_work, taker.give, taker.fail)


def test_what_was_perceived_is_given_on_from_the_thread_of_the_stages(
    worker: StageWorker, straight_observation: Callable[..., Observation]
) -> None:
    taker, perceiver = Taker(), FakePerceiver()
    made = stage(perceiver, worker, taker)
    made.run(straight_observation())
    assert made.drain(WAIT_S)
    assert [observation.epoch for observation in taker.given] == [7]
    assert perceiver.thread == "test stages"


def test_without_a_perceive_stage_it_is_given_on_at_once_as_it_is(
    worker: StageWorker, straight_observation: Callable[..., Observation]
) -> None:
    taker, observation = Taker(), straight_observation()
    made = stage(None, worker, taker)
    made.run(observation)
    assert taker.given == [observation]
    assert made.drain(0.0)


@pytest.mark.parametrize("error", [BackendError("no"), RuntimeError("a defect")])
def test_whatever_goes_wrong_is_told(
    worker: StageWorker, straight_observation: Callable[..., Observation], error: Exception
) -> None:
    taker, observation = Taker(), straight_observation()
    made = stage(FakePerceiver(error), worker, taker)
    made.run(observation)
    assert made.drain(WAIT_S)
    assert taker.failed == [(observation, error)]
    assert taker.given == []


@pytest.mark.parametrize("error", [None, BackendError("no")])
def test_a_tick_that_was_given_up_meanwhile_gets_no_second_outcome(
    worker: StageWorker, straight_observation: Callable[..., Observation], error: Exception | None
) -> None:
    taker = Taker()
    made = stage(FakePerceiver(error, lambda: setattr(taker, "waits", False)), worker, taker)
    made.run(straight_observation())
    assert made.drain(WAIT_S)
    assert (taker.given, taker.failed) == ([], [])


def test_a_tick_that_was_given_up_before_its_turn_is_not_perceived(
    worker: StageWorker, straight_observation: Callable[..., Observation]
) -> None:
    taker, perceiver = Taker(), FakePerceiver()
    taker.waits = False
    made = stage(perceiver, worker, taker)
    made.run(straight_observation())
    assert made.drain(WAIT_S)
    assert (perceiver.thread, taker.given) == ("", [])
