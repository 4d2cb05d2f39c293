"""alpamayo.launch.py by the real launch: up in both forms, answering, and down in order."""

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("launch_pytest", reason="launch_pytest is not installed: it comes with a sourced ROS 2")
pytest.importorskip("launch_ros", reason="launch_ros is not installed: it comes with a sourced ROS 2")

import launch_pytest
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription, RegisterEventHandler
from launch.event_handlers import OnProcessExit, OnProcessIO
from launch.launch_description_sources import PythonLaunchDescriptionSource

from alpamayo_ros.storage.reader import open_bag

if pytest.version_tuple >= (8, 4) and not hasattr(launch_pytest.plugin, "get_launch_test_fixture_scope"):
    pytest.skip("this launch_pytest does not work with pytest 8.4 and later", allow_module_level=True)

pytestmark = [
    pytest.mark.ros,
    pytest.mark.slow,
    # launch_pytest makes its event loop by a policy, which Python 3.14 deprecates.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:launch_pytest"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:asyncio"),
]

FILE = Path(__file__).resolve().parents[2] / "launch" / "alpamayo.launch.py"
STAGES = ["perception", "reasoning", "planner", "lineage"]
NODES = [*STAGES, "recorder"]
NAMESPACE = "/car7/alpamayo"
ODOMETRY = "/car7/odometry"


class Watched:
    """What a launch description said and how its processes ended."""

    def __init__(self, tmp_path: Path, **arguments: str) -> None:
        self.bags = tmp_path / "1.5"  # as YAML this would be a number
        self.executables = NODES if arguments.get("composed") == "false" else ["stack"]
        self.codes: dict[str, int] = {}
        self.pids: list[int] = []
        self.text = ""
        given = {"record_folder": str(self.bags), "namespace": NAMESPACE.strip("/"), "record": "true", **arguments}
        self.description = LaunchDescription(
            [
                RegisterEventHandler(OnProcessExit(on_exit=self._on_exit)),
                RegisterEventHandler(OnProcessIO(on_stdout=self._on_text, on_stderr=self._on_text)),
                IncludeLaunchDescription(PythonLaunchDescriptionSource(str(FILE)), launch_arguments=given.items()),
            ]
        )

    def _on_exit(self, event: Any, _context: Any) -> None:
        self.codes[event.process_name.rpartition("-")[0]] = event.returncode
        self.pids.append(event.pid)

    def _on_text(self, event: Any) -> None:
        self.text += event.text.decode()

    def order_down(self) -> list[str]:
        return re.findall(r"\.(\w+)\]: down", self.text)


@launch_pytest.fixture(params=["true", "false"], ids=["composed", "separate"])
def stack(request: pytest.FixtureRequest, own_domain: int, tmp_path: Path) -> tuple[LaunchDescription, Watched]:
    watched = Watched(tmp_path, composed=request.param, odometry=ODOMETRY)
    return watched.description, watched


@pytest.mark.launch(fixture=stack)
def test_the_stack_comes_up_answers_and_goes_down_in_order(stack: Any, probe: Any) -> Any:
    watched = stack[1]
    for node in NODES:
        probe.await_state(f"{NAMESPACE}/{node}", "active")
    values = {node: probe.parameters(f"{NAMESPACE}/{node}") for node in NODES}
    assert values["recorder"]["output_folder"] == str(watched.bags)
    assert {node: parameters["autostart"] for node, parameters in values.items()} == dict.fromkeys(NODES, True)
    assert {parameters["use_sim_time"] for parameters in values.values()} == {False}
    trajectories = f"{NAMESPACE}/output/trajectory_set"
    probe.hear(trajectories, "alpamayo_ros/msg/TrajectorySet")
    probe.drive_until(lambda: len(probe.heard[trajectories]) >= 5, ODOMETRY, "no trajectory came")

    yield

    assert watched.codes == dict.fromkeys(watched.executables, 0), watched.text
    assert watched.order_down() == NODES
    for pid in watched.pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    (bag,) = watched.bags.iterdir()
    with open_bag(bag) as reader:
        counts = {topic: sum(1 for _ in reader.messages(topics=[topic])) for topic in reader.topics}
    assert counts[ODOMETRY] >= 75
    assert counts[trajectories] >= 5
    assert counts[f"{NAMESPACE}/output/tick"] >= counts[trajectories]


@launch_pytest.fixture
def left_alone(own_domain: int, tmp_path: Path) -> tuple[LaunchDescription, Watched]:
    parameters = tmp_path / "params.yaml"
    parameters.write_text(
        "/**:\n  ros__parameters: {autostart: false, backend: reference}\n"
        "perception:\n  ros__parameters: {max_wait_ms: 400}\n",
        encoding="utf-8",
    )
    watched = Watched(tmp_path, params=str(parameters), backend="1.5")
    return watched.description, watched


@pytest.mark.launch(fixture=left_alone)
def test_a_lifecycle_manager_can_do_it_and_is_told_why_not(left_alone: Any, probe: Any) -> Any:
    """The parameter file is heard natively; an argument wins over it; a text that looks like a number stays a text."""
    for node in NODES:
        probe.await_state(f"{NAMESPACE}/{node}", "unconfigured")
    assert probe.parameters(f"{NAMESPACE}/planner")["backend"] == "1.5"
    answer = probe.call(
        f"{NAMESPACE}/planner/change_state",
        "lifecycle_msgs/srv/ChangeState",
        transition=probe.transition("configure"),
    )
    assert not answer.success
    probe.wait_until(lambda: probe.says("backend '1.5' is not known"), "the planner never said why")

    yield

    assert left_alone[1].codes == {"stack": 0}, left_alone[1].text


