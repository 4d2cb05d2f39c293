"""The named QoS profiles, and what bags and graphs say of QoS in each other's words."""

from collections.abc import Sequence

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, HistoryPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy

from alpamayo_ros.storage.qos import INFINITE_NS, QosProfile

OUTPUT_DEPTH = 10
TICKS_DEPTH = 200
"""More than ``max_wait_ms`` can hold open at its largest, 5 s, with room for a slow taker."""

SENSOR_DEPTH = 50
"""Of inputs: a second of odometry at 50 Hz, so that a busy executor loses none of it."""

_RELIABLE = ReliabilityPolicy.RELIABLE
_BEST_EFFORT = ReliabilityPolicy.BEST_EFFORT


def qos_profile(name: str) -> QoSProfile:
    """Return a profile by the name that the table of topics uses; KeyError if there is none.

    ``output``: reliable, volatile, depth 10. ``ticks``: the same with room for all that can close at once. ``latched``:
    reliable, transient local, depth 1. ``counts``: reliable, volatile, depth 1, because only the newest counts matter.
    ``clock``: as rclpy subscribes to /clock.
    """
    return {
        "output": QoSProfile(depth=OUTPUT_DEPTH, reliability=_RELIABLE),
        "latched": QoSProfile(depth=1, reliability=_RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL),
        "ticks": QoSProfile(depth=TICKS_DEPTH, reliability=_RELIABLE),
        "counts": QoSProfile(depth=1, reliability=_RELIABLE),
        "clock": QoSProfile(depth=1, reliability=_BEST_EFFORT),
    }[name]


def adapted_to(offers: Sequence[QoSProfile], depth: int = SENSOR_DEPTH) -> QoSProfile:
    """Return the profile of a subscription that every one of some publishers matches.

    Reliable if all of them are; one that is best effort, as cameras often are, makes it best effort.
    """
    reliable = all(offer.reliability is _RELIABLE for offer in offers)
    return QoSProfile(depth=depth, reliability=_RELIABLE if reliable else _BEST_EFFORT)


def to_stored(profile: QoSProfile) -> QosProfile:
    """Return a profile of the graph in rosbag2's words."""
    return QosProfile(
        reliability=profile.reliability.name.lower(),
        durability=profile.durability.name.lower(),
        history=profile.history.name.lower(),
        depth=profile.depth,
        deadline_ns=_stored_ns(profile.deadline),
        lifespan_ns=_stored_ns(profile.lifespan),
        liveliness=profile.liveliness.name.lower(),
        liveliness_lease_duration_ns=_stored_ns(profile.liveliness_lease_duration),
        avoid_ros_namespace_conventions=profile.avoid_ros_namespace_conventions,
    )


def from_stored(profile: QosProfile, depth: int | None = None) -> QoSProfile:
    """Return a stored profile as rclpy's, with what no endpoint can be made with replaced by the default.

    Args:
        profile: As a bag states it.
        depth: Depth in place of the stored one, which rosbag2 records as 0.
    """
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth if depth is not None else max(1, profile.depth),
        reliability=_BEST_EFFORT if profile.reliability == "best_effort" else _RELIABLE,
        durability=(
            DurabilityPolicy.TRANSIENT_LOCAL if profile.durability == "transient_local" else DurabilityPolicy.VOLATILE
        ),
        liveliness=LivelinessPolicy.AUTOMATIC,
    )


def _stored_ns(duration: Duration) -> int:
    return min(int(duration.nanoseconds), INFINITE_NS)
