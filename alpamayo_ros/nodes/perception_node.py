"""From what the vehicle brings to one observation, or one typed rejection, per tick."""

import traceback
from typing import Any

from alpamayo_ros.errors import AlpamayoError, BackendError, TopicError
from alpamayo_ros.messages.stage_translator import StageTranslator
from alpamayo_ros.messages.translator import camera_intrinsics, navigation_struct, odometry_struct, tick_struct
from alpamayo_ros.monitoring.health import Health, perception_health, with_worker
from alpamayo_ros.perception.detector import ActorDetector
from alpamayo_ros.perception.rig_odometry import RigOdometry
from alpamayo_ros.pipeline.dispatch import Decision, key_of
from alpamayo_ros.pipeline.observer import NAVIGATION, ODOMETRY, Seen
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.pipeline.stages import Perceiving, load_detector, load_perceiver
from alpamayo_ros.pipeline.tick_status import rejected, stage_failed
from alpamayo_ros.ros.classes import generated_class, graph_translator
from alpamayo_ros.ros.inputs import InputSubscriptions, matched_publishers, validate_topic
from alpamayo_ros.ros.lifecycle import ManagedNode
from alpamayo_ros.ros.outputs import Outputs
from alpamayo_ros.ros.perceive_stage import PerceiveStage
from alpamayo_ros.ros.perception_inputs import camera_frame, input_specs, requested_ticks
from alpamayo_ros.ros.process import end_process, run_nodes
from alpamayo_ros.ros.qos import qos_profile
from alpamayo_ros.ros.stage import DRAIN_S
from alpamayo_ros.ros.tick_ledger import TickLedger
from alpamayo_ros.structs.detection import count_by_label
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.tick import Rejection, TickOutcome, TickStatus