def test_a_launch_by_itself_ends_with_zero_at_ctrl_c_and_leaves_nothing(
    launched: Callable[..., Any], probe: Any
) -> None:
    started = launched("alpamayo.launch.py", composed="false")
    answered = "/alpamayo/output/trajectory_set"
    probe.hear(answered, "alpamayo_ros/msg/TrajectorySet")
    probe.drive_until(lambda: bool(probe.heard[answered]), "/alpamayo/perception/input/odometry", "no answer came")
    assert started.interrupt() == 0, started.text
    assert re.findall(r"\.(\w+)\]: down", started.text) == STAGES
    assert "Traceback" not in started.text
    assert started.left_over() == []


def test_ctrl_c_while_nodes_are_being_imported_is_quiet(launched: Callable[..., Any]) -> None:
    started = launched("alpamayo.launch.py", composed="false")
    started.await_text("perception-4]: process started")
    for stage in STAGES:
        await_handler(pid_of(started, stage))
    assert started.interrupt() == 0, started.text
    assert "Traceback" not in started.text
    assert "died" not in started.text
    assert started.left_over() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_no_node_outlives_its_launch(launched: Callable[..., Any], number: signal.Signals) -> None:
    """Launch itself says of SIGTERM that it can result in orphaned processes."""
    started = launched("alpamayo.launch.py", composed="false")
    for stage in STAGES:
        started.await_text(f"alpamayo.{stage}]: active")
    assert len(started.left_over()) == 1 + len(STAGES)
    started.process.send_signal(number)
    started.process.wait(60.0)
    deadline = time.monotonic() + 30.0
    while started.left_over():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_launch_ends_with_an_error_when_a_stage_dies(launched: Callable[..., Any]) -> None:
    started = launched("alpamayo.launch.py", composed="false")
    for stage in STAGES:
        started.await_text(f"alpamayo.{stage}]: active")
    os.kill(pid_of(started, "reasoning"), signal.SIGKILL)
    assert started.process.wait(60.0) == 1
    assert "reasoning-3 ended with exit code -9; the others are taken down" in started.text
    assert {"perception", "planner", "lineage"} == set(re.findall(r"\.(\w+)\]: down", started.text))
    assert started.left_over() == []


def test_the_stack_goes_on_when_the_recorder_dies(launched: Callable[..., Any], tmp_path: Path) -> None:
    started = launched("alpamayo.launch.py", composed="false", record="true", record_folder=str(tmp_path / "bags"))
    for node in NODES:
        started.await_text(f"alpamayo.{node}]: active")
    os.kill(pid_of(started, "recorder"), signal.SIGKILL)
    started.await_text("recorder-1 ended with exit code -9; NOTHING IS RECORDED any more")
    assert started.interrupt() == 0, started.text
    assert sorted(re.findall(r"\.(\w+)\]: down", started.text)) == sorted(STAGES)


def pid_of(started: Any, executable: str) -> int:
    return int(re.findall(rf"{executable}-\d\]: process started with pid \[(\d+)\]", started.text)[0])


def await_handler(pid: int) -> None:
    """Wait until a process takes SIGTERM; before its first line it is Python's own start that is interrupted."""
    deadline = time.monotonic() + 30.0
    caught = 0
    while not caught & 1 << (signal.SIGTERM - 1):
        assert time.monotonic() < deadline
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        caught = int(re.findall(r"SigCgt:\s*(\w+)", status)[0], 16)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"topics": "/no/such.yaml"}, "argument topics: /no/such.yaml does not exist; expected a file"),
        ({"calibration": "/"}, "argument calibration: / is a folder; expected a file"),
        ({"params": "/no/such.yaml"}, "argument params: /no/such.yaml does not exist; expected a file"),
        ({"profile": "/no/such.yaml"}, "argument profile: /no/such.yaml does not exist; expected a file"),
        ({"composed": "perhaps"}, 'Argument "composed" provided value "perhaps" is not valid'),
        ({"record_folder": "bags"}, "argument record_folder is bags, but record is false; add record:=true"),
        ({"namespace": ""}, "argument namespace is empty; expected a name such as alpamayo, or / for none"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_work_is_refused_before_anything_starts(
    launched: Callable[..., Any], arguments: dict[str, str], sentence: str
) -> None:
    started = launched("alpamayo.launch.py", **arguments)
    assert started.process.wait(60.0) == 1
    assert sentence in started.text
    assert "process started" not in started.text


def test_large_data_is_given_to_the_nodes_unless_somebody_else_gave_it(
    launched: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = "FASTDDS_DEFAULT_PROFILES_FILE"
    monkeypatch.delenv(variable, raising=False)
    started = launched("alpamayo.launch.py", large_data="true")
    started.await_text("alpamayo.perception]: active")
    environment = Path(f"/proc/{pid_of(started, 'stack')}/environ").read_text(encoding="utf-8").split("\0")
    (given,) = [line for line in environment if line.startswith(variable)]
    assert Path(given.partition("=")[2]).name == "large_data.xml"
    assert started.interrupt() == 0
    monkeypatch.setenv(variable, "/somebody/elses.xml")
    refused = launched("alpamayo.launch.py", large_data="true")
    assert refused.process.wait(60.0) == 1
    assert f"would set {variable}, which is /somebody/elses.xml already" in refused.text
