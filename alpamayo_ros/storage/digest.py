"""Digests of what a bag says, independent of how its files are laid out.

Both digests are sha256 over UTF-8 lines of ``topic, type, RIHS01 hash, receive ns, sha256 of payload``, separated
by a tab and each ended by LF, in the total order of inputs. Publish time, QoS, chunks, splits, compression and
storage are no part of it.
"""

import hashlib
from collections.abc import Callable, Mapping

from rosbags.typesys import get_types_from_idl, get_types_from_msg
from rosbags.typesys.store import Typestore

from alpamayo_ros.messages.topics import INPUT_TOPICS, OUTPUT_TOPICS
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.reader import BagReader

NO_HASH = "-"
"""Stands in a line for the hash of a type that the bag neither hashes nor defines."""

MAX_DEFINITION_CHARACTERS = 250_000
"""A longer definition is not parsed; the longest of the common interfaces has 20,000."""

MAX_DEFINITIONS_CHARACTERS = 5_000_000
"""Definitions of one bag that are parsed for its digest, in the order of topic names; the common interfaces together
have less than a tenth of it."""

_KNOWN_HASHES = 4096

_IDL_SEPARATOR = "=" * 80 + "\n"
_OWN_PACKAGE = "alpamayo_ros/"
_VEHICLE_TYPES = frozenset(name for row in INPUT_TOPICS if not row.source for name in row.type_names)
_EXCLUDED_TOPICS = ("/rosout", "/parameter_events", "/diagnostics")
_EXCLUDED_PREFIX = "/events/"


def is_content(name: str, type_name: str) -> bool:
    """Say whether a topic is input of a system rather than its own output or its log.

    A type of this package is input only where the vehicle publishes it, as navigation commands.

    Args:
        name: Full topic name.
        type_name: Message type.
    """
    if is_log(name):
        return False
    if type_name.startswith(_OWN_PACKAGE):
        return type_name in _VEHICLE_TYPES
    return not any(row.type_name == type_name and name.endswith(row.name.lstrip("~")) for row in OUTPUT_TOPICS)


def is_log(name: str) -> bool:
    """Say whether a topic is a system's report about itself: logs, parameter events, diagnostics, service events."""
    return name in _EXCLUDED_TOPICS or name.startswith(_EXCLUDED_PREFIX)


def stated_or_computed_hash(topic: TopicInfo) -> str:
    """Return the RIHS01 hash that the bag states, else that of the definition in the bag, else ``-``."""
    if topic.type_hash:
        return topic.type_hash
    if not _is_parsed(topic):
        return NO_HASH
    key = (topic.type_name, topic.definition_encoding, hashlib.sha256(topic.definition.encode()).digest())
    known = _computed_hashes.get(key)
    if known is None:
        if len(_computed_hashes) >= _KNOWN_HASHES:
            _computed_hashes.clear()
        known = _computed_hashes[key] = _hash_or_none(topic)
    return known


_computed_hashes: dict[tuple[str, str, bytes], str] = {}
"""Hashes by type, encoding and digest of the definition: thousands of topics share a type, and parsing is slow."""


def _is_parsed(topic: TopicInfo) -> bool:
    return topic.definition_encoding in ("ros2msg", "ros2idl") and len(topic.definition) <= MAX_DEFINITION_CHARACTERS


def _hash_or_none(topic: TopicInfo) -> str:
    try:
        return _computed_hash(topic)
    except Exception:  # noqa: BLE001 - any text may stand in a bag, and the parser raises whatever it meets first
        return NO_HASH


