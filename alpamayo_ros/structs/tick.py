"""What became of each tick."""

from dataclasses import dataclass
from enum import IntEnum


class TickOutcome(IntEnum):
    """Outcome of one tick; the numbers are the constants of msg/TickStatus.msg."""

    ANSWERED = 0
    TIME_BACKWARDS = 1
    NO_ODOMETRY = 2
    ODOMETRY_STALE = 3
    HISTORY_TOO_SHORT = 4
    ODOMETRY_GAP = 5
    ODOMETRY_INVALID = 6
    CAMERA_MISSING = 7
    CAMERA_STALE = 8
    CAMERA_SKEWED = 9
    CAMERA_OFF_GRID = 10
    IMAGE_INVALID = 11
    CAMERA_MISMATCH = 12
    SKIPPED_BUSY = 13
    STAGE_FAILED = 14
    CAMERA_UNHEALTHY = 15


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a tick got no observation: a typed reason and a sentence with its numbers."""

    outcome: TickOutcome
    text: str


@dataclass(frozen=True, slots=True)
class TickStatus:
    """Outcome of one tick.

    Attributes:
        t0_ns: Model time in ns.
        epoch: Counts steps back of the trigger's clock by more than 1 s.
        trigger: Id of the input that gave t0.
        outcome: What became of it.
        text: The same in words, with numbers.
        error_code: Code of the error that a stage raised, 0 if none did.
        lineage_id: ``sha256:`` id of the lineage.
        envelope_id: ``sha256:`` id of the envelope, or ``none``.
    """

    t0_ns: int
    epoch: int
    trigger: str
    outcome: TickOutcome
    text: str
    error_code: int = 0
    lineage_id: str = ""
    envelope_id: str = ""
