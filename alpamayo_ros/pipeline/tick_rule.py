"""Decide from stamps alone when a model time opens and when it closes.

*Trigger*: the first trigger stamp is a t0 and sets due = t0 + period. A later trigger stamp is the next t0 when it is
at least due - 5 ms and at least half a period after the last t0; due then advances by one period, or to t0 + period
when t0 has left it behind by a period or more.

*Closing*: a tick closes when every input has a stamp at or after t0 (the nearest frame and the odometry around every
grid time are then certain), or when any input's stamp passes t0 + ``max_wait``.

*Backwards*: a stamp that is not newer than its topic's last is dropped and counted. A step back of the trigger by more
than 1 s drops every open tick and starts a new epoch with that stamp. In a new epoch, an input's first stamp is dropped
and counted while it is more than 1 s ahead of the trigger: it is a message of the old epoch that came late.

No clock is read and no message is seen, so the same stamps give the same ticks in a replay and in a vehicle. An outcome
depends on the arrival order only if a message comes more than ``max_wait`` - 150 ms behind the other topics. Ticks that
are open when the input ends are no ticks; the caller counts ``open_ticks``.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from alpamayo_ros.errors import expected_one_of
from alpamayo_ros.structs.tick import Rejection, TickOutcome

EARLY_NS = 5_000_000
"""A trigger may come this much before it is due."""

STEP_BACK_NS = 1_000_000_000
"""A trigger that steps back by more than this starts a new epoch; anything less is a stray message."""


@dataclass(frozen=True, slots=True)
class OpenTick:
    """A model time that waits for its inputs.

    Attributes:
        t0_ns: Model time in ns.
        epoch: Counts steps back of the trigger's clock by more than 1 s.
    """

    t0_ns: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Advance:
    """What one stamp changed.

    Attributes:
        accepted: Whether the message counts; one that is not newer than its topic's last is dropped and counted.
        closed: Ticks that closed with this stamp, by t0. Assemble them after this message was stored.
        backwards: Open ticks that a step back of the trigger ended, by t0; their outcome is TIME_BACKWARDS.
        epoch_started: Whether buffers must be emptied, before this message is stored.
        step_back_ns: How far the trigger stepped back, 0 without a new epoch.
    """

    accepted: bool
    closed: tuple[OpenTick, ...] = ()
    backwards: tuple[OpenTick, ...] = ()
    epoch_started: bool = False
    step_back_ns: int = 0


_NOTHING = Advance(accepted=True)
_DROPPED = Advance(accepted=False)


class TickRule:
    """Turn the stamps of a profile's inputs, in the order of arrival, into ticks."""

    def __init__(
        self,
        inputs: Sequence[str],
        trigger: str,
        *,
        period_ns: int = 100_000_000,
        max_wait_ns: int = 300_000_000,
    ) -> None:
        """Start without any stamp.

        Args:
            inputs: Ids of every input that a tick waits for.
            trigger: The one of them that gives t0.
            period_ns: Time between ticks.
            max_wait_ns: A tick closes when any input is newer than it by more than this.

        Raises:
            ValueError: The trigger is not an input, an input is named twice, or a time is not positive.
        """
        if trigger not in inputs:
            raise ValueError(expected_one_of("trigger", trigger, tuple(inputs)))
        if len(set(inputs)) != len(inputs):
            raise ValueError(f"inputs {', '.join(inputs)} name one twice; expected different ids")
        if period_ns < 2 or max_wait_ns < 1:
            raise ValueError(f"period {period_ns} and max_wait {max_wait_ns} ns are too short; expected at least 2, 1")
        self._trigger = trigger
        self._period_ns = period_ns
        self._max_wait_ns = max_wait_ns
        self._epoch = 0
        self._last_ns: dict[str, int] = {}
        self._dropped = dict.fromkeys(inputs, 0)
        self._open: deque[OpenTick] = deque()
        self._newest_ns: int | None = None
        self._last_t0_ns: int | None = None
        self._due_ns = 0

    @property
    def epoch(self) -> int:
        """How often the trigger's clock stepped back by more than 1 s."""
        return self._epoch

    @property
    def open_ticks(self) -> tuple[OpenTick, ...]:
        """Ticks that wait for their inputs, by t0."""
        return tuple(self._open)

    @property
    def dropped(self) -> Mapping[str, int]:
        """Number of dropped messages by input."""
        return MappingProxyType(self._dropped)

    @property
    def newest_ns(self) -> Mapping[str, int]:
        """Newest accepted stamp by input, in the present epoch; an input without one is left out."""
        return MappingProxyType(self._last_ns)

    @property
    def keep_from_ns(self) -> int | None:
        """Oldest t0 that an observation may still be asked for; None before the first tick.

        It follows the trigger alone: another input's stamps, which may be wrong, make nothing be forgotten. Ask
        after the closed ticks of an advance have been assembled.
        """
        if self._open:
            return self._open[0].t0_ns
        if self._last_t0_ns is None:
            return None
        return max(self._due_ns - EARLY_NS, self._last_t0_ns + self._period_ns // 2)

    def advance(self, input_id: str, stamp_ns: int) -> Advance:
        """Take the stamp of one message that arrived.

        Args:
            input_id: Which input it is from.
            stamp_ns: Its header stamp in ns.

        Raises:
            ValueError: The input is not one of the profile's.
        """
        last_ns = self._last_ns.get(input_id)
        if last_ns is None:
            if input_id not in self._dropped:
                raise ValueError(expected_one_of("input", input_id, tuple(self._dropped)))
            if self._is_left_over(stamp_ns):
                self._dropped[input_id] += 1
                return _DROPPED
        elif stamp_ns <= last_ns:
            if input_id == self._trigger and last_ns - stamp_ns > STEP_BACK_NS:
                return self._start_epoch(stamp_ns, last_ns - stamp_ns)
            self._dropped[input_id] += 1
            return _DROPPED
        return self._accept(input_id, stamp_ns)

    def _is_left_over(self, stamp_ns: int) -> bool:
        """Whether an input's first stamp of an epoch is one of the epoch before that came late.

        Taken for new, it would be the input's newest for as long as time was stepped back.
        """
        return self._epoch > 0 and stamp_ns > self._last_ns[self._trigger] + STEP_BACK_NS

    def _accept(self, input_id: str, stamp_ns: int) -> Advance:
        self._last_ns[input_id] = stamp_ns
        if self._newest_ns is None or stamp_ns > self._newest_ns:
            self._newest_ns = stamp_ns
        if input_id == self._trigger:
            self._open_tick(stamp_ns)
        if not self._open:
            return _NOTHING
        closed = self._close_ticks()
        return Advance(accepted=True, closed=closed) if closed else _NOTHING

    def _open_tick(self, stamp_ns: int) -> None:
        last_t0_ns = self._last_t0_ns
        if last_t0_ns is None:
            self._due_ns = stamp_ns + self._period_ns
        elif stamp_ns < self._due_ns - EARLY_NS or stamp_ns < last_t0_ns + self._period_ns // 2:
            return
        elif stamp_ns >= self._due_ns + self._period_ns:
            self._due_ns = stamp_ns + self._period_ns
        else:
            self._due_ns += self._period_ns
        self._last_t0_ns = stamp_ns
        self._open.append(OpenTick(stamp_ns, self._epoch))

    def _close_ticks(self) -> tuple[OpenTick, ...]:
        newest_ns = self._newest_ns
        if newest_ns is None:
            return ()
        # Both conditions hold for every older tick too, so ticks close in the order of t0.
        certain_ns = newest_ns - self._max_wait_ns - 1
        if len(self._last_ns) == len(self._dropped):
            certain_ns = max(certain_ns, min(self._last_ns.values()))
        if self._open[0].t0_ns > certain_ns:
            return ()
        closed = []
        while self._open and self._open[0].t0_ns <= certain_ns:
            closed.append(self._open.popleft())
        return tuple(closed)

    def _start_epoch(self, stamp_ns: int, step_back_ns: int) -> Advance:
        backwards = tuple(self._open)
        self._epoch += 1
        self._open.clear()
        self._last_ns.clear()
        self._newest_ns = None
        self._last_t0_ns = None
        first = self._accept(self._trigger, stamp_ns)
        return Advance(
            accepted=True,
            closed=first.closed,
            backwards=backwards,
            epoch_started=True,
            step_back_ns=step_back_ns,
        )


def time_backwards(trigger: str, step_back_ns: int) -> Rejection:
    """Word the outcome of a tick that a step back of the trigger ended."""
    return Rejection(
        TickOutcome.TIME_BACKWARDS,
        f"TIME_BACKWARDS: stamps of {trigger} stepped back by {step_back_ns / 1e6:.1f} ms while the tick was open; "
        f"allowed {STEP_BACK_NS // 1_000_000} ms",
    )
