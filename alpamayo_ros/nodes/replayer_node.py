"""Publishes a bag again, for this stack or any other: with its QoS, at its pace, under services."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rclpy.context import Context

from alpamayo_ros.errors import AlpamayoError, ConfigurationError, ParameterError, TopicError, expected_one_of
from alpamayo_ros.monitoring.health import Health
from alpamayo_ros.params.replayer import ReplayerParams
from alpamayo_ros.replay.playback import Playback, PlaybackState
from alpamayo_ros.replay.playback_health import PlaybackFacts, playback_health
from alpamayo_ros.replay.played_topics import CLOCK_TOPIC, played_topics
from alpamayo_ros.ros.lifecycle import ReportingNode
from alpamayo_ros.ros.playback_driver import PlaybackDriver
from alpamayo_ros.ros.playback_publishers import ClockPublisher, PlayableTopics, PlaybackPublishers
from alpamayo_ros.ros.playback_services import PlaybackServices
from alpamayo_ros.ros.process import end_process, run_nodes
from alpamayo_ros.storage.reader import BagReader, open_bag

ACKNOWLEDGE_S = 10.0
"""Longest wait for subscribers to acknowledge, before the process ends."""

_READ_SLICE_NS = 20_000_000


class ReplayerNode(ReportingNode):
    """Plays one bag from its configuration on; ``activate`` plays, ``deactivate`` stands still."""

    _reader: BagReader | None = None
    _bag_publishers: PlaybackPublishers | None = None
    _bag_clock: ClockPublisher | None = None
    _driver: PlaybackDriver | None = None
    _awaited: Sequence[str] = ()
    _left_out: Mapping[str, str] = {}
    _rate = 1.0
    _exits = False
    _ended_ns: int | None = None

    def __init__(self, key: str, *, context: Context | None = None) -> None:
        """Declare parameters and offer the services, which say no in words until the node is active."""
        super().__init__(key, context=context)
        PlaybackServices(self, lambda: self._driver if self.state_label == "active" else None)

    def configure(self) -> None:
        """Open the bag and make its publishers, so that they are discovered before the first message."""
        given = self.parameters.resolve().replayer
        _require_consistent(given)
        self._reader = reader = open_bag(Path(given.bag).expanduser())
        chosen = played_topics(reader.topics, given.topics, outputs=given.outputs)
        if given.clock and CLOCK_TOPIC in chosen:
            raise ConfigurationError("topics names /clock, and clock is true: expected one of them, not two clocks")
        playable = PlayableTopics(self, [reader.topics[name] for name in chosen])
        playable.require(given.topics)
        for name, reason in playable.left_out.items():
            self.get_logger().warning(f"topic {name} is left out: {reason}")
        self._left_out = playable.left_out
        for name in given.wait_for_subscribers:
            if name not in playable.names:
                raise TopicError(expected_one_of("wait_for_subscribers: topic", name, list(playable.names)))
        self._awaited = [playable.names[name] for name in given.wait_for_subscribers]
        playback = Playback(
            reader,
            topics=list(playable.names),
            remaps=playable.names,
            rate=given.rate,
            start_offset_s=given.start_offset_s,
            start_paused=given.start_paused,
            loop=given.loop,
        )
        self._rate = given.rate
        self._exits = given.exit_at_end
        self._ended_ns = None
        self._bag_publishers = PlaybackPublishers(self, playable.names, playback.topics, playback.latched)
        self._bag_clock = ClockPublisher(self) if given.clock else None
        self._driver = PlaybackDriver(self, playback, self._bag_publishers, self._bag_clock, given.clock_rate_hz)

    def start(self) -> None:
        """Play, or go on."""
        if self._driver is not None:
            self._driver.start()
            self._start_when_awaited(self._driver)

    def stop(self) -> None:
        """Stand still."""
        if self._driver is not None:
            self._driver.stop()

    def tear_down(self) -> None:
        """Close the bag and its publishers."""
        for part in (self._driver, self._bag_publishers, self._bag_clock, self._reader):
            if part is not None:
                part.close()
        self._driver = self._bag_publishers = self._bag_clock = self._reader = None

    def turn(self) -> None:
        """Begin when subscribers are there, follow the rate, read ahead while nothing is due, see the end."""
        driver = self._driver
        if driver is None:
            return
        self._start_when_awaited(driver)
        rate = float(self.parameters.live("rate"))
        if rate != self._rate:
            driver.playback.set_rate(rate, self.now_ns())
            self._rate = rate
            driver.follow()
        if driver.playback.state in (PlaybackState.WAITING, PlaybackState.PAUSED):
            driver.read_ahead(self.now_ns() + _READ_SLICE_NS)
        if self._exits and (driver.damage is not None or driver.playback.state is PlaybackState.ENDED):
            self._end(driver)

    def refused(self, error: Exception) -> None:
        """End the process where it was to end by itself, and nobody else is to start it."""
        if self.parameters.own("exit_at_end") and self.parameters.own("autostart"):
            self.request_end(error.exit_code if isinstance(error, AlpamayoError) else AlpamayoError.exit_code)

    def connections(self) -> dict[str, int]:
        """Return the matched subscriptions by published topic."""
        return self._bag_publishers.connections() if self._bag_publishers is not None else {}

    def health(self) -> Health:
        """Say what is played, and what is not."""
        driver, reader = self._driver, self._reader
        if driver is None or reader is None:
            return super().health()
        facts = PlaybackFacts(
            start_ns=reader.start_ns or 0,
            subscribers=self.connections(),
            awaited=self._missing(),
            left_out=self._left_out,
            latest_ns=driver.latest_ns,
            damage=str(driver.damage or ""),
        )
        return playback_health(driver.playback, self.now_ns(), facts)

    def _missing(self) -> list[str]:
        """Return the topics that must have a subscriber and have none."""
        matched = self.connections()
        return [name for name in self._awaited if not matched.get(name)]

    def _start_when_awaited(self, driver: PlaybackDriver) -> None:
        if driver.playback.state is PlaybackState.WAITING and not self._missing():
            driver.playback.start(self.now_ns())
            driver.follow()

    def _end(self, driver: PlaybackDriver) -> None:
        """End the process once every subscriber has what it was sent, or does not say so for long."""
        if self._ended_ns is None:
            self._ended_ns = self.now_ns()
        waiting = self._bag_publishers.unacknowledged() if self._bag_publishers is not None else []
        if waiting and self.now_ns() - self._ended_ns < ACKNOWLEDGE_S * 1e9:
            return
        if waiting:
            topics = ", ".join(waiting)
            self.get_logger().warning(f"not acknowledged within {ACKNOWLEDGE_S:.0f} s by a subscriber of: {topics}")
        self.get_logger().info(self.health().text)
        self.request_end(0 if driver.damage is None else driver.damage.exit_code)


def _require_consistent(given: ReplayerParams) -> None:
    if not given.bag:
        raise ParameterError("parameter replayer.bag is empty; expected the path of a bag")
    if given.loop and given.exit_at_end:
        raise ParameterError("parameter replayer.exit_at_end is true, and loop is too; expected one: a loop has no end")


def main() -> int:
    """Run the node."""
    return run_nodes(lambda: [ReplayerNode("replayer")])


if __name__ == "__main__":
    end_process(main())
