"""Choose topics of a bag by patterns, in the terms of the recorder."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from alpamayo_ros.errors import TopicError
from alpamayo_ros.messages.topics import output_topic
from alpamayo_ros.storage.message import TopicInfo

_MAX_SHOWN = 20
_HIDDEN = "/_"


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
        types: Patterns of types such as ``sensor_msgs/msg/*``.
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
                name for name, topic in topics.items() if fnmatchcase(topic.type_name, pattern) and _HIDDEN not in name
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


def _required(what: str, pattern: str, names: list[str], topics: Mapping[str, TopicInfo]) -> set[str]:
    if not names:
        has = _shown(sorted({topic.type_name for topic in topics.values()}) if what == "type" else topics)
        raise TopicError(f"{what} {pattern!r} matches nothing in the bag; expected a pattern for: {has}")
    return set(names)


def _shown(names: "Mapping[str, TopicInfo] | list[str]") -> str:
    ordered = sorted(names)
    more = len(ordered) - _MAX_SHOWN
    return (", ".join(ordered[:_MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")) or "no topics"
