"""An input is followed through the graph: types, QoS, publishers that come, change and go."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")

from rclpy.qos import QoSProfile, ReliabilityPolicy

from alpamayo_ros.messages.topics import COMPRESSED_TYPE, ODOMETRY_TYPE, RAW_TYPE
from alpamayo_ros.ros.classes import generated_class
from alpamayo_ros.ros.inputs import InputSpec, InputSubscriptions, matched_publishers

pytestmark = pytest.mark.ros

S = 1_000_000_000
RELIABLE = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


@dataclass
class Subscription:
    """What a graph keeps of a subscription."""

    message_class: Any
    topic_name: str
    callback: Any
    profile: QoSProfile
    destroyed: bool = False

    def get_publisher_count(self) -> int:
        return 2

    def deliver(self, message: Any, **info: Any) -> None:
        self.callback(message, info)


@dataclass
class Graph:
    """The part of a node that looks at the graph; what is published is what a test says."""

    published: dict[str, list[tuple[str, QoSProfile]]] = field(default_factory=dict)
    subscriptions: list[Subscription] = field(default_factory=list)

    def resolve_topic_name(self, topic: str) -> str:
        return topic.replace("~", "/alpamayo/perception")

    def get_publishers_info_by_topic(self, topic: str) -> list[Any]:
        return [SimpleNamespace(topic_type=kind, qos_profile=qos) for kind, qos in self.published.get(topic, [])]

    def count_publishers(self, topic: str) -> int:
        return len(self.published.get(topic, []))

    def create_subscription(self, message_class: Any, topic: str, callback: Any, profile: QoSProfile) -> Subscription:
        self.subscriptions.append(Subscription(message_class, topic, callback, profile))
        return self.subscriptions[-1]

    def destroy_subscription(self, subscription: Subscription) -> None:
        assert not subscription.destroyed
        subscription.destroyed = True

    @property
    def present(self) -> list[Subscription]:
        return [subscription for subscription in self.subscriptions if not subscription.destroyed]


class Scene:
    """Subscriptions to a picture and to optional odometry, in a graph that a test changes."""

    def __init__(self, **published: list[tuple[str, QoSProfile]]) -> None:
        self.graph = Graph({f"/{name}": offers for name, offers in published.items()})
        self.now_ns = 7 * S
        self.took: list[tuple[Any, str]] = []
        take = lambda message, type_name: self.took.append((message, type_name))  # noqa: E731
        specs = [
            InputSpec("front", "/image", (COMPRESSED_TYPE, RAW_TYPE), take),
            InputSpec("odometry", "~/input/odometry", (ODOMETRY_TYPE,), take, required=False),
        ]
        self.inputs = InputSubscriptions(self.graph, specs, lambda: self.now_ns)  # type: ignore[arg-type]

    def offer(self, *offers: tuple[str, QoSProfile]) -> None:
        self.graph.published["/image"] = list(offers)
        self.inputs.refresh()

    @property
    def problem(self) -> str:
        return self.inputs.health()[0].problem


def test_what_nobody_publishes_is_not_subscribed_to() -> None:
    scene = Scene()
    assert scene.graph.subscriptions == []
    front, odometry = scene.inputs.health()
    assert (front.name, front.topic, front.publishers, front.received, front.silent_ns, front.problem) == (
        "front", "/image", 0, 0, None, "",
    )  # fmt: skip
    assert (odometry.topic, odometry.required) == ("/alpamayo/perception/input/odometry", False)
    assert scene.inputs.connections() == {"front": 0, "odometry": 0}


def test_what_is_published_already_is_subscribed_to_at_once_with_its_type_and_qos() -> None:
    scene = Scene(image=[(RAW_TYPE, BEST_EFFORT)])
    (made,) = scene.graph.present
    assert (made.message_class, made.topic_name) == (generated_class(RAW_TYPE), "/image")
    assert made.profile.reliability is ReliabilityPolicy.BEST_EFFORT
    assert scene.inputs.connections() == {"front": 2, "odometry": 0}


def test_nothing_changes_while_the_graph_does_not() -> None:
    scene = Scene(image=[(RAW_TYPE, RELIABLE)])
    for _ in range(3):
        scene.inputs.refresh()
    assert len(scene.graph.subscriptions) == 1


def test_messages_reach_the_callback_with_their_type_and_are_counted() -> None:
    scene = Scene(image=[(COMPRESSED_TYPE, RELIABLE)])
    scene.graph.present[0].deliver("a")
    scene.now_ns += 3
    assert scene.took == [("a", COMPRESSED_TYPE)]
    health = scene.inputs.health()[0]
    assert (health.received, health.silent_ns, health.publishers, health.lost, health.lost_ago_ns) == (1, 3, 1, 0, None)


def test_messages_that_were_lost_on_the_way_are_counted_with_their_age() -> None:
    scene = Scene(image=[(COMPRESSED_TYPE, BEST_EFFORT)])
    for number in (1, 2, 6):
        scene.graph.present[0].deliver("a", publication_sequence_number=number, publisher_gid={"data": b"p"})
    scene.now_ns += 5
    health = scene.inputs.health()[0]
    assert (health.received, health.lost, health.lost_ago_ns) == (3, 3, 5)


def test_a_best_effort_publisher_that_joins_makes_the_subscription_best_effort() -> None:
    scene = Scene(image=[(RAW_TYPE, RELIABLE)])
    scene.offer((RAW_TYPE, RELIABLE), (RAW_TYPE, BEST_EFFORT))
    first, second = scene.graph.subscriptions
    assert first.destroyed
    assert second.profile.reliability is ReliabilityPolicy.BEST_EFFORT
    scene.offer((RAW_TYPE, RELIABLE))
    assert scene.graph.present == [second], "it matches a reliable publisher too, and a new one would lose messages"


def test_a_publisher_of_another_of_the_types_takes_the_place_of_one_that_left() -> None:
    scene = Scene(image=[(RAW_TYPE, RELIABLE)])
    scene.offer((COMPRESSED_TYPE, RELIABLE))
    for _ in range(50):  # as many publishers as before: it is noticed at one of the thorough looks
        scene.inputs.refresh()
    assert [made.message_class for made in scene.graph.present] == [generated_class(COMPRESSED_TYPE)]
    scene.graph.present[0].deliver("b")
    assert scene.took == [("b", COMPRESSED_TYPE)]


def test_publishers_of_two_types_are_a_problem_and_the_present_subscription_stays() -> None:
    scene = Scene(image=[(RAW_TYPE, RELIABLE)])
    scene.offer((RAW_TYPE, RELIABLE), (COMPRESSED_TYPE, RELIABLE))
    assert scene.problem == f"publishers have the types {COMPRESSED_TYPE}, {RAW_TYPE}; expected one of them"
    assert len(scene.graph.subscriptions) == 1
    scene.offer((RAW_TYPE, RELIABLE))
    assert scene.problem == ""


def test_a_publisher_of_a_foreign_type_is_a_problem_and_the_right_one_is_still_taken() -> None:
    scene = Scene(image=[(ODOMETRY_TYPE, RELIABLE)])
    assert scene.problem == f"a publisher has type {ODOMETRY_TYPE}; expected {COMPRESSED_TYPE} or {RAW_TYPE}"
    assert scene.graph.present == []
    scene.offer((ODOMETRY_TYPE, RELIABLE), (RAW_TYPE, RELIABLE))
    assert "a publisher has type" in scene.problem
    assert len(scene.graph.present) == 1
    scene.offer((RAW_TYPE, RELIABLE))
    assert scene.problem == ""


@pytest.mark.parametrize("offers", [[(ODOMETRY_TYPE, RELIABLE)], [(RAW_TYPE, RELIABLE), (COMPRESSED_TYPE, RELIABLE)]])
def test_a_problem_goes_with_the_publishers_that_made_it(offers: list[tuple[str, QoSProfile]]) -> None:
    scene = Scene(image=offers)
    assert scene.problem
    scene.offer()
    assert scene.problem == ""
    assert scene.inputs.health()[0].publishers == 0


def test_when_its_publisher_goes_the_subscription_waits_for_the_next() -> None:
    scene = Scene(image=[(RAW_TYPE, RELIABLE)])
    scene.offer()
    scene.offer((RAW_TYPE, RELIABLE))
    assert len(scene.graph.subscriptions) == 1
    assert not scene.graph.subscriptions[0].destroyed


def test_what_is_wrong_with_messages_is_told_until_they_are_right() -> None:
    scene = Scene(image=[(RAW_TYPE, RELIABLE)])
    scene.inputs.note_problem("front", "it is upside down")
    assert scene.problem == "it is upside down"
    scene.offer((ODOMETRY_TYPE, RELIABLE), (RAW_TYPE, RELIABLE))
    assert "a publisher has type" in scene.problem, "the cause comes first"
    scene.offer((RAW_TYPE, RELIABLE))
    scene.inputs.note_problem("front", "")
    assert scene.problem == ""


def test_a_type_that_is_not_installed_is_a_problem_and_no_end() -> None:
    graph = Graph({"/x": [("absent_msgs/msg/X", RELIABLE)]})
    specs = [InputSpec("x", "/x", ("absent_msgs/msg/X",), lambda *_: None)]
    inputs = InputSubscriptions(graph, specs, lambda: 0)  # type: ignore[arg-type]
    assert "type 'absent_msgs/msg/X' is not installed" in inputs.health()[0].problem
    inputs.refresh()
    assert graph.subscriptions == []


def test_after_the_end_nothing_is_subscribed_to() -> None:
    scene = Scene(image=[(RAW_TYPE, RELIABLE)])
    scene.inputs.close()
    scene.inputs.close()
    assert scene.graph.present == []
    assert scene.inputs.connections() == {"front": 0, "odometry": 0}


def test_where_a_subscription_cannot_count_its_publishers_the_graph_does() -> None:
    graph = Graph({"/x": [(RAW_TYPE, RELIABLE)] * 3})
    assert matched_publishers(graph, SimpleNamespace(topic_name="/x")) == 3  # type: ignore[arg-type]
