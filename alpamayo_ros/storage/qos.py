"""Quality of service of a topic, as rosbag2 stores it."""

from collections.abc import Mapping
from dataclasses import dataclass

INFINITE_NS = 9_223_372_036_854_775_807
"""rmw's "no deadline, no lifespan, no lease"; rosbag2 stores it as 9223372036 s and 854775807 ns."""

_OLD_INFINITE_NS = 2_147_483_647 * 1_000_000_000
"""The same before Humble: 2147483647 s and 4294967295 ns."""

_FIRST_WITH_BEST_AVAILABLE = 7
"""Metadata version of Iron, whose rmw was the first with that policy."""

_HISTORIES = ("system_default", "keep_last", "keep_all", "unknown")
_RELIABILITIES = ("system_default", "reliable", "best_effort", "unknown", "best_available")
_DURABILITIES = ("system_default", "transient_local", "volatile", "unknown", "best_available")
_LIVELINESSES = ("system_default", "automatic", "manual_by_node", "manual_by_topic", "unknown", "best_available")
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class QosProfile:
    """Quality of service that a publisher offered; policies carry rosbag2's own words.

    Attributes:
        reliability: ``reliable``, ``best_effort``, ``system_default``, ``best_available`` or ``unknown``.
        durability: ``volatile``, ``transient_local``, ``system_default``, ``best_available`` or ``unknown``.
        history: ``keep_last``, ``keep_all``, ``system_default`` or ``unknown``.
        depth: Messages kept with ``keep_last``.
        deadline_ns: Longest time between messages in ns.
        lifespan_ns: Time after which a message is dropped in ns.
        liveliness: ``automatic``, ``manual_by_topic``, ``system_default``, ``best_available`` or ``unknown``.
        liveliness_lease_duration_ns: Time after which a silent publisher counts as lost in ns.
        avoid_ros_namespace_conventions: Whether the DDS topic carries no ``rt/`` prefix.
    """

    reliability: str = "reliable"
    durability: str = "volatile"
    history: str = "keep_last"
    depth: int = 10
    deadline_ns: int = INFINITE_NS
    lifespan_ns: int = INFINITE_NS
    liveliness: str = "automatic"
    liveliness_lease_duration_ns: int = INFINITE_NS
    avoid_ros_namespace_conventions: bool = False

    def to_metadata_v9(self) -> dict[str, object]:
        """Return the nine keys that rosbag2's metadata version 9 requires."""
        return {
            "history": self.history,
            "depth": self.depth,
            "reliability": self.reliability,
            "durability": self.durability,
            "deadline": _split(self.deadline_ns),
            "lifespan": _split(self.lifespan_ns),
            "liveliness": self.liveliness,
            "liveliness_lease_duration": _split(self.liveliness_lease_duration_ns),
            "avoid_ros_namespace_conventions": self.avoid_ros_namespace_conventions,
        }

    def to_metadata_v8(self) -> dict[str, object]:
        """Return the same nine keys with the policies as numbers of rmw, which versions 4 to 8 require."""
        return {
            **self.to_metadata_v9(),
            "history": _HISTORIES.index(self.history),
            "reliability": _RELIABILITIES.index(self.reliability),
            "durability": _DURABILITIES.index(self.durability),
            "liveliness": _LIVELINESSES.index(self.liveliness),
        }

    @classmethod
    def from_metadata(cls, entry: Mapping[str, object]) -> "QosProfile":
        """Read the nine keys; a policy that is not known becomes ``unknown``.

        Args:
            entry: One element of ``offered_qos_profiles``, with policies as words (version 9) or as numbers of
                rmw (versions 4 to 8); scalars may be text, as a YAML loader without implicit types gives them.

        Raises:
            ValueError: A key is missing or its value has another form; the text names the key.
        """
        return cls(
            reliability=_policy(entry, "reliability", _RELIABILITIES),
            durability=_policy(entry, "durability", _DURABILITIES),
            history=_policy(entry, "history", _HISTORIES),
            depth=_unsigned(entry, "depth"),
            deadline_ns=_joined(entry, "deadline"),
            lifespan_ns=_joined(entry, "lifespan"),
            liveliness=_policy(entry, "liveliness", _LIVELINESSES),
            liveliness_lease_duration_ns=_joined(entry, "liveliness_lease_duration"),
            avoid_ros_namespace_conventions=_flag(entry, "avoid_ros_namespace_conventions"),
        )


OUTPUT_QOS = QosProfile()
"""Our outputs: reliable, volatile, depth 10."""

LATCHED_QOS = QosProfile(durability="transient_local", depth=1)
"""Latched topics: a late subscriber gets the last message."""

SENSOR_QOS = QosProfile(reliability="best_effort", depth=5)
"""rmw's sensor profile: a late sample is worth less than the next one."""


def _split(duration_ns: int) -> dict[str, int]:
    return {"sec": duration_ns // _NS_PER_S, "nsec": duration_ns % _NS_PER_S}


def _value(entry: Mapping[str, object], key: str) -> object:
    if key not in entry:
        raise ValueError(f"QoS key {key!r} is missing; expected all nine keys of a profile")
    return entry[key]


def _unsigned(entry: Mapping[str, object], key: str) -> int:
    text = str(_value(entry, key))
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ValueError(f"QoS key {key!r} is {text[:40]!r}; expected an unsigned integer")
    return int(text)


def _joined(entry: Mapping[str, object], key: str) -> int:
    value = _value(entry, key)
    if not isinstance(value, Mapping):
        raise ValueError(f"QoS key {key!r} is {str(value)[:40]!r}; expected sec and nsec")  # noqa: TRY004 - bad data
    duration_ns = _unsigned(value, "sec") * _NS_PER_S + _unsigned(value, "nsec")
    return INFINITE_NS if duration_ns >= _OLD_INFINITE_NS else duration_ns


def _policy(entry: Mapping[str, object], key: str, known: tuple[str, ...]) -> str:
    word = str(_value(entry, key))
    if word.isascii() and word.isdigit() and len(word) < 3:
        return known[int(word)] if int(word) < len(known) else "unknown"
    return word if word in known else "unknown"


def _flag(entry: Mapping[str, object], key: str) -> bool:
    word = str(_value(entry, key)).lower()
    if word not in ("true", "false"):
        raise ValueError(f"QoS key {key!r} is {word[:40]!r}; expected true or false")
    return word == "true"


def playable_profiles(profiles: tuple[QosProfile, ...], version: int = 9) -> tuple[QosProfile, ...]:
    """Return the profiles that a player can publish with.

    The player of rosbag2 leaves out a whole topic, and ends with 0, when it meets a policy that it cannot create a
    publisher with; without a profile it plays the topic with its default.

    Args:
        profiles: What the publishers offered.
        version: Metadata version of the bag; the players of an old one know fewer policies.
    """
    unplayable = {"unknown"} if version >= _FIRST_WITH_BEST_AVAILABLE else {"unknown", "best_available"}
    return tuple(
        profile
        for profile in profiles
        if unplayable.isdisjoint((profile.reliability, profile.durability, profile.liveliness))
        and profile.liveliness != "manual_by_node"
    )
