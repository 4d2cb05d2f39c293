"""The replayer's own node: it starts the nodes of a graph, waits for their endpoints, and hears their outputs."""

import json
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from alpamayo_ros.errors import ConfigurationError, GraphError
from alpamayo_ros.messages.topics import NAMESPACE, output_topic
from alpamayo_ros.monitoring.health import Level
from alpamayo_ros.ros.classes import generated_class
from alpamayo_ros.ros.diagnostics import TOPIC as DIAGNOSTICS
from alpamayo_ros.ros.lifecycle import CONNECTIONS_SERVICE
from alpamayo_ros.ros.node_processes import NodeProcesses
from alpamayo_ros.ros.process import collect_nodes, make_executor
from alpamayo_ros.ros.qos import qos_profile

CONFIGURE, ACTIVATE = 1, 3
"""Transition ids of lifecycle_msgs/Transition."""

NODE_NAME = "replayer"
START_S = 60.0
"""Longest start of a process, and longest wait for its endpoints."""

LOAD_S = 600.0
"""Longest transition: configure loads an engine."""

HEARD_DEPTH = 1000
"""Outputs that may wait while this process works: a replay must not lose what it could have heard."""

TROUBLE_S = 2.0
"""Longest wait for the diagnostics of a node that is where it was."""

ANSWER_S = 5.0
"""After this long an answer counts as lost, and is asked for again."""

_SLICE_S = 0.05


