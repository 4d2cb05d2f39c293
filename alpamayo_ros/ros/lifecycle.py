"""The base of every node: lifecycle, parameters, diagnostics, and the lineage that it must agree with."""

import functools
import json
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.context import Context
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from alpamayo_ros.envelope.document import load_envelope
from alpamayo_ros.errors import AlpamayoError, ConfigurationError, DigestMismatchError
from alpamayo_ros.lineage.manifest import compare_components, digests_by_kind
from alpamayo_ros.messages.translator import lineage_components
from alpamayo_ros.monitoring.health import Health, Level
from alpamayo_ros.perception.calibration import load_calibration
from alpamayo_ros.pipeline.setup import StackSetup, choose_profile, set_up_stack
from alpamayo_ros.ros.classes import generated_class
from alpamayo_ros.ros.diagnostics import DiagnosticsPublisher
from alpamayo_ros.ros.handover import Handover
from alpamayo_ros.ros.parameters import ParameterServer
from alpamayo_ros.ros.qos import qos_profile
from alpamayo_ros.structs.camera import RigCalibration

SUCCESS, FAILURE, ERROR = (
    TransitionCallbackReturn.SUCCESS,
    TransitionCallbackReturn.FAILURE,
    TransitionCallbackReturn.ERROR,
)

_TURN_S = 0.1
"""Period of the housekeeping: graph, time-outs, autostart."""

_REPORT_EVERY = 10
"""Turns between two diagnostics."""

CONNECTIONS_SERVICE = "~/debug/connections"
"""std_srvs/Trigger: whether the node is active, and a JSON object of matched endpoints, for whoever waits for them."""


_ERROR_IS_NEWS_NS = 30_000_000_000
"""An error of one message is reported for this long; it is in the log for good."""


