"""Open exactly the ticks that were recorded, instead of those that the trigger gives."""

from collections import deque
from collections.abc import Sequence

from alpamayo_ros.pipeline.tick_rule import OpenTick, TickRule


class RequestedTicks(TickRule):
    """The tick rule with given t0; closing, dropping and epochs are unchanged.

    A requested tick opens with the first trigger stamp at or after it, in its epoch.
    """

    def __init__(
        self,
        inputs: Sequence[str],
        trigger: str,
        requested: Sequence[tuple[int, int]],
        *,
        period_ns: int = 100_000_000,
        max_wait_ns: int = 300_000_000,
    ) -> None:
        """Start without any stamp.

        Args:
            inputs: Ids of every input that a tick waits for.
            trigger: The one of them that opens ticks.
            requested: (epoch, t0 in ns) of every tick.
            period_ns: Time between ticks.
            max_wait_ns: A tick closes when any input is newer than it by more than this.
        """
        super().__init__(inputs, trigger, period_ns=period_ns, max_wait_ns=max_wait_ns)
        self._requested = deque(sorted(set(requested)))
        self._missed = 0

    @property
    def not_opened(self) -> int:
        """Requested ticks that never opened: their epoch or time is not in these messages."""
        return self._missed + len(self._requested)

    @property
    def keep_from_ns(self) -> int | None:
        """Oldest t0 that an observation may still be asked for; None if none is known."""
        if self._open:
            return self._open[0].t0_ns
        if self._requested and self._requested[0][0] == self.epoch:
            return self._requested[0][1]
        return None

    def _open_tick(self, stamp_ns: int) -> None:
        while self._requested and self._requested[0] <= (self.epoch, stamp_ns):
            epoch, t0_ns = self._requested.popleft()
            if epoch == self.epoch:
                self._open.append(OpenTick(t0_ns, epoch))
            else:
                self._missed += 1
