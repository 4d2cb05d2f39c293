"""Times in a bag as people write and read them: seconds after its first message, receive times, dates in UTC."""

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from alpamayo_ros.errors import ParameterError

_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000
# What `alpamayo bag info` prints may be pasted as it is, with the date in brackets.
_ABSOLUTE = re.compile(r"([0-9]{1,19})\s?ns(?:\s\([^()]{1,40}\))?|([0-9]{16,19})")
_RELATIVE = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,9}))?s?")
_DATE = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(?:\s?(?:Z|UTC|\+00:00))?"
)
_EPOCH_LIKE_NS = 10**8 * _NS_PER_S
"""Three years: an offset of this size is hardly one, but every time since 1973 is as large in seconds."""

_SPANS = (
    (120, 1, "s"), (120 * 60, 60, "min"), (48 * 3600, 3600, "h"), (730 * 86_400, 86_400, "days"),
)  # fmt: skip
"""Seconds below which a unit is used, seconds of the unit, and its name; above them it is years."""


@dataclass(frozen=True, slots=True)
class BagTime:
    """A time in a bag: in ns after its first message, or a receive time in ns."""

    ns: int
    absolute: bool = False

    def resolved(self, first_ns: int) -> int:
        """Return it as a receive time of a bag whose first message has ``first_ns``."""
        return self.ns if self.absolute else first_ns + self.ns

    def looks_absolute(self, duration_ns: int) -> bool:
        """Say whether it is an offset beyond a bag of some duration, and as large as seconds since 1970 are."""
        return not self.absolute and self.ns >= _EPOCH_LIKE_NS and self.ns > duration_ns


def parse_bag_time(text: str) -> BagTime:
    """Read a time.

    Args:
        text: ``12.5`` or ``12.5s`` after the first message; a receive time such as ``1700000000000000000ns``, whose
            unit may be missing from 16 digits on; or a date in UTC such as ``2023-11-14 22:13:20.5`` (ISO 8601).

    Raises:
        ParameterError: It is something else.
    """
    written = text.strip()
    if match := _ABSOLUTE.fullmatch(written):
        return BagTime(int(match[1] or match[2]), absolute=True)
    if match := _RELATIVE.fullmatch(written):
        return BagTime(_nanoseconds(match[1], match[2]))
    if match := _DATE.fullmatch(written):
        try:
            moment = datetime.fromisoformat(f"{match[1]}T{match[2]}+00:00")
        except ValueError as error:
            raise ParameterError(f"time {text[:40]!r} is no date ({error}); expected one in UTC") from error
        if moment.year >= 1970:
            whole_s = round((moment - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds())
            return BagTime(_nanoseconds(str(whole_s), match[3]), absolute=True)
    raise ParameterError(
        f"time {text[:40]!r} cannot be read; expected seconds after the bag's first message such as '12.5', "
        "with at most nine decimals, a receive time such as '1700000000000000000ns', "
        "or a time in UTC such as '2023-11-14 22:13:20.5'"
    )


def parse_duration(text: str) -> int:
    """Read a duration such as ``8`` or ``8.5s`` and return it in ns.

    Raises:
        ParameterError: It is something else, or nothing.
    """
    match = _RELATIVE.fullmatch(text.strip())
    duration_ns = _nanoseconds(match[1], match[2]) if match else 0
    if duration_ns <= 0:
        raise ParameterError(f"duration {text[:40]!r} cannot be used; expected seconds above zero such as '8' or '8.5'")
    return duration_ns


def utc_text(stamp_ns: int) -> str:
    """Return a receive time as a date in UTC to the millisecond, which ``parse_bag_time`` reads."""
    try:
        moment = datetime.fromtimestamp(stamp_ns // _NS_PER_S, tz=timezone.utc)
    except (OverflowError, ValueError, OSError):
        return f"{stamp_ns} ns"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{stamp_ns % _NS_PER_S // _NS_PER_MS:03d}"


def span_text(span_ns: int) -> str:
    """Return a length of time in the unit that a person would use, such as ``12.5 s`` or ``8.3 years``."""
    span_s = span_ns / _NS_PER_S
    for below_s, unit_s, unit in _SPANS:
        if span_s < below_s:
            return f"{span_s / unit_s:.1f} {unit}"
    return f"{span_s / (365.25 * 86_400):.1f} years"


def _nanoseconds(whole: str, decimals: str | None) -> int:
    return int(whole) * _NS_PER_S + int((decimals or "").ljust(9, "0"))
