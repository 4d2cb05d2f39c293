"""Undecoded frames of one camera by time."""

from bisect import bisect_left, bisect_right

from alpamayo_ros.structs.camera import CameraFrame


class FrameBuffer:
    """Frames of one camera, oldest first."""

    def __init__(self) -> None:
        """Start empty."""
        self._stamps_ns: list[int] = []
        self._frames: list[CameraFrame] = []

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: CameraFrame) -> None:
        """Store a frame.

        Raises:
            ValueError: It is not newer than the last one; the tick rule drops such frames.
        """
        if self._stamps_ns and frame.stamp_ns <= self._stamps_ns[-1]:
            raise ValueError(
                f"{frame.camera} stamp {frame.stamp_ns} ns is not newer; expected more than {self._stamps_ns[-1]} ns"
            )
        self._stamps_ns.append(frame.stamp_ns)
        self._frames.append(frame)

    def clear(self) -> None:
        """Forget everything."""
        self._stamps_ns.clear()
        self._frames.clear()

    def forget_before(self, boundary_ns: int) -> None:
        """Forget what is nearest to no time at or after the boundary: all but the last frame at or before it."""
        first = bisect_right(self._stamps_ns, boundary_ns) - 1
        if first > 0:
            del self._stamps_ns[:first]
            del self._frames[:first]

    def forget_older_than(self, age_ns: int) -> None:
        """Forget what is older than the newest frame by more than an age."""
        if self._stamps_ns:
            self.forget_before(self._stamps_ns[-1] - age_ns)

    def newest(self, last_ns: int) -> CameraFrame | None:
        """Return the newest frame up to and including a time, None if there is none."""
        count = bisect_right(self._stamps_ns, last_ns)
        return self._frames[count - 1] if count else None

    def nearest(self, time_ns: int, last_ns: int) -> CameraFrame:
        """Return the frame nearest to a time, the older of two equally near; only frames up to ``last_ns`` count.

        Raises:
            ValueError: There is no frame up to ``last_ns``.
        """
        count = bisect_right(self._stamps_ns, last_ns)
        if not count:
            raise ValueError(f"no frame up to {last_ns} ns; expected at least one")
        after = bisect_left(self._stamps_ns, time_ns, 0, count)
        if after == count:
            return self._frames[count - 1]
        if after and time_ns - self._stamps_ns[after - 1] <= self._stamps_ns[after] - time_ns:
            after -= 1
        return self._frames[after]
