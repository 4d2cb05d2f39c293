"""What runs the nodes of a process dispatches, whichever executor rclpy has."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import String

from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.ros.message_taker import MessageTaker
from alpamayo_ros.ros.process import make_executor

pytestmark = pytest.mark.ros


@pytest.mark.parametrize("make", [make_executor, lambda context: SingleThreadedExecutor(context=context)])
def test_executors_dispatch_timers_and_messages_with_what_is_known_of_them(
    make_harness: Callable[..., Any], make: Callable[..., Any]
) -> None:
    probe = make_harness()
    node = Node("listener", context=probe.context, use_global_arguments=False)
    taken: list[tuple[bytes, Any]] = []
    ticks: list[int] = []
    node.create_timer(0.02, lambda: ticks.append(1))
    taker = MessageTaker(lambda payload, info: taken.append((payload, info)))
    node.create_subscription(String, "/words", taker, 10, raw=True)
    publisher = node.create_publisher(String, "/words", 10)
    executor = make(probe.context)
    executor.add_node(node)
    deadline = time.monotonic() + 20
    while len(taken) < 5 or len(ticks) < 5:
        publisher.publish(String(data="word"))
        executor.spin_once(timeout_sec=0.05)
        assert time.monotonic() < deadline
    payload, info = taken[0]
    assert deserialize(payload, "std_msgs/msg/String").data == "word"
    assert info["source_timestamp"] > 1_600_000_000 * 10**9
    executor.remove_node(node)
    node.destroy_node()
    executor.shutdown()


def test_the_events_executor_is_the_one_that_is_used(make_harness: Callable[..., Any]) -> None:
    pytest.importorskip("rclpy.experimental.events_executor", reason="rclpy has no events executor (before Kilted)")
    assert type(make_executor(make_harness().context)).__name__ == "EventsExecutor"