class GraphClient:
    """One node in a context of its own, with waiting that ends: by success, a dead process or a deadline."""

    def __init__(self, domain_id: int, processes: NodeProcesses) -> None:
        """Join a domain; the environment must restrict discovery to this machine already."""
        self.processes = processes
        self._context = Context()
        rclpy.init(
            args=["--ros-args", "--disable-rosout-logs"],
            context=self._context,
            domain_id=domain_id,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self.node = Node(NODE_NAME, namespace=NAMESPACE, context=self._context, start_parameter_services=False)
        self._executor = make_executor(self._context)
        self._executor.add_node(self.node)
        self._troubles: dict[str, str] = {}
        self.node.create_subscription(
            generated_class("diagnostic_msgs/msg/DiagnosticArray"), DIAGNOSTICS, self._on_health, qos_profile("output")
        )

    def __enter__(self) -> "GraphClient":  # noqa: PYI034 - Self is not in Python 3.10
        """Return the client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the domain, and let the middleware go: see ``ros.process.collect_nodes``."""
        self._executor.remove_node(self.node)
        self.node.destroy_node()
        self._executor.shutdown()
        self._context.try_shutdown()
        del self.node, self._executor, self._context
        collect_nodes()

    def trouble(self, node: str) -> str:
        """Return what a node last reported as an error, empty if nothing."""
        return self._troubles.get(f"{NAMESPACE}/{node}", "")

    def wait_until(self, done: Callable[[], bool], deadline_s: float, silent: Callable[[], str]) -> None:
        """Dispatch messages until something is true.

        Args:
            done: What is waited for.
            deadline_s: Longest wait.
            silent: Says what did not happen, when the time is over.

        Raises:
            GraphError: A process ended, or the time is over.
        """
        if done():
            return
        deadline = time.monotonic() + deadline_s
        next_look = time.monotonic() + _SLICE_S
        while not done():
            self._executor.spin_once(timeout_sec=_SLICE_S)
            now = time.monotonic()
            if now < next_look:
                continue
            next_look = now + _SLICE_S
            ended = self.processes.ended()
            if ended:
                raise GraphError(f"{ended}; {silent()}")
            if now > deadline:
                raise GraphError(f"{silent()}; waited {deadline_s:g} s")

    def bring_up(self, nodes: tuple[str, ...]) -> None:
        """Configure and activate nodes through their lifecycle services, in the given order.

        Raises:
            ConfigurationError: A node refused; the text is its own reason.
            GraphError: A node did not answer.
        """
        for transition, verb, goal in ((CONFIGURE, "configure", "inactive"), (ACTIVATE, "activate", "active")):
            for node in nodes:
                self._change_state(node, transition, verb, goal)

    def await_connections(self, expected: Mapping[str, Mapping[str, int]]) -> None:
        """Wait until every endpoint of every node is matched with as many others as it should be.

        Args:
            expected: Count by name of the endpoint, by node.

        Raises:
            ConfigurationError: A node reports an error meanwhile; the text is its own.
            GraphError: One is not.
        """
        for node, counts in expected.items():
            missing: dict[str, str] = {}
            deadline = time.monotonic() + START_S
            while True:
                response = self._ask(node, "std_srvs/srv/Trigger", CONNECTIONS_SERVICE, lambda _: None)
                found = json.loads(response.message) if response is not None and response.success else {}
                missing = {
                    name: f"{name} is matched with {found.get(name, 0)} of {count}"
                    for name, count in counts.items()
                    if found.get(name, 0) < count
                }
                if not missing:
                    break
                if self.trouble(node):
                    raise ConfigurationError(f"node {node!r} is not connected: {self.trouble(node)}")
                if time.monotonic() > deadline:
                    raise GraphError(f"node {node!r} is not connected: {'; '.join(missing.values())}")
                self._executor.spin_once(timeout_sec=_SLICE_S)

    def subscribe(self, interface: str, take: Callable[[Any], None]) -> None:
        """Hear an output of the graph."""
        row = output_topic(interface)
        profile = qos_profile(row.qos)
        if profile.depth > 1:  # one that keeps the newest only stays so
            profile.depth = HEARD_DEPTH
        self.node.create_subscription(generated_class(row.type_name), row.resolved(), take, profile)

    def _change_state(self, node: str, transition: int, verb: str, goal: str) -> None:
        def fill(request: Any) -> None:
            request.transition.id = transition

        deadline = time.monotonic() + LOAD_S
        while time.monotonic() < deadline:
            response = self._ask(node, "lifecycle_msgs/srv/ChangeState", "~/change_state", fill)
            if response is not None and response.success:
                return
            # An answer can be lost while the two directions of a service are still being matched; and a node that
            # loads an engine answers nothing at all. Its state tells, as soon as it can be had.
            state = ""
            while not state and time.monotonic() < deadline:
                state = self._state(node)
            if state == goal:
                return
            if response is not None or self._has_trouble(node):
                self._raise_refusal(node, verb)
        raise GraphError(f"node {node!r} did not {verb} within {LOAD_S:g} s")

    def _has_trouble(self, node: str) -> bool:
        """Whether a node that stayed where it was reports why; its diagnostics come once a second."""
        patience = time.monotonic() + TROUBLE_S
        self.wait_until(
            lambda: bool(self.trouble(node)) or time.monotonic() > patience, START_S, lambda: f"node {node!r} is silent"
        )
        return bool(self.trouble(node))

    def _raise_refusal(self, node: str, verb: str) -> None:
        self.wait_until(lambda: bool(self.trouble(node)), START_S, lambda: f"node {node!r} would not {verb}")
        raise ConfigurationError(f"node {node!r} would not {verb}: {self.trouble(node)}")

    def _state(self, node: str) -> str:
        """Return the state of a node, empty if it does not answer."""
        response = self._ask(node, "lifecycle_msgs/srv/GetState", "~/get_state", lambda _: None)
        return "" if response is None else str(response.current_state.label)

    def _ask(self, node: str, type_name: str, service: str, fill: Callable[[Any], None]) -> Any:
        """Return the answer of a service, None if there is none within a while."""
        service_class = generated_class(type_name)
        name = service.replace("~", f"{NAMESPACE}/{node}", 1)
        client: Any = self.node.create_client(service_class, name)
        try:
            self.wait_until(client.service_is_ready, START_S, lambda: f"service {name} did not appear")
            request = service_class.Request()
            fill(request)
            future = client.call_async(request)
            patience = time.monotonic() + ANSWER_S
            self.wait_until(lambda: future.done() or time.monotonic() > patience, START_S, lambda: f"{name} is silent")
            return future.result() if future.done() else None
        finally:
            self.node.destroy_client(client)

    def _on_health(self, message: Any) -> None:
        for status in message.status:
            node = status.name.partition(":")[0]
            if status.level == bytes([Level.ERROR]):
                self._troubles[node] = status.message
            else:
                self._troubles.pop(node, None)
