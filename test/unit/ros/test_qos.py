"""The named QoS profiles, subscriptions that every publisher matches, and profiles in a bag's words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="rclpy is not installed")

from rclpy.duration import Duration
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)

from alpamayo_ros.messages.topics import OUTPUT_TOPICS
from alpamayo_ros.ros.qos import SENSOR_DEPTH, adapted_to, from_stored, qos_profile, to_stored
from alpamayo_ros.storage.qos import INFINITE_NS, LATCHED_QOS, OUTPUT_QOS, QosProfile

pytestmark = pytest.mark.ros

RELIABILITIES = (ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT)
DURABILITIES = (DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL)
ENDLESS = Duration(nanoseconds=INFINITE_NS)
"""What the graph says of times that were not asked for."""

OFFERS = [
    QoSProfile(
        depth=3, reliability=reliability, durability=durability, liveliness=LivelinessPolicy.AUTOMATIC,
        deadline=ENDLESS, lifespan=ENDLESS, liveliness_lease_duration=ENDLESS,
    )
    for reliability in RELIABILITIES
    for durability in DURABILITIES
]  # fmt: skip


def test_every_profile_of_the_table_is_known_and_another_is_not() -> None:
    for row in OUTPUT_TOPICS:
        assert qos_profile(row.qos).reliability is ReliabilityPolicy.RELIABLE
    with pytest.raises(KeyError):
        qos_profile("loud")


def test_live_profiles_are_those_that_our_bags_state() -> None:
    for name, stored in (("output", OUTPUT_QOS), ("latched", LATCHED_QOS)):
        live, kept = qos_profile(name), from_stored(stored)
        assert (live.reliability, live.durability, live.history, live.depth) == (
            kept.reliability, kept.durability, kept.history, kept.depth,
        )  # fmt: skip
    assert qos_profile("counts").depth == 1


def test_the_clock_is_taken_from_any_publisher() -> None:
    for offer in OFFERS:
        assert qos_check_compatible(offer, qos_profile("clock"))[0] != QoSCompatibility.ERROR


@given(st.lists(st.sampled_from(OFFERS), max_size=5))
def test_a_subscription_matches_every_publisher_and_is_reliable_where_all_are(offers: list[QoSProfile]) -> None:
    adapted = adapted_to(offers)
    for offer in offers:
        assert qos_check_compatible(offer, adapted)[0] != QoSCompatibility.ERROR
    assert (adapted.reliability is ReliabilityPolicy.RELIABLE) == all(
        offer.reliability is ReliabilityPolicy.RELIABLE for offer in offers
    )
    assert (adapted.depth, adapted.durability) == (SENSOR_DEPTH, DurabilityPolicy.VOLATILE)


@pytest.mark.parametrize("policy", [ReliabilityPolicy.SYSTEM_DEFAULT, ReliabilityPolicy.UNKNOWN])
def test_what_is_not_known_to_be_reliable_is_taken_as_best_effort(policy: Any) -> None:
    assert adapted_to([QoSProfile(depth=1, reliability=policy)], 7).reliability is ReliabilityPolicy.BEST_EFFORT
    assert adapted_to([], 7).depth == 7


@pytest.mark.parametrize("offer", OFFERS)
def test_a_profile_survives_the_bag(offer: QoSProfile) -> None:
    stored = to_stored(offer)
    back = from_stored(stored)
    for name in ("reliability", "durability", "history", "depth", "liveliness"):
        assert getattr(back, name) == getattr(offer, name), name
    assert QosProfile.from_metadata(stored.to_metadata_v9()) == stored


def test_times_are_stored_in_ns_and_endless_ones_as_rosbag2_does() -> None:
    endless = to_stored(OFFERS[0])
    assert endless.deadline_ns == endless.lifespan_ns == endless.liveliness_lease_duration_ns == INFINITE_NS
    stored = to_stored(
        QoSProfile(
            depth=1,
            deadline=Duration(seconds=1),
            lifespan=Duration(nanoseconds=5),
            liveliness=LivelinessPolicy.MANUAL_BY_TOPIC,
            liveliness_lease_duration=Duration(seconds=2),
        )
    )
    assert (stored.deadline_ns, stored.lifespan_ns, stored.liveliness_lease_duration_ns) == (10**9, 5, 2 * 10**9)
    assert stored.liveliness == "manual_by_topic"


@pytest.mark.parametrize("word", ["system_default", "unknown", "best_available", "manual_by_node", ""])
def test_words_that_no_endpoint_can_be_made_with_become_the_default(word: str) -> None:
    stored = QosProfile(reliability=word, durability=word, history=word, liveliness=word, depth=0)
    made = from_stored(stored)
    assert (made.reliability, made.durability) == (ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)
    assert (made.history, made.liveliness) == (HistoryPolicy.KEEP_LAST, LivelinessPolicy.AUTOMATIC)
    assert (made.depth, from_stored(stored, depth=9).depth) == (1, 9)
