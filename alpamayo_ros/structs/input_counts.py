"""How many messages each input of perception has brought."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InputCounts:
    """Counts since perception became active; entry i of every tuple belongs to input i.

    Attributes:
        epoch: Counts steps back of the trigger's clock.
        inputs: ``odometry``, a camera id, or a camera id and ``/camera_info``.
        received: Messages that arrived.
        dropped: Of those, not newer than the last one, or with an unusable stamp.
        newest_stamp_ns: Newest accepted header stamp of the epoch in ns, -1 before the first.
        last_closed_ns: t0 in ns of the last tick that closed, -1 before the first.
    """

    epoch: int
    inputs: tuple[str, ...]
    received: tuple[int, ...]
    dropped: tuple[int, ...]
    newest_stamp_ns: tuple[int, ...]
    last_closed_ns: int = -1

    def describe(self) -> str:
        """Say in one line what every input brought, for people."""
        parts = []
        for name, received, newest in zip(self.inputs, self.received, self.newest_stamp_ns, strict=True):
            parts.append(f"{name} {received}" + (f" (newest stamp {newest} ns)" if newest >= 0 else ""))
        return ", ".join(parts) or "nothing"
