"""Subscribe to whatever a recorder selects, as soon as it is published, and write down what comes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node

from alpamayo_ros.errors import TopicError
from alpamayo_ros.recording.offers import is_matched, requested_qos
from alpamayo_ros.recording.selection import TopicSelection
from alpamayo_ros.recording.sequence import SequenceLedger
from alpamayo_ros.recording.session import RecordingSession
from alpamayo_ros.ros.classes import generated_class
from alpamayo_ros.ros.inputs import matched_publishers
from alpamayo_ros.ros.message_taker import Info, MessageTaker, origin_of
from alpamayo_ros.ros.qos import from_stored, to_stored
from alpamayo_ros.storage.qos import QosProfile


@dataclass(slots=True)
class _Topic:
    """One topic that is recorded."""

    name: str
    type_name: str
    announced_hash: str
    offers: tuple[QosProfile, ...] = ()
    request: QosProfile = field(default_factory=QosProfile)
    subscription: Any = None
    retiring: Any = None
    declared: bool = False
    seen: tuple[tuple[str, str, QosProfile], ...] = ()
    ledger: SequenceLedger = field(default_factory=SequenceLedger)


class RecordingSubscriptions:
    """Follows the graph and feeds a session; what cannot be subscribed to is kept with its reason."""

    def __init__(
        self,
        node: Node,
        session: RecordingSession,
        selection: TopicSelection,
        expected: Mapping[str, tuple[str, QosProfile]],
    ) -> None:
        """Subscribe to what is published, and to what is going to be.

        Args:
            node: Subscribes; its clock gives receive times.
            session: Takes the messages.
            selection: Which topics.
            expected: Type and offer by full name of topics that are known before anybody publishes them: of these,
                also a message that is sent right after the discovery is recorded.
        """
        self._node = node
        self._session = session
        self._selection = selection
        self._selected: dict[str, bool] = {}
        self._topics: dict[str, _Topic] = {}
        self._refusals: dict[str, str] = {}
        self._refused: set[tuple[str, str]] = set()
        self._published: set[str] = set()
        self.taken = 0
        """Messages that arrived."""
        for name, (type_name, offer) in expected.items():
            if self._is_selected(name):
                self._follow(name, [(type_name, "", offer)])
        self.refresh()

    @property
    def refusals(self) -> Mapping[str, str]:
        """Why a topic is not recorded, by its name."""
        return self._refusals

    @property
    def missed(self) -> int:
        """Messages that were sent and did not arrive, as far as publishers number them."""
        return sum(topic.ledger.missed for topic in self._topics.values())

    @property
    def awaited(self) -> tuple[str, ...]:
        """Names that are selected one by one and have no publisher."""
        return tuple(name for name in self._selection.topics if name not in self._published and self._is_selected(name))

    def connections(self) -> dict[str, int]:
        """Return the number of matched publishers by topic."""
        return {topic.name: matched_publishers(self._node, topic.subscription) for topic in self._topics.values()}

    def refresh(self) -> None:
        """Look at the graph and follow what has appeared or changed."""
        for topic in self._topics.values():
            self._retire(topic)
        self._published.clear()
        for name, _ in self._node.get_topic_names_and_types():
            if not self._is_selected(name):
                continue
            infos = self._node.get_publishers_info_by_topic(name)
            if infos:
                self._published.add(name)
                # Before Iron publishers announce no hash.
                offers = [
                    (i.topic_type, str(getattr(i, "topic_type_hash", "")), to_stored(i.qos_profile)) for i in infos
                ]
                self._follow(name, offers)

    def close(self) -> None:
        """Take what has arrived, and subscribe to nothing more."""
        for topic in self._topics.values():
            for subscription in (topic.retiring, topic.subscription):
                self._end(topic, subscription)
        self._topics.clear()

    def _is_selected(self, name: str) -> bool:
        if name not in self._selected:
            # A remap of the recorder stands between it and a topic that has the name that is remapped.
            self._selected[name] = self._selection.selects(name) and self._node.resolve_topic_name(name) == name
        return self._selected[name]

    def _follow(self, name: str, publishers: list[tuple[str, str, QosProfile]]) -> None:
        topic, seen = self._topics.get(name), tuple(sorted(publishers, key=str))
        if topic is not None and topic.seen == seen:
            return
        for type_name, announced_hash in sorted({(type_name, announced) for type_name, announced, _ in publishers}):
            offers = tuple(offer for other, _, offer in publishers if other == type_name)
            if topic is None:
                topic = _Topic(name, type_name, announced_hash)
                if not self._subscribe(topic, offers):
                    topic = None
            elif topic.type_name == type_name:
                self._subscribe(topic, offers)
            else:
                self._refusals[name] = (
                    f"it is recorded as {topic.type_name}, and a publisher offers {type_name}; expected one type"
                )
        if topic is not None:
            self._topics[name], topic.seen = topic, seen
            if name in self._published:
                # Again with every change: the session warns of offers that differ.
                self._declare(topic)

    def _subscribe(self, topic: _Topic, offers: tuple[QosProfile, ...]) -> bool:
        """Subscribe so that all offers are matched; say whether that was possible, now or before."""
        topic.offers = offers
        if topic.subscription is not None and all(is_matched(topic.request, offer) for offer in offers):
            return True
        if (topic.name, topic.type_name) in self._refused:
            return False
        request = requested_qos(topic.name, offers).qos
        try:
            subscription = self._node.create_subscription(
                generated_class(topic.type_name),
                topic.name,
                MessageTaker(lambda payload, info: self._take(topic, payload, info)),
                from_stored(request),
                raw=True,
                # With handlers of events the events executor can crash when a subscription is destroyed (rclpy #1644).
                event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
            )
        except (TopicError, AttributeError, ImportError, RuntimeError) as error:
            # Besides a type that is not installed: an interface package that is damaged, or a name without an endpoint.
            self._refused.add((topic.name, topic.type_name))
            self._refusals[topic.name] = str(error)
            return False
        self._end(topic, topic.retiring)
        topic.retiring, topic.subscription, topic.request = topic.subscription, subscription, request
        return True

    def _declare(self, topic: _Topic) -> None:
        """Add a topic to the bag: with its first publisher or message, so that the bag holds none without both."""
        topic.declared = True
        self._session.add_topic(topic.name, topic.type_name, topic.offers, announced_hash=topic.announced_hash)

    def _take(self, topic: _Topic, payload: bytes, info: Info) -> None:
        self.taken += 1
        if not topic.ledger.is_new(*origin_of(info)):
            return
        if not topic.declared:
            self._declare(topic)
        self._session.write(
            topic.name,
            payload,
            receive_ns=self._node.get_clock().now().nanoseconds,
            publish_ns=info.get("source_timestamp"),
        )

    def _retire(self, topic: _Topic) -> None:
        """End the former subscription of a topic as soon as the present one gets all that it got."""
        if topic.retiring is None:
            return
        before = matched_publishers(self._node, topic.retiring)
        if matched_publishers(self._node, topic.subscription) >= before:
            self._end(topic, topic.retiring)
            topic.retiring = None

    def _end(self, topic: _Topic, subscription: Any) -> None:
        if subscription is None:
            return
        with subscription.handle:
            for _ in range(topic.request.depth):
                taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
                if taken is None:
                    break
                self._take(topic, *taken)
        self._node.destroy_subscription(subscription)


def _publisher(info: Any) -> tuple[str, str, QosProfile]:
    # Before Iron publishers announce no hash.
    return str(info.topic_type), str(getattr(info, "topic_type_hash", "")), to_stored(info.qos_profile)
