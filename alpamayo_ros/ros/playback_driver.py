"""Let the executor's timers publish a playback when its messages are due."""

import time
from collections.abc import Sequence

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node

from alpamayo_ros.errors import BagError
from alpamayo_ros.replay.playback import Playback, PlaybackState
from alpamayo_ros.ros.playback_publishers import ClockPublisher, PlaybackPublishers
from alpamayo_ros.storage.message import BagMessage

_BURST = 50
"""Messages that are published in one callback; services are answered between two."""

_READ_MARGIN_NS = 2_000_000
"""Nothing is read within this time of the next message: to unpack a chunk takes milliseconds."""

_IDLE_S = 3600.0
_SOONEST_NS = 1000


class PlaybackDriver:
    """Publishes what is due; one timer follows the next due time, another one gives /clock.

    Attributes:
        playback: What is played; after a change of it ``follow`` is to be called.
        damage: Why the bag cannot be played on, None while it can.
        latest_ns: Steady time by which the latest message so far was late, in ns.
    """

    def __init__(
        self,
        node: Node,
        playback: Playback,
        publishers: PlaybackPublishers,
        clock: ClockPublisher | None,
        clock_rate_hz: float,
    ) -> None:
        """Make the timers; nothing is published before ``start``."""
        self.playback = playback
        self.damage: BagError | None = None
        self.latest_ns = 0
        self._node = node
        self._publishers = publishers
        self._clock = clock
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(_IDLE_S, self._on_due, clock=steady)
        self._clock_timer = node.create_timer(1.0 / clock_rate_hz, self._on_clock, clock=steady)
        for timer in (self._timer, self._clock_timer):
            timer.cancel()
        self._running = self._held = False

    def start(self) -> None:
        """Begin, or go on after ``stop``; the playback itself is started by whoever knows that it is time."""
        self._running = True
        if self._held:
            self.playback.resume(time.monotonic_ns())
            self._held = False
        if self._clock is not None:
            self._on_clock()
            self._clock_timer.reset()
        self.follow()

    def stop(self) -> None:
        """Publish nothing more, and stand still there."""
        self._running = False
        if self.playback.state is PlaybackState.PLAYING:
            self.playback.pause(time.monotonic_ns())
            self._held = True
        self._timer.cancel()
        self._clock_timer.cancel()

    def close(self) -> None:
        """Destroy the timers."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_timer(self._clock_timer)

    def follow(self, *, moved: bool = False) -> None:
        """Wait for what is due next.

        Args:
            moved: Whether the position was moved, so that /clock may go back and damage may be left behind.
        """
        if not self._running:
            return
        if moved:
            self.damage = None
            self._on_clock()
        due_ns = self.playback.next_due_ns() if self.damage is None else None
        if due_ns is None:
            self._timer.cancel()
            return
        self._timer.timer_period_ns = max(_SOONEST_NS, due_ns - time.monotonic_ns())
        self._timer.reset()

    def publish(self, messages: Sequence[BagMessage]) -> None:
        """Publish messages, each after the bag's time has reached it."""
        for message in messages:
            if self._clock is not None:
                self._clock.advance(message.receive_ns)
            self._publishers.publish(message)
        self._turn_clock_back()

    def read_ahead(self, deadline_ns: int) -> None:
        """Read messages until a steady time, or as many as there is room for."""
        while time.monotonic_ns() < deadline_ns and self.playback.read_ahead():
            pass

    def _on_due(self) -> None:
        if not self._running:
            return
        try:
            messages = self.playback.due(time.monotonic_ns(), _BURST)
        except BagError as error:
            self.damage = error
            self._node.get_logger().error(str(error))
        else:
            self.publish(messages)
            self.latest_ns = max(self.latest_ns, self.playback.lateness_ns)
        due_ns = self.playback.next_due_ns()
        if due_ns is not None and self.damage is None:
            self.read_ahead(due_ns - _READ_MARGIN_NS)
        self.follow()

    def _on_clock(self) -> None:
        if self._clock is not None:
            self._clock.set(self.playback.bag_time_ns(time.monotonic_ns()))

    def _turn_clock_back(self) -> None:
        if self._clock is not None:
            self._clock.turn_back(self.playback.bag_time_ns(time.monotonic_ns()))
