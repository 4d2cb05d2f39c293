"""Show what a text holds instead of doing it: a bag's texts are a stranger's, and a terminal obeys what it is sent."""

import re

_UNSEEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters, ESC and the line ends among them
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # the direction of writing
    "\u2028\u2029"  # line and paragraph separators
    "\u00ad\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # nothing at all
    "\ud800-\udfff"  # no characters: bytes of file names that are no UTF-8, or half a pair
    "]"
)
"""Not the joiners U+200C and U+200D, which words of some languages need, and no space of any width but a line end."""


def visible(text: str) -> str:
    r"""Return a text on one line in which every character is seen: ESC as ``\x1b``, a line end as ``\n``."""
    return _UNSEEN.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")
