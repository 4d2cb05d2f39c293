"""Publish the health of a node on /diagnostics."""

from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node

from alpamayo_ros.monitoring.health import Health
from alpamayo_ros.ros.classes import generated_class
from alpamayo_ros.ros.qos import qos_profile

TOPIC = "/diagnostics"


class DiagnosticsPublisher:
    """Publishes one status; it works in every state of the node, unconfigured included."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._array = generated_class("diagnostic_msgs/msg/DiagnosticArray")
        self._status = generated_class("diagnostic_msgs/msg/DiagnosticStatus")
        self._pair = generated_class("diagnostic_msgs/msg/KeyValue")
        self._publisher: Any = node.create_publisher(self._array, TOPIC, qos_profile("output"))

    def publish(self, health: Health, hardware_id: str) -> None:
        """Publish how the node is.

        Args:
            health: What to say.
            hardware_id: What it is said of; the lineage id, once it is known.
        """
        status = self._status(
            level=bytes([health.level]),
            name=f"{self._node.get_fully_qualified_name()}: alpamayo_ros",
            message=health.text,
            hardware_id=hardware_id,
            values=[self._pair(key=key, value=value) for key, value in health.values.items()],
        )
        message = self._array(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def await_acknowledged(self) -> None:
        """Wait until subscribers have what was published, for a second at most: what is said last says why."""
        self._publisher.wait_for_all_acked(Duration(seconds=1))
