"""Launch files under test: launch_pytest where it is installed, a domain of their own, and a probe in it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

WAIT_S = 60.0
LAUNCH_DIR = Path(__file__).resolve().parents[2] / "launch"
RUNNER = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
service = LaunchService(noninteractive=True)
given = [word.split(":=", 1) for word in sys.argv[2:]]
source = PythonLaunchDescriptionSource(sys.argv[1])
service.include_launch_description(LaunchDescription([IncludeLaunchDescription(source, launch_arguments=given)]))
sys.exit(service.run())
"""
"""What ``ros2 launch`` does, for a process of its own to which signals can be sent."""


def pytest_configure(config: pytest.Config) -> None:
    """Load launch_pytest, because the project's own run loads no plugin by itself; without it only name its marker."""
    config.addinivalue_line("markers", "launch: runs while the launch description of its fixture does (launch_pytest)")
    if config.pluginmanager.has_plugin("launch_pytest"):
        return
    try:
        from launch_pytest import plugin
    except ImportError:
        return
    config.pluginmanager.register(plugin, "launch_pytest")


class Probe:
    """A node beside a launched stack: asks services, publishes odometry, hears outputs."""

    def __init__(self, domain_id: int, odometry: Callable[..., Any]) -> None:
        import rclpy
        from rclpy.context import Context
        from rclpy.node import Node
        from rclpy.signals import SignalHandlerOptions

        from alpamayo_ros.ros.process import make_executor

        self._context = Context()
        rclpy.init(args=[], context=self._context, domain_id=domain_id, signal_handler_options=SignalHandlerOptions.NO)
        self._odometry = odometry
        self.node = Node("probe", namespace="/test", context=self._context)
        self._executor = make_executor(self._context)
        self._executor.add_node(self.node)
        self.heard: dict[str, list[Any]] = {}
        self.said: list[str] = []
        self.hear("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray")

    def hear(self, topic: str, type_name: str) -> None:
        from alpamayo_ros.ros.classes import generated_class

        self.node.create_subscription(generated_class(type_name), topic, self.heard.setdefault(topic, []).append, 100)

    def await_state(self, node: str, state: str) -> None:
        def present() -> str:
            return str(self.call(f"{node}/get_state", "lifecycle_msgs/srv/GetState").current_state.label)

        self.wait_until(lambda: present() == state, f"{node} is not {state}")

    def parameters(self, node: str) -> dict[str, Any]:
        """Return every parameter of a node, as ``ros2 param dump`` would."""
        names = self.call(f"{node}/list_parameters", "rcl_interfaces/srv/ListParameters").result.names
        values = self.call(f"{node}/get_parameters", "rcl_interfaces/srv/GetParameters", names=names).values
        fields = {1: "bool_value", 2: "integer_value", 3: "double_value", 4: "string_value", 9: "string_array_value"}
        return {
            name: getattr(value, fields[value.type]) if value.type else None
            for name, value in zip(names, values, strict=True)
        }

    def drive_until(self, done: Callable[[], bool], topic: str, what: str) -> None:
        """Publish odometry of a straight drive at 50 Hz until something is true."""
        from alpamayo_ros.messages.typestore import serialize
        from alpamayo_ros.ros.classes import generated_class

        publisher = self.node.create_publisher(generated_class("nav_msgs/msg/Odometry"), topic, 10)
        begin_ns = self.node.get_clock().now().nanoseconds
        deadline = time.monotonic() + WAIT_S
        while not done():
            stamp_ns = self.node.get_clock().now().nanoseconds
            message = self._odometry(stamp_ns, (8e-9 * (stamp_ns - begin_ns), 0.0, 0.0))
            publisher.publish(serialize(message, "nav_msgs/msg/Odometry"))
            due = time.monotonic() + 0.02
            while time.monotonic() < due:
                self._executor.spin_once(timeout_sec=0.005)
            assert time.monotonic() < deadline, self._explained(what)
        self.node.destroy_publisher(publisher)

    def wait_until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while not done():
            self._executor.spin_once(timeout_sec=0.05)
            assert time.monotonic() < deadline, self._explained(what)

    def transition(self, label: str) -> Any:
        from alpamayo_ros.ros.classes import generated_class

        return generated_class("lifecycle_msgs/msg/Transition")(id={"configure": 1, "activate": 3}[label])

    def says(self, words: str) -> bool:
        """Tell whether some diagnostics held some words."""
        texts = [status.message for array in self.heard["/diagnostics"] for status in array.status]
        return any(words in text for text in texts)

    def call(self, service: str, type_name: str, **fields: Any) -> Any:
        from alpamayo_ros.ros.classes import generated_class

        service_class = generated_class(type_name)
        client = self.node.create_client(service_class, service)
        try:
            self.wait_until(client.service_is_ready, f"{service} did not appear")
            future = client.call_async(service_class.Request(**fields))
            self.wait_until(future.done, f"{service} did not answer")
            return future.result()
        finally:
            self.node.destroy_client(client)

    def close(self) -> None:
        self._executor.remove_node(self.node)
        self.node.destroy_node()
        self._executor.shutdown()
        self._context.try_shutdown()

    def _explained(self, what: str) -> str:
        texts = {status.name: status.message for array in self.heard["/diagnostics"] for status in array.status}
        return f"{what}; heard { ({topic: len(messages) for topic, messages in self.heard.items()}) }; health: {texts}"


@pytest.fixture
def own_domain(tmp_path: Path) -> Iterator[int]:
    """Give a domain of this test's own, and an environment that stays in it and writes no log elsewhere."""
    from alpamayo_ros.ros.domain import local_environment, private_domain

    with private_domain() as number:
        logs = {"ROS_LOG_DIR": str(tmp_path / "log"), "PYTHONUNBUFFERED": "1"}
        with mock.patch.dict(os.environ, {**local_environment(number, os.environ), **logs}):
            yield number


@pytest.fixture
def probe(own_domain: int, make_odometry: Callable[..., Any]) -> Iterator[Probe]:
    made = Probe(own_domain, make_odometry)
    yield made
    made.close()


class Launched:
    """A launch file in a process of its own, as ``ros2 launch`` runs it."""

    def __init__(self, file: Path, arguments: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", RUNNER, str(file), *(f"{name}:={value}" for name, value in arguments.items())],
                cwd=log.parent,  # not the checkout, whose package would hide the installed one
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def await_text(self, words: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while words not in self.text:
            assert time.monotonic() < deadline, f"{words!r} was not said: {self.text}"
            assert self.process.poll() is None, self.text
            time.sleep(0.05)

    def interrupt(self) -> int:
        """Send SIGINT, as Ctrl-C does, and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(WAIT_S)

    def left_over(self) -> list[int]:
        """Return the processes of the launch that still run: its session is its own."""
        return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _session(path) == self.process.pid]


def _session(process: Path) -> int:
    try:
        return int((process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[3])
    except OSError:
        return 0


@pytest.fixture
def launched(own_domain: int, tmp_path: Path) -> Iterator[Callable[..., Launched]]:
    """Return a function that starts a launch file with arguments; what still runs at the end is killed."""
    made: list[Launched] = []

    def start(file: str, **arguments: str) -> Launched:
        made.append(Launched(LAUNCH_DIR / file, arguments, tmp_path / f"launch{len(made)}.log"))
        return made[-1]

    yield start
    for launch in made:
        for pid in launch.left_over():
            os.kill(pid, signal.SIGKILL)
        launch.process.wait(WAIT_S)
