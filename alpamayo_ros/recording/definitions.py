"""Find what a message type means, and the hash of that, where the interface packages are installed."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from alpamayo_ros.errors import TopicError
from alpamayo_ros.messages.typestore import message_class, message_definition, type_hash
from alpamayo_ros.storage.digest import MAX_DEFINITION_CHARACTERS, NO_HASH, stated_or_computed_hash
from alpamayo_ros.storage.message import TopicInfo

MAX_FILE_BYTES = 1024 * 1024
MAX_TYPES = 256
"""Types that one type may hold, itself included; the richest of the common interfaces holds 20."""

STORE = "ROS 2 Kilted's common interfaces"

_TYPE_NAME = re.compile(r"([A-Za-z][A-Za-z0-9_]*)/(msg|srv|action)/([A-Za-z][A-Za-z0-9_]*)")
_HASH = re.compile(r"RIHS01_[0-9a-f]{64}")
_FIELD_TYPE = re.compile(r"(?:([A-Za-z]\w*)/)?(?:msg/)?([A-Za-z]\w*)(?:<=\d+)?(?:\[[^\]]*\])?", re.ASCII)
_IDL_INCLUDE = re.compile(
    r"^#include\s+[\"<]([A-Za-z]\w*/(?:msg|srv|action)/[A-Za-z]\w*)\.idl[\">]", re.ASCII | re.MULTILINE
)
_PRIMITIVE = re.compile(r"bool|byte|char|float(32|64)|u?int(8|16|32|64)|w?string")
_CHAR_FIELD = re.compile(r"^[ \t]*char[\[ \t]", re.MULTILINE)
"""rosbags hashes ``char`` as a type of its own, ROS 2 as uint8: such a hash is not computed."""

_RULE = "=" * 80


@dataclass(frozen=True, slots=True)
class MessageDefinition:
    """What a bag says about a type.

    Attributes:
        type_name: Type such as ``nav_msgs/msg/Odometry``.
        text: Definition of the type and of all types in it, in the form in which rosbag2 stores it.
        encoding: ``ros2msg`` or ``ros2idl``.
        type_hash: RIHS01 hash, empty if it can be neither read nor computed.
        origin: File that defines the type, or the name of the built-in store.
    """

    type_name: str
    text: str
    encoding: str
    type_hash: str
    origin: str


def prefixes_of(ament_prefix_path: str, environment_prefix: str) -> tuple[Path, ...]:
    """Return where interface packages may be installed, in the order in which ROS looks.

    Args:
        ament_prefix_path: Value of AMENT_PREFIX_PATH, empty if it is not set.
        environment_prefix: Prefix of the Python environment, ``sys.prefix``: it holds the packages of ROS wheels.
    """
    names = [*ament_prefix_path.split(os.pathsep), environment_prefix]
    return tuple(dict.fromkeys(Path(name) for name in names if name))


def is_type_name(text: str) -> bool:
    """Say whether a text is a name that a ROS 2 type can have, such as ``nav_msgs/msg/Odometry``."""
    return _TYPE_NAME.fullmatch(text) is not None


def stated_hash(announced: str) -> str:
    """Return an announced RIHS01 hash, or empty where what is announced is none."""
    return announced if _HASH.fullmatch(announced) else ""


class _NotInstalledError(Exception):
    """No file defines a type; the text says which and where it was looked for."""


@final
class DefinitionSource:
    """Finds definitions; each type is looked for once.

    The installed interface package comes first, because that is what this vehicle's publishers were built with; the
    store of this package answers for types that are not installed.
    """

    def __init__(self, prefixes: Sequence[Path] = ()) -> None:
        """Keep where to look.

        Args:
            prefixes: Install prefixes, those that hide others first; see ``prefixes_of``.
        """
        self._prefixes = tuple(prefixes)
        self._found: dict[str, tuple[MessageDefinition, ...]] = {}

    def find(self, type_name: str, announced_hash: str = "") -> MessageDefinition:
        """Return the definition of a type.

        Args:
            type_name: Type such as ``nav_msgs/msg/Odometry``.
            announced_hash: RIHS01 hash that the publisher announces; anything else counts as none.

        Raises:
            TopicError: The name is no type name, nothing defines the type or a type in it, or what is announced is
                another version of it; the text says where it was looked for.
        """
        if not is_type_name(type_name):
            raise TopicError(
                f"type {type_name[:200]!r} is not a ROS 2 type; expected a name such as 'nav_msgs/msg/Odometry'"
            )
        if type_name not in self._found:
            self._found[type_name] = self._candidates(type_name)
        candidates = self._found[type_name]
        if not stated_hash(announced_hash):
            return candidates[0]
        for candidate in candidates:
            if candidate.type_hash in (announced_hash, ""):
                return replace(candidate, type_hash=announced_hash)
        known = ", ".join(f"{candidate.type_hash} ({candidate.origin})" for candidate in candidates)
        raise TopicError(
            f"type {type_name} is published as {announced_hash}, which is another version of it than is known here; "
            f"expected one of: {known}"
        )

    def _candidates(self, type_name: str) -> tuple[MessageDefinition, ...]:
        found = []
        missing: TopicError | None = None
        try:
            found.append(self._installed(type_name))
        except TopicError as error:
            missing = error
        try:
            message_class(type_name)
            text = message_definition(type_name)
            computed = "" if _CHAR_FIELD.search(text) else type_hash(type_name)
            found.append(MessageDefinition(type_name, text, "ros2msg", computed, STORE))
        except KeyError:
            if missing is not None:
                raise missing from None
        return tuple(found)

    def _installed(self, type_name: str) -> MessageDefinition:
        try:
            parts = self._collected(type_name, "msg")
        except _NotInstalledError as no_msg:
            # Packages that are written in IDL have no .msg files; those that are written in .msg have both.
            try:
                parts = self._collected(type_name, "idl")
            except _NotInstalledError:
                raise TopicError(str(no_msg)) from no_msg
            encoding, text = "ros2idl", "\n".join(f"{_RULE}\nIDL: {name}\n{text}" for name, text in parts)
        else:
            nested = (f"{_RULE}\nMSG: {name.replace('/msg/', '/')}\n{text}" for name, text in parts[1:])
            encoding, text = "ros2msg", "\n".join([parts[0][1], *nested])
        if len(text) > MAX_DEFINITION_CHARACTERS:
            raise TopicError(
                f"type {type_name} has a definition of {len(text)} characters; "
                f"expected at most {MAX_DEFINITION_CHARACTERS}"
            )
        origin = self._file_of(type_name, "msg" if encoding == "ros2msg" else "idl")
        known = self._stated_hash(type_name)
        if not known and not _CHAR_FIELD.search(text):
            known = stated_or_computed_hash(TopicInfo("", type_name, definition=text, definition_encoding=encoding))
        return MessageDefinition(type_name, text, encoding, "" if known == NO_HASH else known, str(origin))

    def _collected(self, root: str, suffix: str) -> list[tuple[str, str]]:
        """Return (type name, text) of a type and of all types in it, each before the types in it, by name."""
        collected: dict[str, str] = {}
        waiting = [root]
        while waiting:
            name = waiting.pop()
            if name in collected:
                continue
            if len(collected) == MAX_TYPES:
                raise TopicError(f"type {root} holds more than {MAX_TYPES} types; expected fewer")
            file = self._file_of(name, suffix)
            if file is None:
                places = ", ".join(str(prefix / "share") for prefix in self._prefixes) or "no prefix"
                holder = "" if name == root else f", which is in {root},"
                raise _NotInstalledError(
                    f"type {name}{holder} is not known: looked for {name}.{suffix} in {places}, and in {STORE}; "
                    "expected its interface package to be installed and sourced"
                )
            text = collected[name] = _read(file)
            nested = _IDL_INCLUDE.findall(text) if suffix == "idl" else _message_types(name, text)
            waiting.extend(sorted(set(nested), reverse=True))
        return list(collected.items())

    def _file_of(self, type_name: str, suffix: str) -> Path | None:
        """Return the file that describes a type; a package hides those of its name behind it, as in ROS."""
        package, kind, name = type_name.split("/")
        for prefix in self._prefixes:
            folder = prefix / "share" / package / kind
            if folder.is_dir():
                file = folder / f"{name}.{suffix}"
                return file if file.is_file() else None
        return None

    def _stated_hash(self, type_name: str) -> str:
        """Return the hash that the interface package was built with, empty where it says none (before Iron)."""
        file = self._file_of(type_name, "json")
        if file is None:
            return ""
        try:
            rows = json.loads(_read(file))["type_hashes"]
            stated = next(row["hash_string"] for row in rows if row["type_name"] == type_name)
            return stated if _HASH.fullmatch(stated) else ""
        except (TopicError, ValueError, KeyError, TypeError, StopIteration, RecursionError):
            return ""  # A damaged description; the hash is computed from the definition then.


def _message_types(type_name: str, text: str) -> Iterator[str]:
    """Give the types of the fields of a .msg text; constants have primitive types and give none."""
    package = type_name.split("/", 1)[0]
    for line in text.splitlines():
        words = line.split("#", 1)[0].split(None, 1)
        match = _FIELD_TYPE.fullmatch(words[0]) if len(words) == 2 else None
        if match and (match[1] or not _PRIMITIVE.fullmatch(match[2])):
            yield f"{match[1] or package}/msg/{match[2]}"


def _read(file: Path) -> str:
    try:
        size = file.stat().st_size
        if size > MAX_FILE_BYTES:
            raise TopicError(f"{file} has {size} bytes; expected a definition of at most {MAX_FILE_BYTES}")
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise TopicError(
            f"{file} cannot be read ({error.strerror or error}); expected a readable definition"
        ) from error
    except UnicodeDecodeError as error:
        raise TopicError(f"{file} is not UTF-8; expected the text of a definition") from error
