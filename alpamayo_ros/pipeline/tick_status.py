"""Word what became of a tick, in process and in the graph alike."""

from alpamayo_ros.errors import AlpamayoError
from alpamayo_ros.pipeline.tick_rule import OpenTick
from alpamayo_ros.structs.tick import Rejection, TickOutcome, TickStatus


def rejected(tick: OpenTick, trigger: str, rejection: Rejection) -> TickStatus:
    """Return the status of a tick that got no observation."""
    return TickStatus(tick.t0_ns, tick.epoch, trigger, rejection.outcome, rejection.text)


def answered(t0_ns: int, epoch: int, trigger: str) -> TickStatus:
    """Return the status of a tick that got a rationale and a trajectory set."""
    return TickStatus(t0_ns, epoch, trigger, TickOutcome.ANSWERED, "answered")


def stage_failed(t0_ns: int, epoch: int, trigger: str, error: Exception) -> TickStatus:
    """Return the status of a tick whose stage raised an error; one that is not ours is an internal error."""
    if isinstance(error, AlpamayoError):
        return TickStatus(t0_ns, epoch, trigger, TickOutcome.STAGE_FAILED, str(error), error.error_code)
    text = f"internal error: {type(error).__name__}: {error}"
    return TickStatus(t0_ns, epoch, trigger, TickOutcome.STAGE_FAILED, text, AlpamayoError.error_code)


def skipped_busy(t0_ns: int, epoch: int, trigger: str, busy_t0_ns: int, newer_t0_ns: int) -> TickStatus:
    """Return the status of a tick that a newer one overtook while the stages were busy.

    Args:
        t0_ns: The skipped tick.
        epoch: Its epoch.
        trigger: Id of the input that gave it.
        busy_t0_ns: The tick that the stages were busy with.
        newer_t0_ns: The tick that took its place.
    """
    text = f"SKIPPED_BUSY: the stages were busy with t0 {busy_t0_ns} ns until t0 {newer_t0_ns} ns closed"
    return TickStatus(t0_ns, epoch, trigger, TickOutcome.SKIPPED_BUSY, text)


def skipped_at_end(t0_ns: int, epoch: int, trigger: str) -> TickStatus:
    """Return the status of a tick that waited for busy stages when perception was taken down."""
    text = "SKIPPED_BUSY: perception was taken down while the stages were busy"
    return TickStatus(t0_ns, epoch, trigger, TickOutcome.SKIPPED_BUSY, text)
