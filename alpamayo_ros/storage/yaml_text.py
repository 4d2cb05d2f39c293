"""YAML for bags of thousands of topics: scalars are text, nothing is recursive, and no alias multiplies.

Reading goes by the events of PyYAML's parser, because with libyaml it takes a twentieth of the time of one in Python;
nothing of YAML 1.1 comes with it but the lexis: no scalar gets a type, and no duplicate key is accepted. Where PyYAML
was built without libyaml its own parser gives the same events, slowly.
"""

import re
from typing import Any

import yaml  # type: ignore[import-untyped]

MAX_DEPTH = 64
"""Deeper nesting is refused; rosbag2's metadata has 7 levels."""

MAX_VALUES = 2_000_000
"""More values are refused; an alias counts as all that it stands for. A topic takes about 30."""

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
"""libyaml takes quadratic time for many ``%TAG`` lines, and nothing here needs one."""

_PLAIN = re.compile(r"[A-Za-z_/][\w/.+-]*(:[\w/.+-]+)*", re.ASCII)
_WORDS_WITH_TYPE = frozenset(("true", "false", "yes", "no", "on", "off", "y", "n", "null"))
_ESCAPES = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


class YamlTextError(ValueError):
    """A text is not YAML as it is expected here.

    Attributes:
        problem: What is wrong.
        line: Where, from 1; 0 where that is not known.
    """

    def __init__(self, problem: str, line: int) -> None:
        """Keep what is wrong and where."""
        super().__init__(problem)
        self.problem = problem
        self.line = line


def parse_yaml_text(text: str) -> Any:
    """Parse one YAML document with every scalar as text.

    Returns:
        Dictionaries with text keys, lists and texts; None for an empty document. What aliases share is shared.

    Raises:
        YamlTextError: It is no YAML, has a duplicate key or one that is no text, or exceeds MAX_DEPTH or MAX_VALUES.
    """
    directive = _DIRECTIVE.search(text)
    if directive is not None:
        raise YamlTextError("directives are not accepted", text.count("\n", 0, directive.start()) + 1)
    try:
        loader = _Loader(text)
        try:
            return _Composer().document(loader)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or type(error).__name__
        raise YamlTextError(str(problem), mark.line + 1 if mark is not None else 0) from error
    except UnicodeEncodeError as error:
        raise YamlTextError("it holds a character that is none", 0) from error


class _Open:
    """A collection that is not complete yet."""

    __slots__ = ("anchor", "before", "key", "value")

    def __init__(self, value: dict[str, Any] | list[Any], anchor: str | None, before: int) -> None:
        self.value = value
        self.anchor = anchor
        self.before = before
        self.key: str | None = None

    def add(self, item: Any, event: Any) -> None:
        """Append an item, or take it as a key or as the value of the key before."""
        value = self.value
        if isinstance(value, list):
            value.append(item)
        elif self.key is not None:
            value[self.key] = item
            self.key = None
        elif not isinstance(item, str):
            raise _problem("expected a key that is a text", event)
        elif item in value:
            raise _problem(f"found duplicate key {item[:80]!r}", event)
        else:
            self.key = item


class _Composer:
    """Builds values from events."""

    def __init__(self) -> None:
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._count = 0

    def document(self, loader: Any) -> Any:
        """Return the value of the only document of a stream."""
        loader.get_event()
        if isinstance(loader.get_event(), yaml.StreamEndEvent):
            return None
        value = self._value(loader)
        loader.get_event()
        event = loader.get_event()
        if not isinstance(event, yaml.StreamEndEvent):
            raise _problem("expected one document, but found another", event)
        return value

    def _value(self, loader: Any) -> Any:
        scalar, starts, alias = yaml.ScalarEvent, (yaml.MappingStartEvent, yaml.SequenceStartEvent), yaml.AliasEvent
        next_event, open_ones = loader.get_event, list[_Open]()
        while True:
            event = next_event()
            kind = type(event)
            self._count += 1
            if self._count > MAX_VALUES:
                raise _problem(f"it has more than {MAX_VALUES} values", event)
            if kind in starts:
                if len(open_ones) >= MAX_DEPTH:
                    raise _problem(f"it is nested more than {MAX_DEPTH} deep", event)
                open_ones.append(_Open({} if kind is starts[0] else [], event.anchor, self._count))
                continue
            if kind is scalar:
                value = event.value
                if event.anchor is not None:
                    self._anchors[event.anchor] = (value, 0)
            elif kind is alias:
                value = self._aliased(event)
            else:
                ended = open_ones.pop()
                value = ended.value
                if ended.anchor is not None:
                    self._anchors[ended.anchor] = (value, self._count - ended.before)
            if not open_ones:
                return value
            open_ones[-1].add(value, event)

    def _aliased(self, event: Any) -> Any:
        """Return the value of an alias; inside of what it names there is none yet."""
        if event.anchor not in self._anchors:
            raise _problem(f"found undefined alias {event.anchor[:80]!r}", event)
        value, count = self._anchors[event.anchor]
        self._count += count
        return value


def _problem(problem: str, event: Any) -> YamlTextError:
    return YamlTextError(problem, event.start_mark.line + 1)


def yaml_text(value: object) -> str:
    """Return block-style YAML with keys in the order given.

    Args:
        value: Dictionaries with text keys, lists, texts, numbers and truth values, nested not too deep.

    Raises:
        TypeError: It holds something else.
    """
    lines: list[str] = []
    _add_lines(lines, "", "", value)
    return "\n".join(lines) + "\n"


def _add_lines(lines: list[str], lead: str, indent: str, value: object) -> None:
    """Append the lines of a value; ``lead`` is what its first line begins with, such as ``key:``."""
    if isinstance(value, dict) and value:
        if lead.endswith(":"):
            lines.append(lead)
            lead = indent
        for key, item in value.items():
            _add_lines(lines, f"{lead}{_scalar(key)}:", indent + "  ", item)
            lead = indent
    elif isinstance(value, list) and value:
        if lead.endswith(":"):
            lines.append(lead)
            # The dashes stand below the key.
            lead = indent = indent[2:]
        for item in value:
            _add_lines(lines, f"{lead}- ", indent + "  ", item)
            lead = indent
    else:
        lines.append(f"{lead} {_scalar(value)}" if lead.endswith(":") else lead + _scalar(value))


def _scalar(value: object) -> str:
    """Return one value on one line, quoted where a loader with types would see something else than a text."""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _WORDS_WITH_TYPE:
            return value
        if value.isprintable():
            doubled = value.replace("'", "''")
            return f"'{doubled}'"
        return '"' + "".join(map(_escaped, value)) + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (dict, list)):
        return "{}" if isinstance(value, dict) else "[]"
    raise TypeError(f"{type(value).__name__} has no place in a bag's metadata; expected texts, numbers and collections")


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable() or "\ud800" <= character <= "\udfff":
        # Half of a surrogate pair has no escape that a reader takes; encoding the text refuses it.
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
