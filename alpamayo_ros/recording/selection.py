"""Which topics a recorder takes, in the terms of ``ros2 bag record``."""

import re
from dataclasses import dataclass, field

from alpamayo_ros.errors import ParameterError

_FULL_NAME = re.compile(r"(?:/[A-Za-z_][A-Za-z0-9_]*)+")


@dataclass(frozen=True, slots=True)
class TopicSelection:
    """A choice of topics: what is listed, what the regex finds, or everything, less what is excluded.

    As in ``ros2 bag record``, a regex is searched for anywhere in the name and adds to the list, and the exclusion
    works on top of everything else, the list included. Hidden topics (a part of the name begins with ``_``) are taken
    only if they are listed.

    Attributes:
        topics: Full names to take, such as ``/odometry``.
        regex: Regular expression in Python's syntax, searched for in names; empty for none.
        exclude_regex: Regular expression of names to leave out; empty for none.
        everything: Whether to take all topics that are not hidden.
    """

    topics: tuple[str, ...] = ()
    regex: str = ""
    exclude_regex: str = ""
    everything: bool = False
    _listed: frozenset[str] = field(init=False, repr=False, compare=False)
    _taken: "re.Pattern[str] | None" = field(init=False, repr=False, compare=False)
    _excluded: "re.Pattern[str] | None" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the expressions.

        Raises:
            ParameterError: A name is no full topic name, an expression is not well formed, or nothing is selected.
        """
        for number, name in enumerate(self.topics):
            if not is_full_name(name):
                raise ParameterError(
                    f"topics[{number}] is {name[:200]!r}; expected a full topic name such as '/odometry': "
                    "letters, digits, '_' and '/', no part empty or beginning with a digit"
                )
        if not (self.topics or self.regex or self.everything):
            raise ParameterError("no topic is selected; expected names in topics, a regex, or everything")
        object.__setattr__(self, "_listed", frozenset(self.topics))
        object.__setattr__(self, "_taken", _compiled("regex", self.regex))
        object.__setattr__(self, "_excluded", _compiled("exclude_regex", self.exclude_regex))

    def selects(self, name: str) -> bool:
        """Say whether a topic is to be recorded.

        Args:
            name: Full topic name, as the graph gives it.
        """
        if self._excluded is not None and self._excluded.search(name):
            return False
        if name in self._listed:
            return True
        if is_hidden(name):
            return False
        return self.everything or (self._taken is not None and self._taken.search(name) is not None)


def is_full_name(name: str) -> bool:
    """Say whether a text is a full topic name of ROS, such as ``/odometry``."""
    return _FULL_NAME.fullmatch(name) is not None


def is_hidden(name: str) -> bool:
    """Say whether a topic is hidden: service events, parts of actions, and whatever else its author hid."""
    return "/_" in name


def _compiled(parameter: str, text: str) -> "re.Pattern[str] | None":
    if not text:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        where = "" if error.pos is None else f" at character {error.pos + 1}"
        raise ParameterError(
            f"{parameter} is {text[:200]!r}, which is no regular expression: {error.msg}{where}; "
            "expected Python's syntax, such as '^/camera/.*/compressed$'"
        ) from error
    except (OverflowError, RecursionError) as error:
        raise ParameterError(
            f"{parameter} is {text[:200]!r}, which is too large for a regular expression ({error}); "
            "expected less nesting and smaller repetitions"
        ) from error
