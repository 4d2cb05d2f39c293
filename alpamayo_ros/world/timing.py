"""When each message of a simulated bag is measured, sent and received."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

START_NS = 1_700_000_000_000_000_000
"""Stamp of time 0 of every episode: a constant, so that the same messages come out on every day."""
_NS_PER_US = 1_000
_NS_PER_S = 1_000_000_000


class Moment(NamedTuple):
    """One message's times in ns after the start."""

    stamp_ns: int
    publish_ns: int
    receive_ns: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """How regularly a sensor delivers.

    Attributes:
        period_ms: Between two messages.
        phase_ms: Of the first message.
        jitter_us: Each stamp is off the grid by at most this.
        delay_us: From stamp to sending.
        transport_us: From sending to reception, at least.
        transport_jitter_us: What may come on top of that.
    """

    period_ms: int
    phase_ms: int
    jitter_us: int = 0
    delay_us: int = 0
    transport_us: int = 300
    transport_jitter_us: int = 0

    def moments(self, until_s: float, rng: np.random.Generator) -> Iterator[Moment]:
        """Yield the times of every message whose place on the grid is at most ``until_s`` after the start."""
        count = max(0, int((until_s * 1000.0 - self.phase_ms) // self.period_ms) + 1)
        jitters = rng.integers(-self.jitter_us, self.jitter_us + 1, size=count).tolist()
        transports = rng.integers(0, self.transport_jitter_us + 1, size=count).tolist()
        for index in range(count):
            grid_us = (self.phase_ms + index * self.period_ms) * 1000
            stamp_us = max(0, grid_us + jitters[index])
            publish_us = stamp_us + self.delay_us
            receive_us = publish_us + self.transport_us + transports[index]
            yield Moment(stamp_us * _NS_PER_US, publish_us * _NS_PER_US, receive_us * _NS_PER_US)


ODOMETRY = Schedule(20, 0, jitter_us=3000, delay_us=1200, transport_us=250, transport_jitter_us=400)
ACTORS = Schedule(200, 40, delay_us=9000, transport_us=900)
NAVIGATION = Schedule(100, 0, delay_us=500, transport_us=400)
CAMERAS = {
    "camera_cross_left_120fov": Schedule(100, 14, 2000, 26_000, 2500, 3000),
    "camera_front_wide_120fov": Schedule(100, 10, 1500, 28_000, 2500, 3000),
    "camera_cross_right_120fov": Schedule(100, 18, 2000, 26_500, 2500, 3000),
    "camera_rear_left_70fov": Schedule(100, 16, 2000, 27_000, 2500, 3000),
    "camera_rear_tele_30fov": Schedule(100, 21, 2500, 30_000, 2500, 3000),
    "camera_rear_right_70fov": Schedule(100, 12, 2000, 27_500, 2500, 3000),
    "camera_front_tele_30fov": Schedule(100, 23, 2500, 31_000, 2500, 3000),
}
"""Every camera at 10 Hz, not triggered together: the worst pair is 18 ms apart."""
CAMERA_TAIL_S = 0.2
"""The pictures end this much before the odometry, so that the last of them can be answered."""
