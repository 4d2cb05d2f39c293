"""A node in a domain of the test's own; nothing here spins, so that nothing waits."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from alpamayo_ros.ros.domain import applied, local_environment, private_domain
from alpamayo_ros.ros.wiring import with_default_wiring


@pytest.fixture
def make_node() -> Iterator[Callable[..., Any]]:
    """Return a function that makes a bare node with command-line arguments, and destroys it after the test."""
    rclpy = pytest.importorskip("rclpy", reason="rclpy is not installed")
    from rclpy.context import Context
    from rclpy.lifecycle import LifecycleNode
    from rclpy.signals import SignalHandlerOptions

    with ExitStack() as stack:
        number = stack.enter_context(private_domain())
        stack.enter_context(applied(local_environment(number, os.environ)))

        def make(name: str = "perception", *arguments: str) -> Any:
            context = Context()
            rclpy.init(
                args=with_default_wiring(["--ros-args", *arguments]),
                context=context,
                domain_id=number,
                signal_handler_options=SignalHandlerOptions.NO,
            )
            stack.callback(context.try_shutdown)
            node = LifecycleNode(name, context=context, automatically_declare_parameters_from_overrides=True)
            stack.callback(node.destroy_node)
            return node

        yield make
