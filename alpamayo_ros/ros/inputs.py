"""Subscribe to what the vehicle brings, with the type and QoS that its publishers really offer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rclpy.exceptions import InvalidTopicNameException
from rclpy.node import Node
from rclpy.qos import QoSProfile

from alpamayo_ros.errors import TopicError
from alpamayo_ros.monitoring.health import InputHealth
from alpamayo_ros.recording.sequence import SequenceLedger
from alpamayo_ros.ros.classes import generated_class
from alpamayo_ros.ros.message_taker import Info, MessageTaker, origin_of
from alpamayo_ros.ros.qos import adapted_to

_LOOK_AGAIN = 50
"""Looks after which an input is looked at again although its publishers are as many as before."""


@dataclass(slots=True)
class InputSpec:
    """One input.

    Attributes:
        name: Id of the input.
        topic: Topic name, before remapping.
        types: Message types that will do.
        callback: Called with each message and its type.
        required: Whether ticks wait for it.
        holds_ns: How long its newest message holds; None for an input whose messages are not forgotten.
    """

    name: str
    topic: str
    types: tuple[str, ...]
    callback: Callable[[Any, str], None]
    required: bool = True
    holds_ns: int | None = None


@dataclass(slots=True)
class _Bound:
    """What is subscribed to for one input at present."""

    spec: InputSpec
    subscription: Any = None
    type_name: str = ""
    profile: QoSProfile | None = None
    publishers: int = 0
    looked: bool = False
    received: int = 0
    last_ns: int | None = None
    sequence: SequenceLedger = field(default_factory=SequenceLedger)
    last_missed_ns: int | None = None
    graph_problem: str = ""
    message_problem: str = ""
    topic: str = field(default="")


class InputSubscriptions:
    """Follows the graph: an input is subscribed to as soon as it is published, and again if what it offers changes."""

    def __init__(self, node: Node, specs: Sequence[InputSpec], now_ns: Callable[[], int]) -> None:
        """Look for the inputs.

        Args:
            node: Subscribes.
            specs: The inputs.
            now_ns: Steady time, for silence; no outcome depends on it.
        """
        self._node = node
        self._now_ns = now_ns
        self._looks = 0
        self._bound = {spec.name: _Bound(spec, topic=node.resolve_topic_name(spec.topic)) for spec in specs}
        self.refresh()

    def refresh(self) -> None:
        """Look at the graph and subscribe to what has appeared or changed.

        How many publishers there are is asked each time. What they offer is asked when that changes, and now and then
        of one input at a time: it takes milliseconds, which a tick would wait for.
        """
        self._looks += 1
        for number, bound in enumerate(self._bound.values()):
            count = self._node.count_publishers(bound.topic)
            if (
                bound.looked
                and count == bound.publishers
                and number != self._looks % max(_LOOK_AGAIN, len(self._bound))
            ):
                continue
            bound.looked = True
            infos = self._node.get_publishers_info_by_topic(bound.topic)
            bound.publishers = len(infos)
            self._follow(bound, [(info.topic_type, info.qos_profile) for info in infos])

    def note_problem(self, name: str, problem: str) -> None:
        """Report what is wrong with the messages of an input, empty when they are right again."""
        self._bound[name].message_problem = problem

    def health(self) -> list[InputHealth]:
        """Return what is known about every input."""
        now_ns = self._now_ns()
        return [
            InputHealth(
                name=name,
                topic=bound.topic,
                publishers=bound.publishers,
                received=bound.received,
                silent_ns=None if bound.last_ns is None else now_ns - bound.last_ns,
                lost=bound.sequence.missed,
                lost_ago_ns=None if bound.last_missed_ns is None else now_ns - bound.last_missed_ns,
                problem=bound.graph_problem or bound.message_problem,
                required=bound.spec.required,
                holds_ns=bound.spec.holds_ns,
            )
            for name, bound in self._bound.items()
        ]

    def connections(self) -> dict[str, int]:
        """Return the number of matched publishers by the id of the input."""
        return {
            name: 0 if bound.subscription is None else matched_publishers(self._node, bound.subscription)
            for name, bound in self._bound.items()
        }

    def close(self) -> None:
        """Subscribe to nothing more."""
        for bound in self._bound.values():
            self._unsubscribe(bound)

    def _follow(self, bound: _Bound, offers: list[tuple[str, QoSProfile]]) -> None:
        fitting = [(type_name, offer) for type_name, offer in offers if type_name in bound.spec.types]
        foreign = sorted({type_name for type_name, _ in offers} - set(bound.spec.types))
        wanted = " or ".join(bound.spec.types)
        bound.graph_problem = f"a publisher has type {', '.join(foreign)}; expected {wanted}" if foreign else ""
        if not fitting:
            return
        types = sorted({type_name for type_name, _ in fitting})
        if len(types) > 1:
            bound.graph_problem = f"publishers have the types {', '.join(types)}; expected one of them"
            return
        profile = adapted_to([offer for _, offer in fitting])
        if bound.type_name == types[0] and _serves(bound.profile, profile):
            return
        self._unsubscribe(bound)
        try:
            self._subscribe(bound, types[0], profile)
        except TopicError as error:
            bound.graph_problem = str(error)

    def _subscribe(self, bound: _Bound, type_name: str, profile: QoSProfile) -> None:
        def take(message: Any, info: Info) -> None:
            bound.received += 1
            bound.last_ns = self._now_ns()
            missed = bound.sequence.missed
            bound.sequence.is_new(*origin_of(info))
            if bound.sequence.missed > missed:
                bound.last_missed_ns = bound.last_ns
            bound.spec.callback(message, type_name)

        bound.subscription = self._node.create_subscription(
            generated_class(type_name), bound.topic, MessageTaker(take), profile
        )
        bound.type_name, bound.profile = type_name, profile

    def _unsubscribe(self, bound: _Bound) -> None:
        if bound.subscription is not None:
            self._node.destroy_subscription(bound.subscription)
            bound.subscription, bound.type_name, bound.profile = None, "", None


def validate_topic(node: Node, spec: InputSpec) -> None:
    """Require a topic name that ROS can have.

    Raises:
        TopicError: It cannot.
    """
    try:
        node.resolve_topic_name(spec.topic)
    except (InvalidTopicNameException, RuntimeError) as error:  # rclpy's RCLError is a RuntimeError
        reason = str(error).partition(", at ")[0]
        raise TopicError(
            f"topic {spec.topic!r} of input {spec.name} is no ROS topic name: {reason}; "
            "expected letters, digits and underscores between slashes"
        ) from error


def _serves(present: QoSProfile | None, wanted: QoSProfile) -> bool:
    """Whether a subscription matches what is wanted; a best-effort one matches every publisher and is kept."""
    return present is not None and (
        present.reliability is wanted.reliability or present.reliability.name == "BEST_EFFORT"
    )


def matched_publishers(node: Node, subscription: Any) -> int:
    """Return how many publishers a subscription is matched with; before ROS 2 Jazzy, how many the graph shows."""
    if hasattr(subscription, "get_publisher_count"):
        return int(subscription.get_publisher_count())
    return int(node.count_publishers(subscription.topic_name))
