"""Recorded ticks open again at exactly their t0."""

from alpamayo_ros.pipeline.requested_ticks import RequestedTicks

MS = 1_000_000


def closed(rule: RequestedTicks, stamps_ms: list[int]) -> list[tuple[int, int]]:
    return [
        (tick.epoch, tick.t0_ns // MS) for stamp in stamps_ms for tick in rule.advance("odometry", stamp * MS).closed
    ]


def test_only_the_requested_ticks_are_run() -> None:
    rule = RequestedTicks(("odometry",), "odometry", [(0, 300 * MS), (0, 100 * MS)])
    assert closed(rule, [0, 100, 200, 300, 400]) == [(0, 100), (0, 300)]


def test_a_tick_between_two_trigger_stamps_opens_with_the_later_one() -> None:
    rule = RequestedTicks(("odometry",), "odometry", [(0, 150 * MS)])
    assert closed(rule, [100]) == []
    assert closed(rule, [200]) == [(0, 150)]


def test_a_tick_after_the_end_never_opens() -> None:
    rule = RequestedTicks(("odometry",), "odometry", [(0, 900 * MS)])
    assert closed(rule, [0, 100]) == []
    assert rule.open_ticks == ()


def test_ticks_of_the_next_epoch_wait_for_the_step_back() -> None:
    rule = RequestedTicks(("odometry",), "odometry", [(0, 5000 * MS), (0, 5300 * MS), (1, 100 * MS)])
    assert closed(rule, [5000, 5100, 100, 200]) == [(0, 5000), (1, 100)]


def test_buffers_are_kept_as_far_back_as_the_next_requested_tick() -> None:
    rule = RequestedTicks(("odometry", "front"), "odometry", [(0, 100 * MS)])
    rule.advance("front", 250 * MS)
    assert rule.keep_from_ns == 100 * MS
    rule.advance("odometry", 100 * MS)
    assert rule.keep_from_ns is None


def test_ticks_that_never_opened_are_counted() -> None:
    rule = RequestedTicks(("odometry",), "odometry", [(0, 100 * MS), (0, 6000 * MS), (1, 900 * MS)])
    assert closed(rule, [0, 100, 5000, 200]) == [(0, 100)]
    assert rule.not_opened == 2
