"""From what the publishers of a topic offer: what a recorder requests, and what the bag says that they offered."""

from dataclasses import astuple, dataclass

from alpamayo_ros.storage.qos import QosProfile, playable_profiles

DEFAULT_DEPTH = 100
"""Messages that may wait for a recorder before one is overwritten.

A recorder that writes a chunk or meets many new topics takes nothing for a while; a depth of 10 overflows after 0.1 s
of a 100 Hz topic, 100 after 1 s. More would let a stalled recorder of raw pictures eat the memory of the vehicle.
"""

MAX_DEPTH = 1000
"""Depth beyond which even many latched publishers are not added up."""


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """What a recorder's subscription asks for.

    Attributes:
        qos: Quality of service that matches every offer.
        warnings: What is missed because the offers differ; empty if nothing is.
    """

    qos: QosProfile
    warnings: tuple[str, ...] = ()


def requested_qos(topic: str, offers: tuple[QosProfile, ...], depth: int = DEFAULT_DEPTH) -> SubscriptionRequest:
    """Return the most demanding request that still matches every publisher of a topic.

    Reliable if all are reliable and transient local if all are, as rosbag2 does; deadline, lifespan and liveliness
    stay unspecified, which matches any offer. A policy that the middleware does not tell counts as the weaker one.

    Args:
        topic: Its name, for the warnings.
        offers: What its publishers offer. With none the request is the one that every later offer matches.
        depth: Messages that may wait. Latched publishers that keep more in sum get more, up to MAX_DEPTH: topics
            have no keys, so that one history holds the messages of all publishers.
    """
    reliable = sum(offer.reliability == "reliable" for offer in offers)
    latched = sum(offer.durability == "transient_local" for offer in offers)
    warnings = []
    if 0 < reliable < len(offers):
        warnings.append(
            f"topic {topic}: {reliable} of {len(offers)} publishers are reliable; it is recorded with best effort, "
            "which matches all, so that messages of the reliable ones can be lost too"
        )
    if 0 < latched < len(offers):
        warnings.append(
            f"topic {topic}: {latched} of {len(offers)} publishers are latched (transient local); it is recorded as "
            "volatile, which matches all, so that what they sent before the recording began is missed"
        )
    all_latched = bool(offers) and latched == len(offers)
    kept = sum(offer.depth for offer in offers if offer.history == "keep_last") if all_latched else 0
    qos = QosProfile(
        reliability="reliable" if offers and reliable == len(offers) else "best_effort",
        durability="transient_local" if all_latched else "volatile",
        depth=max(depth, min(kept, MAX_DEPTH)),
    )
    return SubscriptionRequest(qos, tuple(warnings))


def is_matched(request: QosProfile, offer: QosProfile) -> bool:
    """Say whether a subscription with a request gets the messages of a publisher with an offer.

    A publisher that comes later may not be matched by the request that the earlier ones gave; the subscription must
    then be made anew.
    """
    return (request.reliability != "reliable" or offer.reliability == "reliable") and (
        request.durability != "transient_local" or offer.durability == "transient_local"
    )


def stored_offers(offers: tuple[QosProfile, ...]) -> tuple[QosProfile, ...]:
    """Return what a bag states as offered: each playable profile once, in an order that discovery does not change.

    Players ask only whether all profiles are alike, so that repetitions say nothing. History and depth stay as the
    middleware tells them: Fast DDS does not, and rosbag2 too then records ``unknown`` and 0.
    """
    return tuple(sorted(set(playable_profiles(offers)), key=astuple))