def _computed_hash(topic: TopicInfo) -> str:
    store = Typestore()
    # Not store.register: that runs generated code, and the text is a stranger's.
    if topic.definition_encoding == "ros2msg":
        types = get_types_from_msg(topic.definition, topic.type_name)
        store.fielddefs.update({name: fields[:2] for name, fields in types.items()})
        return store.hash_rihs01(topic.type_name)
    for part in topic.definition.split(_IDL_SEPARATOR)[1:]:
        heading, _, text = part.partition("\n")
        kind, _, name = heading.partition(": ")
        types = get_types_from_idl(text) if kind == "IDL" else get_types_from_msg(text, name)
        store.fielddefs.update({name: fields[:2] for name, fields in types.items()})
    return store.hash_rihs01(topic.type_name)


def payload_sha256(message: BagMessage) -> str:
    """Return the hexadecimal sha256 of a message's payload."""
    return hashlib.sha256(message[4], usedforsecurity=False).hexdigest()


def _hashes_by_topic(topics: Mapping[str, TopicInfo]) -> dict[str, str]:
    """Return each topic's hash; the time for it is bounded, whatever the bag defines."""
    hashes: dict[str, str] = {}
    parsed: set[tuple[str, str]] = set()
    characters = 0
    for name, topic in topics.items():
        definition = (topic.type_name, topic.definition)
        if not topic.type_hash and _is_parsed(topic) and definition not in parsed:
            parsed.add(definition)
            characters += len(topic.definition)
        beyond = not topic.type_hash and characters > MAX_DEFINITIONS_CHARACTERS
        hashes[name] = NO_HASH if beyond else stated_or_computed_hash(topic)
    return hashes


class InputOrderDigest:
    """Digest of the messages that were really fed, in the order in which they were fed."""

    def __init__(self, topics: Mapping[str, TopicInfo]) -> None:
        """Prepare the part of a line that is the same for every message of a topic.

        Args:
            topics: Topics of the bag that the messages are from.
        """
        covered = {name: topic for name, topic in sorted(topics.items()) if self._covers(topic)}
        hashes = _hashes_by_topic(covered)
        self._prefixes = {
            name: f"{name}\t{topic.type_name}\t{hashes[name]}\t".encode() for name, topic in covered.items()
        }
        self._digest = hashlib.sha256()
        self.message_count = 0

    def _covers(self, topic: TopicInfo) -> bool:  # noqa: ARG002 - ContentDigest leaves topics out
        return True

    def update(self, message: BagMessage, payload_digest: str | None = None) -> None:
        """Add one message; a message on a topic that is no part of the digest changes nothing.

        Args:
            message: The message.
            payload_digest: Its ``payload_sha256``, where that is known already.
        """
        prefix = self._prefixes.get(message[0])
        if prefix is None:
            return
        if payload_digest is None:
            payload_digest = payload_sha256(message)
        self._digest.update(b"%b%d\t%b\n" % (prefix, message[2], payload_digest.encode()))
        self.message_count += 1

    def hexdigest(self) -> str:
        """Return ``sha256:`` and the digest of the messages so far."""
        return f"sha256:{self._digest.hexdigest()}"


class ContentDigest(InputOrderDigest):
    """Digest of what a bag says to a system under test.

    Left out are types of this package, our outputs under any node, logs, parameter events, diagnostics and
    service events, so that recording a system's outputs beside its inputs does not make it another bag.
    """

    def _covers(self, topic: TopicInfo) -> bool:
        return is_content(topic.name, topic.type_name)


def content_digest(reader: BagReader, progress: Callable[[int, int], None] | None = None) -> str:
    """Read a bag once and return its content digest.

    Args:
        reader: The bag.
        progress: Called now and then with the messages read and the messages to read.

    Raises:
        BagCorruptError: The bag is damaged.
    """
    topics = [topic for topic in reader.topics.values() if is_content(topic.name, topic.type_name)]
    total = sum(topic.message_count for topic in topics)
    digest = ContentDigest(reader.topics)
    update = digest.update
    for number, message in enumerate(reader.messages([topic.name for topic in topics])):
        update(message)
        if progress is not None and not number % 1024:
            progress(number, total)
    if progress is not None:
        progress(total, total)
    return digest.hexdigest()
