"""The latched messages that hold at a time in a bag, as a late subscriber would have got them.

A cut bag needs them at its start: without /tf_static it plays, but nothing knows where its cameras are.
"""

from collections.abc import Mapping
from typing import Any

from alpamayo_ros.errors import BagError
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.storage.digest import is_log
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.reader import STATIC, BagReader, topic_class

MAX_LATCHED = 10_000
"""More than any drive has; each of them is named in the trace."""

_FIRST_SPAN_NS = 1_000_000_000
_TRANSFORMS_TYPE = "tf2_msgs/msg/TFMessage"


def is_latched(topic: TopicInfo) -> bool:
    """Say whether a late subscriber of a topic gets what was published before; logs are latched for tools alone."""
    if is_log(topic.name):
        return False
    return topic_class(topic.name, topic.type_name) == STATIC or any(
        profile.durability == "transient_local" for profile in topic.offered_qos
    )


def latched_before(reader: BagReader, start_ns: int) -> list[BagMessage]:
    """Return the latched messages that hold at a time and were received before it, oldest first.

    Of static transforms, which several nodes publish, it is the last message for each set of frames; of any other
    topic the last message. It reads the chunks of those topics only, backwards from the time where one message will
    do.

    Args:
        reader: The bag.
        start_ns: Receive time in ns.

    Raises:
        BagCorruptError: The bag is damaged.
        BagError: It has more than MAX_LATCHED of them.
    """
    if reader.start_ns is None or start_ns <= reader.start_ns:
        return []
    latched = {name for name, topic in reader.topics.items() if is_latched(topic) and topic.message_count}
    transforms = {name for name in latched if reader.topics[name].type_name == _TRANSFORMS_TYPE}
    last = _last_messages(reader, latched - transforms, reader.start_ns, start_ns)
    by_frames: dict[tuple[str, object], BagMessage] = {}
    for message in reader.messages(transforms, end_ns=start_ns) if transforms else ():
        key = (message.topic, _frames(message.payload))
        # Taken out and put in again: a later message overrules an earlier one for the frames they share.
        by_frames.pop(key, None)
        by_frames[key] = message
        _validate_number(reader, len(by_frames))
    found = [*by_frames.values(), *last.values()]
    _validate_number(reader, len(found))
    return sorted(found, key=lambda message: message.receive_ns)


def _last_messages(reader: BagReader, topics: set[str], first_ns: int, end_ns: int) -> Mapping[str, BagMessage]:
    """Search backwards in windows that double, so that the last message is found near the end."""
    last: dict[str, BagMessage] = {}
    wanted, span_ns = set(topics), _FIRST_SPAN_NS
    while wanted and end_ns > first_ns:
        begin_ns = max(first_ns, end_ns - span_ns)
        for message in reader.messages(wanted, begin_ns, end_ns):
            last[message.topic] = message
        wanted -= last.keys()
        end_ns, span_ns = begin_ns, span_ns * 2
    return last


def _frames(payload: bytes) -> object:
    """Return the set of frames that a message is about; the payload itself where it cannot be read."""
    try:
        message: Any = deserialize(payload, _TRANSFORMS_TYPE)
        pairs = [(str(one.header.frame_id), str(one.child_frame_id)) for one in message.transforms]
    except Exception:  # noqa: BLE001 - a damaged payload raises whatever the decoder meets first
        return payload
    return frozenset(pairs)


def _validate_number(reader: BagReader, number: int) -> None:
    if number > MAX_LATCHED:
        raise BagError(
            f"bag {reader.path} has more than {MAX_LATCHED} latched messages; expected the few of a drive: "
            "leave their topics out by 'alpamayo bag filter' first"
        )
