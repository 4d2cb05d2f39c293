"""What a bag holds: messages and the topics they are on."""

from dataclasses import dataclass
from typing import NamedTuple

from alpamayo_ros.storage.qos import QosProfile


class BagMessage(NamedTuple):
    """One message as it stands in a bag.

    A NamedTuple rather than a dataclass: it is built once per message, and a tuple is built five times faster.

    Attributes:
        topic: Full topic name.
        type_name: Type such as ``nav_msgs/msg/Odometry``, empty if the bag does not say.
        receive_ns: When the recorder received it, ns since the epoch of the recorder's clock.
        publish_ns: When it was sent, in ns; equals ``receive_ns`` where the storage has no such field (sqlite3).
        payload: Serialized message, CDR with its encapsulation header unless the topic says otherwise.
    """

    topic: str
    type_name: str
    receive_ns: int
    publish_ns: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """One topic of a bag.

    Attributes:
        name: Full topic name.
        type_name: Message type, empty if the bag does not say.
        message_count: Messages on it in the whole bag.
        type_hash: RIHS01 hash as the bag states it, empty if it states none.
        definition: Definition of the type and of all types in it, empty if the bag has none.
        definition_encoding: ``ros2msg``, ``ros2idl`` or empty.
        serialization_format: ``cdr`` or whatever the bag says.
        offered_qos: What its publishers offered.
    """

    name: str
    type_name: str
    message_count: int = 0
    type_hash: str = ""
    definition: str = ""
    definition_encoding: str = ""
    serialization_format: str = "cdr"
    offered_qos: tuple[QosProfile, ...] = ()
