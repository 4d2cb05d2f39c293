"""What a walk over all messages of a bag, in file order, shows about their times and payloads."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from alpamayo_ros.messages.typestore import deserialize, type_hash, typestore
from alpamayo_ros.storage.compressed_file import decompress_message, looks_compressed
from alpamayo_ros.storage.digest import NO_HASH, stated_or_computed_hash
from alpamayo_ros.storage.message import TopicInfo
from alpamayo_ros.storage.verification.checks import Verification, duration_text

CDR_KINDS = frozenset(bytes((0, kind)) for kind in (0, 1, 2, 3, 6, 7, 10, 11))
"""First two bytes of a payload: classic CDR, its parameter lists, and the three of XCDR2."""

HEAD_BYTES = 12
"""How much of a payload its header stamp reaches into: encapsulation header, seconds, nanoseconds."""

_LITTLE, _BIG = struct.Struct("<iI"), struct.Struct(">iI")
_HEADER_TYPE = "std_msgs/msg/Header"
_NS_PER_S = 1_000_000_000


@dataclass(slots=True)
class Steps:
    """Times in the order in which they stand: how often they go back, and by how much at most."""

    last_ns: int = -(2**63)
    count: int = 0
    largest_ns: int = 0

    def take(self, stamp_ns: int) -> None:
        """Take the next time."""
        if stamp_ns < self.last_ns:
            self.count += 1
            self.largest_ns = max(self.largest_ns, self.last_ns - stamp_ns)
        self.last_ns = stamp_ns


def note_steps(results: Verification, check: str, what: str, steps: Steps) -> None:
    """Note that times go back, where they do."""
    if steps.count:
        times = "once" if steps.count == 1 else f"{steps.count} times"
        results.add_note(check, f"{what} go back {times}, by at most {duration_text(steps.largest_ns)}")


class TopicTally:
    """The messages of one topic so far."""

    def __init__(self, topic: TopicInfo, *, decode: bool, method: str | None) -> None:
        """Prepare what is the same for all messages.

        Args:
            topic: The topic.
            decode: Whether to decode messages of types that are known in the version of the bag.
            method: How each payload is compressed: None for not at all, empty where only the payload can say.
        """
        self.topic = topic
        self.message_count = 0
        self.first_ns = 2**64
        self.last_ns = 0
        self.receive = Steps()
        self.publish = Steps()
        self.stamps = Steps()
        self.implausible_count = 0
        self.decoded_count = 0
        self.first_problem = ""
        self.problem_count = 0
        self._is_cdr = topic.serialization_format == "cdr"
        self.has_header = self._is_cdr and _begins_with_header(topic.type_name)
        self._decode = decode and self._is_cdr and _is_known(topic)
        self._method = method

    @property
    def needs_payload(self) -> bool:
        """Whether ``take`` wants whole payloads; otherwise their first HEAD_BYTES are enough."""
        return self._decode or self._method is not None

    @property
    def is_decoded(self) -> bool:
        """Whether messages are decoded."""
        return self._decode

    def take(self, receive_ns: int, publish_ns: int, payload: bytes) -> None:
        """Take the next message; of its payload at least the first HEAD_BYTES if it has so many."""
        self.message_count += 1
        self.first_ns = min(self.first_ns, receive_ns)
        self.last_ns = max(self.last_ns, receive_ns)
        self.receive.take(receive_ns)
        self.publish.take(publish_ns)
        if self._method is not None:
            try:
                payload = self._decompressed(payload)
            except ValueError as error:
                self._add_problem(receive_ns, str(error))
                return
        if not self._is_cdr:
            return
        if len(payload) < 4 or payload[:2] not in CDR_KINDS:
            self.implausible_count += 1
            self._add_problem(receive_ns, f"has no CDR header (it begins with {payload[:4].hex() or 'nothing'})")
            return
        if self.has_header:
            if len(payload) < HEAD_BYTES:
                self._add_problem(receive_ns, "is too short for its header")
                return
            seconds, nanoseconds = (_LITTLE if payload[1] & 1 else _BIG).unpack_from(payload, 4)
            self.stamps.take(seconds * _NS_PER_S + nanoseconds)
        if self._decode:
            try:
                deserialize(payload, self.topic.type_name)
                self.decoded_count += 1
            except Exception as error:  # noqa: BLE001 - a damaged payload raises whatever the decoder meets first
                self._add_problem(receive_ns, f"cannot be decoded ({str(error)[:200]})")

    def _decompressed(self, payload: bytes) -> bytes:
        if not self._method and (not looks_compressed(payload) or not self._is_cdr):
            return payload
        return decompress_message(payload, self._method or "zstd")

    def _add_problem(self, receive_ns: int, problem: str) -> None:
        self.problem_count += 1
        if not self.first_problem:
            self.first_problem = f"the message on {self.topic.name} at {receive_ns} ns {problem}"


class MessageTally:
    """All messages of a bag so far, by topic."""

    def __init__(self, *, decode: bool, method: str | None) -> None:
        """Begin without messages.

        Args:
            decode: Whether to decode messages of types that are known in the version of the bag.
            method: How each payload is compressed: None for not at all, empty where only the payload can say.
        """
        self._decode = decode
        self._method = method
        self._topics: dict[tuple[str, str], TopicTally] = {}

    @property
    def topics(self) -> Mapping[tuple[str, str], TopicTally]:
        """Tallies by topic name and type."""
        return self._topics

    def topic(self, topic: TopicInfo) -> TopicTally:
        """Return the tally of a topic; several files of a bag share it."""
        key = (topic.name, topic.type_name)
        if key not in self._topics:
            self._topics[key] = TopicTally(topic, decode=self._decode, method=self._method)
        return self._topics[key]


def _begins_with_header(type_name: str) -> bool:
    definition = typestore().fielddefs.get(type_name)
    if definition is None or not definition[1]:
        return False
    _, (_, kind) = definition[1][0]
    return bool(kind == _HEADER_TYPE)


def _is_known(topic: TopicInfo) -> bool:
    """Say whether the type store has a type as the bag has it."""
    try:
        known = type_hash(topic.type_name)
    except KeyError:
        return False
    return stated_or_computed_hash(topic) in (known, NO_HASH)
