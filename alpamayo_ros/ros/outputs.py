"""Publish structs on the topics of the table, each with the ids of what produced it."""

from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleNode

from alpamayo_ros.messages.topics import OUTPUT_TOPICS
from alpamayo_ros.ros.classes import generated_class
from alpamayo_ros.ros.handover import Handover
from alpamayo_ros.ros.qos import qos_profile
from alpamayo_ros.structs.lineage import Lineage


class Outputs:
    """The publishers of one node, by interface; closed while the node is not active."""

    def __init__(self, node: LifecycleNode, key: str, lineage: Lineage, handover: Handover) -> None:
        """Make a publisher for every row of the table that the node publishes.

        Args:
            node: Publishes.
            key: Name of the node in the table.
            lineage: Its ids are written into every message that has a field for them.
            handover: Takes structs within the process.
        """
        self._node = node
        self._lineage = lineage
        self._handover = handover
        self._publishers: dict[str, Any] = {
            row.interface: node.create_lifecycle_publisher(
                generated_class(row.type_name), row.name, qos_profile(row.qos)
            )
            for row in OUTPUT_TOPICS
            if key in row.nodes
        }

    def topic(self, interface: str) -> str:
        """Return the full topic name of an interface."""
        return str(self._publishers[interface].topic_name)

    def has_subscriber(self, interface: str) -> bool:
        """Whether any process subscribes to an interface."""
        return int(self._publishers[interface].get_subscription_count()) > 0

    def has_taker(self, interface: str) -> bool:
        """Whether anybody takes an interface, in this process or another."""
        return self._handover.has_receiver(interface) or self.has_subscriber(interface)

    def connections(self) -> dict[str, int]:
        """Return the number of matched subscriptions by topic name in the table."""
        rows = {row.interface: row.name for row in OUTPUT_TOPICS}
        return {rows[name]: int(publisher.get_subscription_count()) for name, publisher in self._publishers.items()}

    def publish(self, interface: str, struct: Any, to_message: Callable[[Any], Any], *, lazily: bool = False) -> None:
        """Hand a struct over within the process and publish its message.

        Args:
            interface: Row of the table.
            struct: What to publish.
            to_message: Builds the message.
            lazily: Build and publish only if somebody subscribes.
        """
        if not lazily or self.has_subscriber(interface):
            message = to_message(struct)
            if hasattr(message, "lineage_id"):
                message.lineage_id = self._lineage.lineage_id
                message.envelope_id = self._lineage.envelope_id
            self._publishers[interface].publish(message)
        self._handover.give(interface, struct)

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()
