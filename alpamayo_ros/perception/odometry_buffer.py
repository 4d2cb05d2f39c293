"""Odometry samples by time, in memory that is written once per sample and read without copying."""

import struct

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.structs.pose import OdometrySample

_RECORD = struct.Struct("=q7d")
_FIELDS = 8
_FIRST_CAPACITY = 1024


class OdometryBuffer:
    """A growing array of samples whose oldest are forgotten.

    Packing a record costs a third of assigning a tuple to a row of an array; thousands arrive per second, and the
    arrays are looked at only ten times per second.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._start = 0
        self._end = 0
        self._last_ns = 0
        self._allocate(_FIRST_CAPACITY)

    def _allocate(self, capacity: int) -> None:
        self._memory = bytearray(capacity * _RECORD.size)
        self._capacity = capacity
        self._stamps_ns = np.frombuffer(self._memory, dtype=np.int64).reshape(capacity, _FIELDS)[:, 0]
        self._poses = np.frombuffer(self._memory, dtype=np.float64).reshape(capacity, _FIELDS)[:, 1:]

    def __len__(self) -> int:
        return self._end - self._start

    def add(self, sample: OdometrySample) -> None:
        """Store a sample.

        Raises:
            ValueError: It is not newer than the last one; the tick rule drops such samples.
        """
        if self._end > self._start and sample[0] <= self._last_ns:
            raise ValueError(f"odometry stamp {sample[0]} ns is not newer; expected more than {self._last_ns} ns")
        if self._end == self._capacity:
            self._make_room()
        _RECORD.pack_into(self._memory, self._end * _RECORD.size, *sample)
        self._end += 1
        self._last_ns = sample[0]

    def _make_room(self) -> None:
        """Move the kept samples to the front, of larger memory where they fill more than half of it."""
        size = _RECORD.size
        kept = self._memory[self._start * size : self._end * size]
        count = self._end - self._start
        self._allocate(2 * self._capacity if 2 * count > self._capacity else self._capacity)
        self._memory[: count * size] = kept
        self._start, self._end = 0, count

    def clear(self) -> None:
        """Forget everything."""
        self._start = self._end = 0

    def forget_before(self, boundary_ns: int) -> None:
        """Forget what no time at or after the boundary needs: all but the last sample at or before it."""
        after = int(np.searchsorted(self._stamps_ns[self._start : self._end], boundary_ns, side="right"))
        self._start += max(after - 1, 0)

    def forget_older_than(self, age_ns: int) -> None:
        """Forget what is older than the newest sample by more than an age."""
        boundary_ns = self._last_ns - age_ns
        # Mostly nothing is that old, and nothing needs to be searched.
        if self._end > self._start and self._stamps_ns[self._start] < boundary_ns:
            self.forget_before(boundary_ns)

    def up_to(self, last_ns: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return views of every sample up to and including a time.

        Returns:
            Stamps in ns, int64 (N,), and x, y, z, qx, qy, qz, qw, float64 (N, 7). They are valid until the next call
            of another method.
        """
        end = self._end
        # Mostly the newest sample lies within the limit, and nothing needs to be searched.
        if end > self._start and self._last_ns > last_ns:
            end = self._start + int(np.searchsorted(self._stamps_ns[self._start : end], last_ns, side="right"))
        return self._stamps_ns[self._start : end], self._poses[self._start : end]
