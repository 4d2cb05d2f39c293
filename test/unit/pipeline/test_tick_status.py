"""What became of a tick is worded once, for the process and for the graph."""

import pytest

from alpamayo_ros.errors import BackendError, TensorSpecError
from alpamayo_ros.pipeline.tick_rule import OpenTick
from alpamayo_ros.pipeline.tick_status import answered, rejected, skipped_busy, stage_failed
from alpamayo_ros.structs.tick import Rejection, TickOutcome, TickStatus


def test_a_rejection_keeps_its_reason_and_text() -> None:
    status = rejected(OpenTick(5, 2), "front", Rejection(TickOutcome.CAMERA_STALE, "stale by 7 ms"))
    assert status == TickStatus(5, 2, "front", TickOutcome.CAMERA_STALE, "stale by 7 ms")
    assert status.error_code == 0


def test_an_answer_is_no_error() -> None:
    assert answered(5, 2, "front") == TickStatus(5, 2, "front", TickOutcome.ANSWERED, "answered")


@pytest.mark.parametrize(
    ("error", "text", "code"),
    [
        (BackendError("no answer"), "no answer", 300),
        (TensorSpecError("another shape"), "another shape", 302),
        (ZeroDivisionError("division by zero"), "internal error: ZeroDivisionError: division by zero", 1),
        (KeyError("window_s"), "internal error: KeyError: 'window_s'", 1),
    ],
)
def test_a_failure_has_the_code_of_its_error_and_one_that_is_not_ours_is_internal(
    error: Exception, text: str, code: int
) -> None:
    assert stage_failed(5, 2, "front", error) == TickStatus(5, 2, "front", TickOutcome.STAGE_FAILED, text, code)


def test_a_skipped_tick_names_who_was_busy_and_who_took_its_place() -> None:
    status = skipped_busy(20, 1, "front", busy_t0_ns=10, newer_t0_ns=30)
    assert (status.t0_ns, status.epoch, status.outcome) == (20, 1, TickOutcome.SKIPPED_BUSY)
    assert status.text == "SKIPPED_BUSY: the stages were busy with t0 10 ns until t0 30 ns closed"