class ReportingNode(LifecycleNode):
    """A lifecycle node that says in /diagnostics why it does not do what it should; it runs no stack.

    A subclass fills ``configure``, ``start``, ``stop`` and ``tear_down`` and, where it knows more, ``health`` and
    ``turn``. An error of ``configure`` or ``start`` leaves the node in the state before, with its reason in
    diagnostics.
    """

    def __init__(self, key: str, *, context: Context | None = None) -> None:
        """Declare parameters and begin to report.

        Args:
            key: Name of the node in parameter files and in the table of topics; the default node name.
            context: rclpy context, the default one if None.
        """
        super().__init__(key, context=context, automatically_declare_parameters_from_overrides=True)
        self.key = key
        self.parameters = ParameterServer(self, key)
        self.end_code: int | None = None
        self.exit_code = 0
        """What the process ends with when it ends for another reason."""
        self._diagnostics = DiagnosticsPublisher(self)
        self._refusal = ""
        self._failure = ""
        self._callback_error = ""
        self._callback_error_ns = 0
        self._twin = False
        self._report_soon = False
        self._autostart_pending = self.parameters.autostarts()
        self._turns = 0
        self.create_service(generated_class("std_srvs/srv/Trigger"), CONNECTIONS_SERVICE, self._on_connections)
        self._housekeeping = self.create_timer(_TURN_S, self._turn, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def declare_parameters(self, namespace: str, parameters: Any, ignore_override: bool = False) -> list[Any]:
        """Declare as rclpy does, and an empty list too: ROS 2 knows no type of it, at which rclpy ends the process."""
        untyped = ParameterDescriptor(dynamic_typing=True)
        rows = [(row[0], None, untyped) if len(row) == 3 and row[1] is None else row for row in parameters]
        return super().declare_parameters(namespace, rows, ignore_override)

    follows = ""
    """Topic whose publishers go down before this node, so that no tick is lost on the way; empty if there is none."""

    # What a subclass fills.

    def configure(self) -> None:
        """Resolve parameters and make what an inactive node has."""

    def start(self) -> None:
        """Subscribe."""

    def stop(self) -> None:
        """Subscribe to nothing more."""

    def tear_down(self) -> None:
        """Release what ``configure`` made; called after errors too, so it must not assume that everything is there."""

    def health(self) -> Health:
        """Say how the active node is."""
        return Health(Level.OK, "active")

    def connections(self) -> dict[str, int]:
        """Return how many endpoints each endpoint of the active node is matched with, by its name in the tables."""
        return {}

    def turn(self) -> None:
        """Do what is due ten times a second while the node is active."""

    def refused(self, error: Exception) -> None:
        """Learn why a transition was refused; it is in diagnostics already."""

    @property
    def subject(self) -> str:
        """What diagnostics are said of, empty while nothing is known of it."""
        return ""

    def before_shut_down(self, spin_once: Callable[[float], None]) -> None:
        """Do what needs messages before the node goes down with its process; called in every state.

        Args:
            spin_once: Dispatches what has arrived, or waits for it as many seconds as it is told.
        """

    # The life cycle.

    def autostart(self) -> None:
        """Configure and activate, unless the parameter says that somebody else does; only the first call counts."""
        if not self._autostart_pending:
            return
        self._autostart_pending = False
        if self.trigger_configure() == SUCCESS:
            self.trigger_activate()

    def shut_down(self) -> None:
        """Go through the states to the end, from wherever the node is."""
        self.get_logger().info("going down")
        for state, transition in (("active", self.trigger_deactivate), ("inactive", self.trigger_cleanup)):
            if self.state_label == state:
                transition()
        if self.state_label == "unconfigured":
            self.trigger_shutdown()
        self.get_logger().info("down")

    def is_fed(self) -> bool:
        """Whether a node that goes down before this one still publishes."""
        return bool(self.follows) and self.count_publishers(self.resolve_topic_name(self.follows)) > 0

    @property
    def state_label(self) -> str:
        """Name of the present state."""
        return str(self._state_machine.current_state[1])

    def request_end(self, code: int) -> None:
        """Let the process end with an exit code as soon as the present callback is done; the first request counts."""
        if self.end_code is None:
            self.end_code = code
            self._report()
            self._diagnostics.await_acknowledged()

    def fail(self, reason: str) -> None:
        """Go to the error state, and from there to unconfigured, as soon as the present callback is done."""
        self._failure = self._failure or reason

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Resolve parameters and set up."""
        return self._attempt(self._configure, lambda: super(ReportingNode, self).on_configure(state))

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the publishers and start."""
        returned = super().on_activate(state)
        if returned == SUCCESS:
            returned = self._attempt(self.start, self._say_active)
            if returned != SUCCESS:
                super().on_deactivate(state)
        return returned

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop and close the publishers."""
        self._quietly(self.stop)
        return ERROR if self._failure else super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything."""
        self._release()
        return ERROR if self._failure else super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything, from whatever state."""
        self._quietly(self.stop)
        self._release()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything and become unconfigured, with the reason in diagnostics."""
        self._quietly(self.stop)
        self._release()
        self._refusal, self._failure = self._failure or self._refusal, ""
        super().on_error(state)
        self._report_soon = True
        return SUCCESS

    def _say_active(self) -> None:
        self.get_logger().info(f"active; lineage {self.subject}" if self.subject else "active")

    def _configure(self) -> None:
        self._refusal = self._callback_error = ""
        self._require_no_twin()
        self.configure()
        self.parameters.freeze(frozen=True)

    def _attempt(self, *steps: Callable[[], Any]) -> TransitionCallbackReturn:
        try:
            for step in steps:
                step()
        except AlpamayoError as error:
            refusal: Exception = error
            self._refusal = str(error)
        except Exception as error:  # noqa: BLE001 - whatever a stage raises must reach the person who reads diagnostics
            refusal = error
            self._refusal = f"internal error: {type(error).__name__}: {error}"
            self.get_logger().error(traceback.format_exc())
        else:
            self._report_soon = True
            return SUCCESS
        self.get_logger().error(self._refusal)
        if self.state_label != "activating":
            self._release()
        else:
            self._quietly(self.stop)
        self._report_soon = True
        self.refused(refusal)
        return FAILURE

    def _release(self) -> None:
        self._quietly(self.tear_down)
        self.parameters.freeze(frozen=False)

    def _quietly(self, step: Callable[[], None]) -> None:
        """Take a step of the way down; an error must not keep the rest from being released."""
        try:
            step()
        except Exception:  # noqa: BLE001 - see above
            self.get_logger().error(traceback.format_exc())

    # Other nodes.

    def _require_no_twin(self) -> None:
        self._look_for_twin()
        if self._twin:
            raise ConfigurationError(
                f"node {self.get_fully_qualified_name()} runs twice in this domain; end one of them, or give one "
                "another namespace or ROS_DOMAIN_ID"
            )

    def _look_for_twin(self) -> None:
        own = (self.get_name(), self.get_namespace())
        self._twin = self.get_node_names_and_namespaces().count(own) > 1

    # Reports.

    def _on_connections(self, _request: Any, response: Any) -> Any:
        response.success = self.state_label == "active"
        response.message = json.dumps(self.connections() if response.success else {})
        return response

    def create_subscription(
        self, msg_type: Any, topic: str, callback: Callable[..., None], *arguments: Any, **options: Any
    ) -> Any:
        """Subscribe; what a callback raises is reported, and does not end the process.

        Without event handlers, unless they are asked for: to destroy an endpoint that has some can crash the events
        executor (rclpy #1644).
        """
        options.setdefault("event_callbacks", SubscriptionEventCallbacks(use_default_callbacks=False))
        return super().create_subscription(msg_type, topic, self._guarded(topic, callback), *arguments, **options)

    def _guarded(self, topic: str, callback: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(callback)
        def guarded(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:  # noqa: BLE001 - one message that nobody foresaw must not stop the vehicle's node
                self._callback_error_ns = self.now_ns()
                self._callback_error = f"a message on {topic} raised {type(error).__name__}: {error}"
                self.get_logger().error(traceback.format_exc())

        return guarded

    def now_ns(self) -> int:
        """Return steady time in ns, for silence and time-outs; no outcome of a replay depends on it."""
        return time.monotonic_ns()

    def _turn(self) -> None:
        self._turns += 1
        self.autostart()
        if self._failure:
            self.get_logger().error(self._failure)
            if self.state_label == "active":
                self.trigger_deactivate()
            elif self.state_label == "inactive":
                self.trigger_cleanup()
        if self.state_label == "active":
            self._quietly(self.turn)
        due = not self._turns % _REPORT_EVERY
        if due:
            self._look_for_twin()
        if due or self._report_soon:
            self._report_soon = False
            self._report()

    def _report(self) -> None:
        self._diagnostics.publish(self._present_health(), self.subject)

    def _present_health(self) -> Health:
        state = self.state_label
        if self._twin:
            return Health(Level.ERROR, f"another node {self.get_fully_qualified_name()} runs in this domain")
        if state == "active":
            health = self.health()
            fresh = self._callback_error and self.now_ns() - self._callback_error_ns < _ERROR_IS_NEWS_NS
            return Health(Level.ERROR, self._callback_error, health.values) if fresh else health
        if self._refusal:
            return Health(Level.ERROR, f"{state}: {self._refusal}")
        waits = {"unconfigured": "configure", "inactive": "activate"}.get(state)
        if waits is None:
            return Health(Level.OK, state)
        return Health(Level.WARN, f"{state}: waits for a lifecycle manager to {waits} it")


class ManagedNode(ReportingNode):
    """A reporting node that runs a stage of a stack, or belongs to one: it names the lineage of what runs.

    A subclass fills ``set_up``, ``start``, ``stop`` and ``tear_down`` and, where it knows more, ``health`` and
    ``turn``.
    """

    def __init__(self, key: str, *, context: Context | None = None, handover: Handover | None = None) -> None:
        """Declare parameters and begin to report.

        Args:
            key: Name of the node in parameter files and in the table of topics; the default node name.
            context: rclpy context, the default one if None.
            handover: What the nodes of the process share; one of its own if None.
        """
        super().__init__(key, context=context)
        self.handover = handover if handover is not None else Handover(in_memory=False)
        self.stack: StackSetup | None = None
        self._lineage_subscription: Any = None

    def set_up(self, stack: StackSetup) -> None:
        """Verify digests, load engines, make publishers."""

    def configure(self) -> None:
        """Resolve parameters, name the lineage, set up, and watch that other nodes name the same."""
        parameters = self.parameters.resolve()
        own = getattr(parameters, self.key)
        calibration_file, envelope_file = own.calibration_file, own.envelope_file
        self.stack = set_up_stack(
            choose_profile(own.profile, own.backend),
            parameters,
            load_calibration(Path(calibration_file)) if calibration_file else RigCalibration(),
            load_envelope(Path(envelope_file) if envelope_file else None),
        )
        self.set_up(self.stack)
        self._watch_lineage()

    @property
    def subject(self) -> str:
        """The lineage id, once it is known."""
        return self.stack.lineage.lineage_id if self.stack is not None else ""

    def _release(self) -> None:
        super()._release()
        if self._lineage_subscription is not None:
            self.destroy_subscription(self._lineage_subscription)
            self._lineage_subscription = None
        self.stack = None

    def _watch_lineage(self) -> None:
        self._lineage_subscription = self.create_subscription(
            generated_class("alpamayo_ros/msg/Lineage"), "~/input/lineage", self._on_lineage, qos_profile("latched")
        )

    def _on_lineage(self, message: Any) -> None:
        if self.stack is None or message.lineage_id == self.stack.lineage.lineage_id:
            return
        theirs = {item.kind: item.digest for item in lineage_components(message)}
        kinds = ", ".join(kind for kind, _, _ in compare_components(theirs, digests_by_kind(self.stack.lineage)))
        error = DigestMismatchError(
            f"lineage {message.lineage_id} is published on {self.resolve_topic_name('~/input/lineage')}, and this node "
            f"runs {self.stack.lineage.lineage_id}; they differ in: {kinds or 'the manifest'}; expected one lineage: "
            "give every node the same profile, files and parameters"
        )
        self.fail(str(error))
