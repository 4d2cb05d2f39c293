"""Replay a bag through the node graph in lockstep.

The nodes run as separate processes in a domain of their own. Messages are sent in the total order. Before one that
closes a tick, the replay waits until perception has counted every earlier one; then it sends it and waits for the
answer of that tick. Between those points messages of different topics may overtake each other, and no outcome depends
on it (``pipeline/tick_rule.py``). Every wait has a deadline, and names who was silent and what it last received: a
message that is lost or late is a failure, never a shorter result.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import GraphError, NotComparableError
from alpamayo_ros.messages.stage_translator import input_counts_struct
from alpamayo_ros.messages.translator import rationale_struct, stamp_ns, tick_struct, trajectory_set_struct
from alpamayo_ros.perception.observation import ObservationAssembler
from alpamayo_ros.pipeline.drive import TickAnswer
from alpamayo_ros.pipeline.observer import NAVIGATION, ODOMETRY, latest_stamp_ns, make_tick_rule
from alpamayo_ros.pipeline.requested_ticks import RequestedTicks
from alpamayo_ros.pipeline.tick_rule import OpenTick
from alpamayo_ros.replay.run import ReplaySetup
from alpamayo_ros.ros.classes import generated_class
from alpamayo_ros.ros.domain import applied, local_environment, private_domain
from alpamayo_ros.ros.graph_client import GraphClient
from alpamayo_ros.ros.graph_setup import write_graph_parameters
from alpamayo_ros.ros.log_folder import VARIABLE as LOG_VARIABLE
from alpamayo_ros.ros.node_processes import NodeProcesses
from alpamayo_ros.ros.qos import qos_profile
from alpamayo_ros.ros.transport import large_data_environment
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.storage.reader import BagReader
from alpamayo_ros.structs.camera import CameraFrame, CameraIntrinsics
from alpamayo_ros.structs.input_counts import InputCounts
from alpamayo_ros.structs.navigation import NavigationCommand
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.structs.rationale import Rationale
from alpamayo_ros.structs.tick import Rejection, TickOutcome, TickStatus
from alpamayo_ros.structs.trajectory import TrajectorySet

STAGES = ("lineage", "planner", "reasoning", "perception")
"""Nodes of the graph, in the order in which they are brought up: who takes before who gives."""

MAX_AHEAD = 8
"""Messages of one input that may be under way, less than the depth of any queue between here and perception."""

DEADLINE_S = 30.0
"""Longest wait for counts or for the answer of a tick."""


@contextmanager
def start_graph(
    setup: ReplaySetup,
    reader: BagReader,
    *,
    composed: bool = False,
    deadline_s: float = DEADLINE_S,
    use_sim_time: bool = False,
) -> Iterator["GraphDrive"]:
    """Start the nodes, bring them up, and wait until every endpoint is matched.

    Args:
        setup: What is replayed.
        reader: The input bag, for the types of its topics.
        composed: All stages in one process instead of one process each.
        deadline_s: Longest wait for counts or for the answer of a tick.
        use_sim_time: Whether the nodes follow /clock. It is published in any case; no outcome depends on it, and every
            node that follows it wakes for every message.

    Raises:
        ConfigurationError: A node refused what it was given.
        GraphError: A node did not start, ended, or is not connected.
    """
    with tempfile.TemporaryDirectory(prefix="alpamayo_graph_") as temporary, private_domain() as domain_id:
        folder = Path(temporary)
        environment = {**local_environment(domain_id, os.environ), LOG_VARIABLE: str(folder)}
        environment |= large_data_environment(setup.profile, environment)
        parameters = write_graph_parameters(setup, folder, use_sim_time=use_sim_time)
        with applied(environment), NodeProcesses(folder, environment) as processes:
            for name in ("stack",) if composed else STAGES:
                processes.start(name, ["--ros-args", "--params-file", str(parameters)])
            with GraphClient(domain_id, processes) as client:
                drive = GraphDrive(setup, reader, client, deadline_s, composed=composed)
                try:
                    client.bring_up(STAGES)
                    client.await_connections(drive.expected_connections(composed=composed))
                    drive.verify_lineage()
                    yield drive
                finally:
                    drive.release()


class GraphDrive:
    """The graph behind the protocol of a replay: takes messages, waits, gives the answers of ticks."""

    def __init__(
        self, setup: ReplaySetup, reader: BagReader, client: GraphClient, deadline_s: float, *, composed: bool
    ) -> None:
        """Make publishers of the inputs and listen to the outputs."""
        self.executed = "stack" if composed else "graph"
        self._setup = setup
        self._client = client
        self._deadline_s = deadline_s
        profile = setup.profile
        self._rule = make_tick_rule(profile, setup.stack.parameters.perception, setup.requested)
        # Only the ego history: it places a trajectory in the odometry frame for the report.
        self._history = ObservationAssembler(replace(profile, cameras=()), setup.stack.parameters.perception)
        self._latest_ns = latest_stamp_ns(profile)
        self._names = _input_names(setup)
        self._sent = dict.fromkeys(self._names.values(), 0)
        self._unseen = set(profile.inputs)
        self._counts = InputCounts(0, (), (), (), ())
        self._received: dict[str, int] = {}
        self._statuses: dict[tuple[int, int], TickStatus] = {}
        self._rationales: dict[int, Rationale] = {}
        self._trajectories: dict[int, TrajectorySet] = {}
        self._lineages: list[str] = []
        self._last_rationale_ns = self._last_status_ns = -1
        self._publishers = {
            topic: client.node.create_publisher(
                generated_class(reader.topics[topic].type_name), topic, qos_profile("output")
            )
            for topic in self._names
        }
        clock = generated_class("rosgraph_msgs/msg/Clock")
        self._clock_message = clock()
        self._clock: Any = client.node.create_publisher(clock, "/clock", qos_profile("output"))
        client.subscribe("lineage", lambda message: self._lineages.append(message.lineage_id))
        client.subscribe("tick", self._on_tick)
        client.subscribe("rationale", self._on_rationale)
        client.subscribe("trajectory_set", self._on_trajectory_set)
        client.subscribe("input_counts", self._on_counts)

    # The protocol of a replay.

    @property
    def open_at_end(self) -> int:
        """Ticks that are still open; at the end of the input they are no ticks."""
        return len(self._rule.open_ticks)

    @property
    def not_opened(self) -> int:
        """Requested ticks that never opened; 0 when none were requested."""
        return self._rule.not_opened if isinstance(self._rule, RequestedTicks) else 0

    @property
    def dropped(self) -> dict[str, int]:
        """Dropped messages by input, as perception counted them."""
        self._await_counts()
        dropped = dict(zip(self._counts.inputs, self._counts.dropped, strict=True))
        return {name: count for name, count in dropped.items() if count}

    @property
    def pids(self) -> dict[str, int]:
        """Process id by executable."""
        return self._client.processes.pids

    def take_odometry(self, message: BagMessage, sample: OdometrySample) -> Sequence[TickAnswer]:
        """Send one pose; see ``Drive``."""
        return self._take(message, sample.stamp_ns, lambda: self._history.add_odometry(sample))

    def take_frame(self, message: BagMessage, frame: CameraFrame) -> Sequence[TickAnswer]:
        """Send one picture; see ``Drive``."""
        return self._take(message, frame.stamp_ns, lambda: None)

    def take_navigation(self, message: BagMessage, command: NavigationCommand) -> None:  # noqa: ARG002
        """Send a navigation command; see ``Drive``."""
        # It counts from its arrival on, as the intrinsics of a camera do.
        self._await_counts()
        self._send(message)

    def take_camera_info(self, message: BagMessage, camera: str, intrinsics: CameraIntrinsics) -> None:  # noqa: ARG002
        """Send the intrinsics of a camera; see ``Drive``."""
        # It counts from its arrival on, so that every tick before it has closed and none after it.
        self._await_counts()
        self._send(message)

    # Start and end.

    def release(self) -> None:
        """Drop the publishers: each of them keeps the participant of this process."""
        self._publishers.clear()
        self._clock = None

    def expected_connections(self, *, composed: bool) -> dict[str, dict[str, int]]:
        """Return the matched endpoints of every node, once the graph is complete."""
        between = 0 if composed else 1
        inputs = dict.fromkeys(self._names.values(), 1)
        publishers_of_tick = {"~/input/tick": 3 * between}
        return {
            "lineage": {"~/output/lineage": len(STAGES) + 1},
            "perception": {
                "~/output/tick": 1 + 3 * between,
                "~/output/observation": between,
                "~/debug/input_counts": 1,
                **publishers_of_tick,
                **inputs,
            },
            "reasoning": {
                "~/output/tick": 1 + 3 * between,
                "~/output/rationale": 1,
                "~/output/plan_context": between,
                "~/input/observation": between,
                **publishers_of_tick,
            },
            "planner": {
                "~/output/tick": 1 + 3 * between,
                "~/output/trajectory_set": 1,
                "~/input/plan_context": between,
                **publishers_of_tick,
            },
        }

    def verify_lineage(self) -> None:
        """Require that the graph names the lineage that this process computed.

        Raises:
            NotComparableError: It names another one.
            GraphError: It names none.
        """
        self._client.wait_until(
            lambda: bool(self._lineages), self._deadline_s, lambda: "node 'lineage' has published no lineage"
        )
        own = self._setup.lineage.lineage_id
        if self._lineages[0] != own:
            raise NotComparableError(
                f"the graph runs lineage {self._lineages[0]}, and this process computed {own}; expected the same: "
                "are both from one installation"
            )

    # Lockstep.

    def _take(self, message: BagMessage, stamp: int, store: Callable[[], None]) -> Sequence[TickAnswer]:
        name = self._names[message.topic]
        if not 0 <= stamp <= self._latest_ns:
            self._send(message)
            return ()
        advance = self._rule.advance(name, stamp)
        if advance.epoch_started:
            self._history.clear()
            self._unseen = set(self._setup.profile.inputs)
        if advance.accepted:
            store()
            self._unseen.discard(name)
        decides = bool(advance.closed or advance.backwards or advance.epoch_started)
        # At the start of an epoch an input's first stamp is judged by the trigger's last: there order matters.
        sensitive = self._rule.epoch > 0 and bool(self._unseen)
        if decides or sensitive:
            self._await_counts()
        self._send(message)
        if advance.epoch_started or sensitive:
            self._await_counts()
        answers = [self._answer(tick) for tick in (*advance.backwards, *advance.closed)] if decides else ()
        if advance.epoch_started:
            # Stamps may come again: nothing of the old epoch may be taken for an answer of the new one.
            self._rationales.clear()
            self._trajectories.clear()
        return answers

    def _send(self, message: BagMessage) -> None:
        name = self._names[message.topic]
        if self._sent[name] - self._received.get(name, 0) >= MAX_AHEAD:
            self._await_counts()
        seconds, nanoseconds = divmod(message.receive_ns, 1_000_000_000)
        self._clock_message.clock.sec, self._clock_message.clock.nanosec = seconds, nanoseconds
        self._clock.publish(self._clock_message)
        self._publishers[message.topic].publish(message.payload)
        self._sent[name] += 1

    def _await_counts(self) -> None:
        self._client.wait_until(self._all_counted, self._deadline_s, self._silent_perception)

    def _all_counted(self) -> bool:
        return all(self._received.get(name, 0) >= count for name, count in self._sent.items())

    def _answer(self, tick: OpenTick) -> TickAnswer:
        key = (tick.epoch, tick.t0_ns)
        self._client.wait_until(lambda: key in self._statuses, self._deadline_s, lambda: self._silent_about(tick))
        status = self._statuses.pop(key)
        history = self._history_at(tick)
        if status.outcome is not TickOutcome.ANSWERED:
            self._rationales.pop(tick.t0_ns, None)
            return TickAnswer(replace(status, lineage_id="", envelope_id=""))
        self._client.wait_until(
            lambda: tick.t0_ns in self._rationales and tick.t0_ns in self._trajectories,
            self._deadline_s,
            lambda: f"t0 {tick.t0_ns} ns is answered, but its rationale or trajectory set was lost",
        )
        if not isinstance(history, Observation):
            raise GraphError(f"t0 {tick.t0_ns} ns is answered by the graph, but has no ego history here")
        return TickAnswer(
            replace(status, lineage_id="", envelope_id=""),
            self._rationales.pop(tick.t0_ns),
            self._trajectories.pop(tick.t0_ns),
            history.history,
        )

    def _history_at(self, tick: OpenTick) -> Observation | Rejection | None:
        if tick.epoch != self._rule.epoch:
            return None  # a step back of time ended it, and its odometry is forgotten
        history = self._history.assemble(tick.t0_ns, tick.epoch)
        self._history.forget_before(tick.t0_ns)
        return history

    # What the graph says.

    def _on_counts(self, message: Any) -> None:
        self._counts = input_counts_struct(message)
        self._received = dict(zip(self._counts.inputs, self._counts.received, strict=True))

    def _on_tick(self, message: Any) -> None:
        status = tick_struct(message)
        self._last_status_ns = status.t0_ns
        self._statuses[status.epoch, status.t0_ns] = status

    def _on_rationale(self, message: Any) -> None:
        rationale = replace(rationale_struct(message), lineage_id="", envelope_id="")
        self._last_rationale_ns = rationale.t0_ns
        self._rationales[rationale.t0_ns] = rationale

    def _on_trajectory_set(self, message: Any) -> None:
        t0_ns = stamp_ns(message.header.stamp)
        self._trajectories[t0_ns] = replace(trajectory_set_struct(message), lineage_id="", envelope_id="")

    # Who is silent.

    def _silent_perception(self) -> str:
        sent = ", ".join(f"{name} {count}" for name, count in self._sent.items())
        return (
            f"node 'perception' did not count every message: sent {sent}; it last received {self._counts.describe()}"
            f"{self._reported('perception')}"
        )

    def _silent_about(self, tick: OpenTick) -> str:
        t0_ns = tick.t0_ns
        if self._counts.last_closed_ns < t0_ns:
            return f"node 'perception' did not close t0 {t0_ns} ns; it last received {self._counts.describe()}"
        if self._last_rationale_ns < t0_ns:
            return (
                f"node 'reasoning' did not answer t0 {t0_ns} ns, which perception has closed; it last gave the "
                f"rationale of t0 {self._last_rationale_ns} ns{self._reported('reasoning')}"
            )
        return (
            f"node 'planner' did not answer t0 {t0_ns} ns; it last received the plan context of that t0, and the last "
            f"status is of t0 {self._last_status_ns} ns{self._reported('planner')}"
        )

    def _reported(self, node: str) -> str:
        trouble = self._client.trouble(node)
        return f"; it reports: {trouble}" if trouble else ""


def _input_names(setup: ReplaySetup) -> dict[str, str]:
    """Return id of the input by topic, of everything that the graph is fed with."""
    topics = setup.topics
    names = {topics.odometry: ODOMETRY}
    if setup.profile.navigation and topics.navigation:
        names[topics.navigation] = NAVIGATION
    for camera in (spec.id for spec in setup.profile.cameras):
        names[topics.cameras[camera]] = camera
        if camera in topics.camera_info:
            names[topics.camera_info[camera]] = f"{camera}/camera_info"
    return names
