"""Publish the serialized messages of a bag, and the bag's time."""

import os
import sys
from collections.abc import Collection, Mapping
from typing import Any

from rclpy.duration import Duration
from rclpy.exceptions import NameValidationException
from rclpy.node import Node
from rclpy.qos import QoSProfile

from alpamayo_ros.errors import TopicError
from alpamayo_ros.recording.definitions import STORE, DefinitionSource, prefixes_of
from alpamayo_ros.replay.played_topics import CLOCK_TOPIC
from alpamayo_ros.ros.classes import generated_class
from alpamayo_ros.ros.qos import from_stored, qos_profile
from alpamayo_ros.storage.digest import NO_HASH, stated_or_computed_hash
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.qos import QosProfile

MIN_DEPTH = 10
"""Of every publisher, as rosbag2's player has it: messages of one moment leave as one burst."""

MAX_DEPTH = 1000
"""Deeper histories that a bag states are not made: each one may hold pictures."""

_NS_PER_S = 1_000_000_000


def playback_qos(offers: Collection[QosProfile], repeats: int = 0) -> QoSProfile:
    """Return what to publish a topic of a bag with.

    Of several offers the strongest of each policy, which matches everybody whom one of them matched; reliable and
    volatile where the bag states none.

    Args:
        offers: What its publishers offered.
        repeats: Messages that a late subscriber gets, 0 of a topic that is not latched.
    """
    depth = max([MIN_DEPTH, repeats, *(min(offer.depth, MAX_DEPTH) for offer in offers)])
    best_effort = bool(offers) and all(offer.reliability == "best_effort" for offer in offers)
    chosen = QosProfile(
        reliability="best_effort" if best_effort else "reliable",
        durability="transient_local" if repeats else "volatile",
    )
    # A latched topic keeps as many as are given again, or a late subscriber would get more than an early one.
    return from_stored(chosen, repeats or depth)


class PlayableTopics:
    """Topics of a bag that this environment can publish.

    Attributes:
        names: Published name by topic of the bag: remaps of the node apply.
        left_out: Why not, by topic of the bag that cannot be published.
    """

    def __init__(self, node: Node, topics: Collection[TopicInfo]) -> None:
        self.names: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        definitions = DefinitionSource(prefixes_of(os.environ.get("AMENT_PREFIX_PATH", ""), sys.prefix))
        for topic in topics:
            self._take(node, topic, definitions)

    def require(self, named: Collection[str]) -> None:
        """Require that nothing was left out that was asked for by name, and that anything is left.

        Raises:
            TopicError: A topic was asked for that cannot be published, or none can be.
        """
        for name in self.left_out if not self.names else named:
            if name in self.left_out:
                raise TopicError(f"topic {name} cannot be played: {self.left_out[name]}")
        if not self.names:
            raise TopicError("the bag has no topic to play; expected inputs, or topics, or outputs set to true")

    def _take(self, node: Node, topic: TopicInfo, definitions: DefinitionSource) -> None:
        try:
            _require_type(topic, definitions)
            self.names[topic.name] = _published_name(node, topic.name)
        except TopicError as error:
            self.left_out[topic.name] = str(error)


def _require_type(topic: TopicInfo, definitions: DefinitionSource) -> None:
    if topic.serialization_format != "cdr":
        raise TopicError(f"its messages are serialized as {topic.serialization_format!r}; expected cdr")
    generated_class(topic.type_name)
    recorded, installed = stated_or_computed_hash(topic), definitions.find(topic.type_name)
    if installed.origin == STORE or NO_HASH in (recorded, installed.type_hash or NO_HASH):
        return
    if recorded != installed.type_hash:
        raise TopicError(
            f"it was recorded with another version of {topic.type_name} ({recorded}) than is installed "
            f"({installed.type_hash}), so that subscribers would misread it; expected the same definition"
        )


def _published_name(node: Node, name: str) -> str:
    if not name.startswith("/"):
        raise TopicError(f"{name!r} is no full topic name; expected one that begins with /")
    try:
        return str(node.resolve_topic_name(name))
    except (NameValidationException, ValueError) as error:
        raise TopicError(f"{name!r} is no topic name of ROS 2: {' '.join(str(error).split())}") from error


class PlaybackPublishers:
    """One publisher for each topic that is played; they work in every state of the node."""

    def __init__(
        self, node: Node, names: Mapping[str, str], topics: Mapping[str, TopicInfo], latched: Mapping[str, int]
    ) -> None:
        """Make the publishers.

        Args:
            node: Publishes.
            names: Published name by topic of the bag.
            topics: Topics by published name.
            latched: How many messages a late subscriber gets, by the published name of each latched topic.
        """
        self._node = node
        # By the name in the bag: the node remaps it once, and would remap a published name a second time.
        self._publishers: dict[str, Any] = {
            published: node.create_publisher(
                generated_class(topics[published].type_name),
                name,
                playback_qos(topics[published].offered_qos, latched.get(published, 0)),
            )
            for name, published in names.items()
        }

    def publish(self, message: BagMessage) -> None:
        """Publish a message as it stands in the bag."""
        self._publishers[message.topic].publish(message.payload)

    def connections(self) -> dict[str, int]:
        """Return the number of matched subscriptions by published topic."""
        return {name: int(publisher.get_subscription_count()) for name, publisher in self._publishers.items()}

    def unacknowledged(self) -> list[str]:
        """Return the topics of which a subscriber has not yet acknowledged every message."""
        now = Duration(nanoseconds=0)
        return [name for name, publisher in self._publishers.items() if not publisher.wait_for_all_acked(now)]

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)
        self._publishers.clear()


class ClockPublisher:
    """Publishes the bag's time."""

    def __init__(self, node: Node) -> None:
        """Make the publisher; reliable, so that it matches whatever is requested."""
        self._node = node
        self._class = generated_class("rosgraph_msgs/msg/Clock")
        self._time = generated_class("builtin_interfaces/msg/Time")
        self._publisher: Any = node.create_publisher(self._class, CLOCK_TOPIC, qos_profile("output"))
        self._last_ns = -1

    def advance(self, bag_ns: int) -> None:
        """Publish a bag time, unless it was already reached."""
        if bag_ns > self._last_ns:
            self.set(bag_ns)

    def turn_back(self, bag_ns: int) -> None:
        """Publish a bag time if it is earlier than what was published: there was a seek, or a new round began."""
        if bag_ns < self._last_ns:
            self.set(bag_ns)

    def set(self, bag_ns: int) -> None:
        """Publish a bag time."""
        self._last_ns = bag_ns
        seconds, nanoseconds = divmod(bag_ns, _NS_PER_S)
        self._publisher.publish(self._class(clock=self._time(sec=seconds, nanosec=nanoseconds)))

    def close(self) -> None:
        """Destroy the publisher."""
        self._node.destroy_publisher(self._publisher)