class PerceptionNode(ManagedNode):
    """Turns inputs into observations and hands them to reasoning, one at a time."""

    outputs: Outputs | None = None
    _inputs: InputSubscriptions | None = None
    _ledger: TickLedger
    _odometry: RigOdometry
    _translator: StageTranslator
    _stage: PerceiveStage | None = None
    _detector: ActorDetector | None = None
    _tick_subscription: Any = None
    _counts_due = False

    def set_up(self, stack: StackSetup) -> None:
        """Make the publishers, and read which topic carries which input."""
        self._specs = input_specs(self, stack)
        for spec in self._specs:
            validate_topic(self, spec)
        self._requested = requested_ticks(stack.parameters.perception.requested_ticks_file)
        self._translator = graph_translator()
        self._detector = load_detector(stack.profile, stack.parameters.perception)
        self._ledger = TickLedger(stack, self._requested, self.now_ns, self._detector)
        perceiving = Perceiving(self._detector, load_perceiver(stack.profile, stack.parameters, stack.model))
        self._stage = PerceiveStage(perceiving, self.handover.worker, self._in_work, self._give, self._stage_failed)
        self.outputs = Outputs(self, self.key, stack.lineage, self.handover)

    def start(self) -> None:
        """Subscribe to the inputs, with everything that was seen before forgotten."""
        if self.stack is None:
            return
        self._ledger = TickLedger(self.stack, self._requested, self.now_ns, self._detector)
        self._odometry = RigOdometry(self.stack.calibration.odometry)
        if self.handover.in_memory:
            self.handover.receive("tick", self._on_status)
        else:
            self._tick_subscription = self.create_subscription(
                generated_class("alpamayo_ros/msg/TickStatus"), "~/input/tick", self._on_tick, qos_profile("output")
            )
        self._inputs = InputSubscriptions(self, self._specs, self.now_ns)

    def stop(self) -> None:
        """Subscribe to nothing more; ticks that are open are no ticks, those that wait for busy stages are skipped."""
        for status in self._ledger.abandon():
            self._publish_status(status)
        self.handover.forget("tick", self._on_status)
        if self._tick_subscription is not None:
            self.destroy_subscription(self._tick_subscription)
            self._tick_subscription = None
        if self._inputs is not None:
            self._inputs.close()
            self._inputs = None
        if self._stage is not None and not self._stage.drain(DRAIN_S):
            self.get_logger().error(f"the stage still runs {DRAIN_S:.0f} s after its node was stopped")

    def tear_down(self) -> None:
        """Publish nothing more, and release the engines."""
        if self.outputs is not None:
            self.outputs.close()
            self.outputs = None
        if self._stage is not None:
            self._stage.close()

    def turn(self) -> None:
        """Follow the graph, and give up a tick that nobody answers."""
        if self._inputs is not None:
            self._inputs.refresh()
        overdue = self._ledger.overdue()
        if overdue is not None:
            self._publish_status(overdue)
            self._follow(self._ledger.finish(overdue))

    def connections(self) -> dict[str, int]:
        """Return the matched endpoints."""
        found = self.outputs.connections() if self.outputs is not None else {}
        if self._inputs is not None:
            found |= self._inputs.connections()
        if self._tick_subscription is not None:
            found["~/input/tick"] = matched_publishers(self, self._tick_subscription)
        return found

    def health(self) -> Health:
        """Say why no tick is answered, or that ticks are."""
        silence_after_ns = int(self.parameters.live("silence_after_ms")) * 1_000_000
        inputs = self._inputs.health() if self._inputs is not None else []
        health = perception_health(self._ledger.facts(inputs), silence_after_ns)
        return with_worker(health, None if self._stage is None else self._stage.worker_state())

    # Messages of the vehicle.

    def on_odometry(self, message: Any, _type_name: str) -> None:
        """Take a pose."""
        topic = self._specs[0].topic
        try:
            sample = self._odometry.to_rig(odometry_struct(message), message.child_frame_id, topic)
        except TopicError as error:
            self._note(ODOMETRY, str(error))
            return
        self._note(ODOMETRY, "")
        self._take(ODOMETRY, self._ledger.observer.feed_odometry(sample))

    def on_picture(self, camera: str, message: Any, type_name: str) -> None:
        """Take a picture."""
        frame = camera_frame(message, camera, type_name)
        self._take(camera, self._ledger.observer.feed_frame(frame))

    def on_navigation(self, message: Any, _type_name: str) -> None:
        """Take a navigation command."""
        try:
            command = navigation_struct(message)
        except ValueError as error:
            self._note(NAVIGATION, f"navigation command cannot be used: {error}")
            return
        self._note(NAVIGATION, "")
        self._ledger.observer.feed_navigation(command)
        self._take(NAVIGATION, [])

    def on_camera_info(self, camera: str, message: Any, _type_name: str) -> None:
        """Take the intrinsics of a camera."""
        self._ledger.observer.feed_camera_info(camera, camera_intrinsics(message))
        self._take(f"{camera}/camera_info", [])

    def _note(self, name: str, problem: str) -> None:
        if self._inputs is not None:
            self._inputs.note_problem(name, problem)
        if problem:
            self._ledger.count_unusable(name)
            self._count_soon()

    def _take(self, name: str, closed: list[Seen]) -> None:
        self._ledger.count(name, closed)
        for seen in closed:
            if isinstance(seen.result, Rejection):
                status = rejected(seen.tick, self._ledger.trigger, seen.result)
                self._ledger.note(status)
                self._publish_status(status)
            else:
                self._follow(self._ledger.offer(seen.result))
        self._count_soon()

    # Ticks.

    def _follow(self, decision: Decision) -> None:
        """Publish who was skipped and hand on who is next, until somebody takes it or nobody waits."""
        while True:
            for status in decision.skipped:
                self._publish_status(status)
            if decision.send is None or self._hand_on(decision.send):
                return
            decision = self._ledger.finish(self._nobody_listens(decision.send))

    def _hand_on(self, observation: Observation) -> bool:
        if self.outputs is None or self._stage is None or not self.outputs.has_taker("observation"):
            return False
        self._stage.run(observation)
        return True

    def _in_work(self, observation: Observation) -> bool:
        return self._ledger.in_work(key_of(observation))

    def _give(self, observation: Observation) -> None:
        if self.outputs is None:
            raise BackendError("perception was taken down before the tick was handed on")
        if self._detector is not None:
            self._ledger.traffic = count_by_label(observation.actors)
        self.outputs.publish("observation", observation, self._translator.observation, lazily=True)

    def _stage_failed(self, observation: Observation, error: Exception) -> None:
        if not isinstance(error, AlpamayoError):
            self.get_logger().error("".join(traceback.format_exception(error)))
        status = stage_failed(observation.t0_ns, observation.epoch, self._ledger.trigger, error)
        self._publish_status(status)
        self._finish_soon(status)

    def _nobody_listens(self, observation: Observation) -> TickStatus:
        topic = self.outputs.topic("observation") if self.outputs is not None else "~/output/observation"
        text = f"nobody takes {topic}; expected an active reasoning node in this namespace"
        status = self._ledger.failed(key_of(observation), text)
        self._publish_status(status)
        return status

    def _on_tick(self, message: Any) -> None:
        self._on_status(tick_struct(message))

    def _on_status(self, status: TickStatus) -> None:
        if status.outcome not in (TickOutcome.ANSWERED, TickOutcome.STAGE_FAILED):
            return
        if self.handover.in_memory:
            # The planner is still inside its call: to go on from here would nest each tick in the one before.
            self._finish_soon(status)
        else:
            self._follow(self._ledger.finish(status))

    def _finish_soon(self, status: TickStatus) -> None:
        if self.executor is None:
            self._follow(self._ledger.finish(status))
        else:
            self.executor.create_task(lambda: self._follow(self._ledger.finish(status)))

    def _publish_status(self, status: TickStatus) -> None:
        if self.outputs is not None:
            self.outputs.publish("tick", status, self._translator.tick)

    def _count_soon(self) -> None:
        """Publish the counts once what has arrived by now is taken: what comes together is counted together."""
        if self._counts_due or self.outputs is None or not self.outputs.has_subscriber("input_counts"):
            return
        if self.executor is not None:
            self._counts_due = True
            self.executor.create_task(self._publish_counts)

    def _publish_counts(self) -> None:
        self._counts_due = False
        if self.outputs is not None:
            self.outputs.publish("input_counts", self._ledger.input_counts(), self._translator.input_counts)


def main() -> int:
    """Run the node."""
    return run_nodes(lambda: [PerceptionNode("perception")])


if __name__ == "__main__":
    end_process(main())
