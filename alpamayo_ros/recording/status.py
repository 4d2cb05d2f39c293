"""What a recorder says about its bag while it records."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class RecordingState(str, Enum):
    """What a recording is doing."""

    RECORDING = "recording"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class TopicStatus:
    """What became of the messages of one topic.

    Attributes:
        name: Full topic name.
        type_name: Its type in the bag, or the type that was refused.
        messages: Messages accepted into the bag, less those known to be lost since.
        payload_bytes: Serialized bytes of the messages accepted.
        lost: Messages that belong into the bag and are not in it, because the disk failed.
        refused: Messages that were not accepted.
        reason: Why the topic or its last refused message was refused; empty if none was.
    """

    name: str
    type_name: str
    messages: int = 0
    payload_bytes: int = 0
    lost: int = 0
    refused: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """The state of a recording, for diagnostics.

    Attributes:
        path: Folder of the bag.
        state: Recording, failed or closed.
        reason: Why it failed; empty if it did not.
        lineage_id: Id of the lineage that the bag is written as.
        envelope_id: Id of the envelope that the bag is written as.
        messages: Sum over topics.
        payload_bytes: Sum over topics.
        lost: Sum over topics.
        refused: Sum over topics.
        last_receive_ns: Receive time of the last message accepted, None before the first.
        steps_back: How often a message was received earlier than the one before it, by the recorder's clock.
        topics: Every topic that was added, refused or written to, in that order.
        warnings: What a person should know, each said once.
    """

    path: Path
    state: RecordingState
    reason: str
    lineage_id: str
    envelope_id: str
    messages: int
    payload_bytes: int
    lost: int
    refused: int
    last_receive_ns: int | None
    steps_back: int
    topics: tuple[TopicStatus, ...]
    warnings: tuple[str, ...]
