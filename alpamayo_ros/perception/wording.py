"""Numbers of rejections in words."""

from alpamayo_ros.structs.tick import Rejection, TickOutcome


def rejection(outcome: TickOutcome, text: str) -> Rejection:
    """Return a rejection whose sentence starts with its code."""
    return Rejection(outcome, f"{outcome.name}: {text}")


def milliseconds(duration_ns: int) -> str:
    """Word a duration of whole nanoseconds with one decimal of a millisecond, e.g. ``212.0 ms``."""
    return f"{duration_ns / 1e6:.1f} ms"


def grid_time(offset_ns: int) -> str:
    """Word a time before t0, e.g. ``t0 - 700 ms``."""
    return f"t0 - {-offset_ns // 1_000_000} ms" if offset_ns else "t0"
