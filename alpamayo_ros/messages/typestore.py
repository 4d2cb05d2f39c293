"""The one store of message types for bags: ROS 2 Kilted's and this package's own."""

import struct
from functools import lru_cache
from importlib import resources
from typing import Any

from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

PACKAGE = "alpamayo_ros"


@lru_cache(maxsize=1)
def typestore() -> Typestore:
    """Return the store, read once: ROS 2 Kilted's common interfaces plus ``msg/`` of this package."""
    store = get_typestore(Stores.ROS2_KILTED)
    folder = resources.files(PACKAGE).joinpath("_data", "msg")
    types = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".msg"):
            name = f"{PACKAGE}/msg/{file.name[: -len('.msg')]}"
            types.update(get_types_from_msg(file.read_text(encoding="utf-8"), name))
    store.register(types)
    return store


def message_class(type_name: str) -> Any:
    """Return the bag class of a type such as ``nav_msgs/msg/Odometry``; KeyError if it is not known."""
    return typestore().types[type_name]


@lru_cache(maxsize=256)
def message_definition(type_name: str) -> str:
    """Return the ros2msg text of a type and of all types in it, as rosbag2 stores it.

    Raises:
        KeyError: The type is not known.
    """
    definition, _ = typestore().generate_msgdef(type_name, ros_version=2)
    return definition


@lru_cache(maxsize=256)
def type_hash(type_name: str) -> str:
    """Return the RIHS01 hash of a type (REP 2016), e.g. ``RIHS01_ab...``.

    Raises:
        KeyError: The type is not known.
    """
    return typestore().hash_rihs01(type_name)


def serialize(message: Any, type_name: str) -> bytes:
    """Return the little-endian CDR form of a bag message, with its encapsulation header."""
    return bytes(typestore().serialize_cdr(message, type_name))


def deserialize(payload: bytes, type_name: str) -> Any:
    """Return the bag message that a CDR payload holds.

    Raises:
        ValueError: The payload is not what its type says.
    """
    try:
        return typestore().deserialize_cdr(payload, type_name)
    except (SerdeError, ValueError, IndexError, AssertionError, struct.error, MemoryError) as error:
        raise ValueError(f"payload of {len(payload)} bytes is not a {type_name}: {error}") from error
