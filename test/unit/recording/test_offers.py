"""A subscription that gets the messages of all publishers, and a bag that says what they offered."""

from itertools import combinations_with_replacement, permutations, product

import pytest

from alpamayo_ros.recording.offers import DEFAULT_DEPTH, MAX_DEPTH, is_matched, requested_qos, stored_offers
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS, SENSOR_QOS, QosProfile

RELIABILITIES = ("reliable", "best_effort", "system_default", "best_available", "unknown")
DURABILITIES = ("transient_local", "volatile", "system_default", "best_available", "unknown")
KINDS = [QosProfile(reliability=r, durability=d) for r, d in product(RELIABILITIES, DURABILITIES)]
COMBINATIONS = [combination for size in (1, 2, 3) for combination in combinations_with_replacement(KINDS, size)]


def test_every_combination_of_offers_is_matched_by_its_request() -> None:
    for offers in COMBINATIONS:
        request = requested_qos("/a", offers).qos
        assert all(is_matched(request, offer) for offer in offers), offers


def test_every_request_is_as_demanding_as_the_offers_allow() -> None:
    for offers in COMBINATIONS:
        request = requested_qos("/a", offers).qos
        assert (request.reliability == "reliable") == all(offer.reliability == "reliable" for offer in offers)
        assert request.reliability in ("reliable", "best_effort")
        assert (request.durability == "transient_local") == all(
            offer.durability == "transient_local" for offer in offers
        )
        assert request.durability in ("transient_local", "volatile")


def test_the_order_in_which_publishers_are_found_changes_nothing() -> None:
    offers = (LATCHED_QOS, SENSOR_QOS, OUTPUT_QOS)
    assert len({requested_qos("/a", order) for order in permutations(offers)}) == 1
    assert len({stored_offers(order) for order in permutations(offers)}) == 1


def test_mixed_reliability_is_said_aloud() -> None:
    (warning,) = requested_qos("/scan", (OUTPUT_QOS, SENSOR_QOS, SENSOR_QOS)).warnings
    assert "topic /scan: 1 of 3 publishers are reliable" in warning


def test_mixed_durability_says_what_is_missed() -> None:
    (warning,) = requested_qos("/tf_static", (LATCHED_QOS, OUTPUT_QOS)).warnings
    assert "1 of 2 publishers are latched" in warning
    assert "before the recording began is missed" in warning


@pytest.mark.parametrize("offer", [OUTPUT_QOS, SENSOR_QOS, LATCHED_QOS])
def test_offers_that_agree_give_no_warning(offer: QosProfile) -> None:
    for count in (1, 2, 10):
        assert requested_qos("/a", (offer,) * count).warnings == ()


def test_without_offers_the_request_matches_whatever_comes() -> None:
    request = requested_qos("/a", ()).qos
    assert all(is_matched(request, offer) for offer in KINDS)


def test_a_later_publisher_may_need_a_new_subscription() -> None:
    reliable = requested_qos("/a", (OUTPUT_QOS,)).qos
    assert not is_matched(reliable, SENSOR_QOS)
    latched = requested_qos("/a", (LATCHED_QOS,)).qos
    assert not is_matched(latched, OUTPUT_QOS)
    assert is_matched(latched, LATCHED_QOS)


def test_the_request_leaves_deadline_lifespan_and_liveliness_open() -> None:
    strict = QosProfile(deadline_ns=10, lifespan_ns=20, liveliness="manual_by_topic", liveliness_lease_duration_ns=30)
    request = requested_qos("/a", (strict,)).qos
    assert request == QosProfile(depth=DEFAULT_DEPTH)


def test_latched_publishers_get_room_for_all_that_they_keep() -> None:
    assert requested_qos("/a", (LATCHED_QOS,) * 20).qos.depth == DEFAULT_DEPTH
    assert requested_qos("/a", (QosProfile(durability="transient_local", depth=60),) * 5).qos.depth == 300
    assert requested_qos("/a", (QosProfile(durability="transient_local", depth=2**62),)).qos.depth == MAX_DEPTH
    assert requested_qos("/a", (QosProfile(depth=600),)).qos.depth == DEFAULT_DEPTH
    assert requested_qos("/a", (OUTPUT_QOS,), depth=5).qos.depth == 5


def test_the_bag_states_each_playable_offer_once() -> None:
    unknown = QosProfile(durability="unknown")
    assert stored_offers((OUTPUT_QOS, SENSOR_QOS, OUTPUT_QOS, unknown)) == (SENSOR_QOS, OUTPUT_QOS)
    assert stored_offers((unknown,)) == ()
    assert stored_offers(()) == ()


def test_what_fast_dds_does_not_tell_is_stored_as_rosbag2_stores_it() -> None:
    untold = QosProfile(history="unknown", depth=0)
    assert stored_offers((untold, untold)) == (untold,)
