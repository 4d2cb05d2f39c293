"""Decide which closed tick the stages work on next: live, the newest wins and the others are SKIPPED_BUSY."""

from collections import deque
from dataclasses import dataclass

from alpamayo_ros.pipeline.tick_status import skipped_busy
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.plan import PlanContext
from alpamayo_ros.structs.tick import TickStatus

Key = tuple[int, int]
"""(epoch, t0 in ns) of a tick."""


def key_of(item: Observation | PlanContext | TickStatus) -> Key:
    """Return what identifies the tick of what is said about it."""
    return item.epoch, item.t0_ns


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now.

    Attributes:
        send: The observation to hand to the stages, None for none.
        skipped: Ticks that were overtaken.
    """

    send: Observation | None = None
    skipped: tuple[TickStatus, ...] = ()


class Dispatch:
    """Hands one observation at a time to the stages.

    Not safe for use from several threads at once.
    """

    def __init__(self, trigger: str, *, skip_when_busy: bool) -> None:
        """Start with idle stages.

        Args:
            trigger: Id of the input that gives ticks.
            skip_when_busy: Keep only the newest observation that waits; else keep all of them, in order.
        """
        self._trigger = trigger
        self._skip_when_busy = skip_when_busy
        self._busy_with: Key | None = None
        self._waiting: deque[Observation] = deque()

    @property
    def busy_with(self) -> Key | None:
        """The tick that the stages work on, None while they are idle."""
        return self._busy_with

    @property
    def waiting(self) -> int:
        """Observations that wait for the stages."""
        return len(self._waiting)

    def offer(self, observation: Observation) -> Decision:
        """Take the observation of a tick that closed."""
        if self._busy_with is None:
            self._busy_with = key_of(observation)
            return Decision(observation)
        skipped: tuple[TickStatus, ...] = ()
        if self._skip_when_busy:
            busy_t0_ns = self._busy_with[1]
            skipped = tuple(
                skipped_busy(old.t0_ns, old.epoch, self._trigger, busy_t0_ns, observation.t0_ns)
                for old in self._waiting
            )
            self._waiting.clear()
        self._waiting.append(observation)
        return Decision(skipped=skipped)

    def finish(self, key: Key) -> Decision:
        """Take the news that the stages are done with a tick; another tick than theirs changes nothing."""
        if key != self._busy_with:
            return Decision()
        self._busy_with = None
        if not self._waiting:
            return Decision()
        observation = self._waiting.popleft()
        self._busy_with = key_of(observation)
        return Decision(observation)

    def abandon(self) -> tuple[Observation, ...]:
        """Forget the observations that wait, and return them: nobody is going to work on them."""
        waiting = tuple(self._waiting)
        self._waiting.clear()
        return waiting
