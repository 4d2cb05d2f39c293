"""Choose topics of a bag by patterns, in the terms of the recorder."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from alpamayo_ros.errors import TopicError
from alpamayo_ros.messages.topics import output_topic
from alpamayo_ros.storage.message import TopicInfo

_MAX_SHOWN = 20
_HIDDEN = "/_"
_REGULAR = re.compile(r"\.[*+]|[\^$|()\\+]")
_NOT_REGULAR = " In a pattern * is any text; it is not a regular expression"


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """A choice of topics: what matches a name or a type, or everything without either, less what is excluded.

    As in the recorder, types add to names, and the exclusion works on top of everything else. A pattern takes hidden
    topics (a part of the name begins with ``_``) only if it names that part; an exclusion, and a choice by exclusion
    alone, see them like any other. The latched lineage is kept unless it is excluded by name: it is one of the places
    that name what produced the bag.

    Attributes:
        topics: Patterns of full names: ``*`` is any text, slashes included, ``?`` one character, ``[ab]`` one of some.
        exclude: Patterns of names to leave out.
        types: Patterns of types such as ``sensor_msgs/msg/*``; ``sensor_msgs/Image``, as in ROS 1, will do.
    """

    topics: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    def chosen(self, topics: Mapping[str, TopicInfo]) -> frozenset[str]:
        """Return the names of the chosen topics of a bag.

        Args:
            topics: Topics of the bag by name.

        Raises:
            TopicError: A pattern matches nothing, or nothing is left.
        """
        matched: set[str] = set()
        for pattern in self.topics:
            matched |= _required("topic", pattern, [name for name in topics if _takes(pattern, name)], topics)
        for pattern in self.types:
            names = [
                name for name, topic in topics.items() if _is_type(pattern, topic.type_name) and _HIDDEN not in name
            ]
            matched |= _required("type", pattern, names, topics)
        chosen = matched if self.topics or self.types else set(topics)
        lineage_type = output_topic("lineage").type_name
        chosen = chosen | {name for name, topic in topics.items() if topic.type_name == lineage_type}
        for pattern in self.exclude:
            names = [name for name in topics if fnmatchcase(name, pattern)]
            chosen = chosen - _required("exclude", pattern, names, topics)
        if not chosen:
            raise TopicError(f"the patterns leave no topic; expected at least one of: {_shown(topics)}")
        return frozenset(chosen)


def _takes(pattern: str, name: str) -> bool:
    return fnmatchcase(name, pattern) and (_HIDDEN not in name or _HIDDEN in pattern)


def _is_type(pattern: str, type_name: str) -> bool:
    if fnmatchcase(type_name, pattern):
        return True
    package, slash, name = pattern.partition("/")
    return bool(slash) and "/" not in name and fnmatchcase(type_name, f"{package}/msg/{name}")


def _required(what: str, pattern: str, names: list[str], topics: Mapping[str, TopicInfo]) -> set[str]:
    if not names:
        known = {topic.type_name for topic in topics.values()} if what == "type" else set(topics)
        has = _shown(sorted(known))
        raise TopicError(
            f"{what} {pattern!r} matches nothing in the bag; expected a pattern for: {has}{_hint(pattern, known)}"
        )
    return set(names)


def _hint(pattern: str, known: set[str]) -> str:
    """Return what was probably meant: what is below a name, or what a regular expression says."""
    regular = _REGULAR.search(pattern) is not None
    plain = re.sub(r"^\^|\$$|\\(?=[/._-])", "", pattern).replace(".*", "*").replace(".+", "*") if regular else pattern
    base = plain.rstrip("/")
    for meant in (plain, f"{base}/*", f"/{base.lstrip('/')}", f"/{base.lstrip('/')}/*"):
        if meant != pattern and any(fnmatchcase(name, meant) for name in known):
            return f"; did you mean {meant!r}?" + (_NOT_REGULAR if regular else "")
    return f"; {_NOT_REGULAR.strip()}" if regular else ""


def _shown(names: "Mapping[str, TopicInfo] | list[str]") -> str:
    ordered = sorted(names)
    more = len(ordered) - _MAX_SHOWN
    return (", ".join(ordered[:_MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")) or "no topics"
