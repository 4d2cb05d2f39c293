"""What verdicts, outcomes and numbers are called in front of people."""

import math
import unicodedata
from collections.abc import Mapping

from alpamayo_ros.structs.tick import TickOutcome
from alpamayo_ros.structs.verdict import Verdict

TEXT_LIMIT = 4000
"""Characters of one text that are shown; a longer one is cut and says so."""

_HIDDEN = {"Cc", "Cf", "Cn", "Cs"}
"""Unicode categories that have no picture of their own: control, format, unassigned, half of a pair."""

VERDICT_TITLES = {
    Verdict.PASS: "Pass",
    Verdict.REGRESSION: "Regression",
    Verdict.INCONCLUSIVE: "Inconclusive",
    Verdict.NOT_COMPARABLE: "Not comparable",
    Verdict.NOT_COMPARED: "Not compared",
}

VERDICT_SENTENCES = {
    Verdict.PASS: "The replay does what the baseline did, within the tolerances.",
    Verdict.REGRESSION: "The replay does something else than the baseline.",
    Verdict.INCONCLUSIVE: "The replay shows too little to judge it.",
    Verdict.NOT_COMPARABLE: "The replay and the baseline must not be compared.",
    Verdict.NOT_COMPARED: "The replay stands alone: nothing was judged.",
}

VERDICT_SYMBOLS = {
    Verdict.PASS: "\N{CHECK MARK}",
    Verdict.REGRESSION: "\N{MULTIPLICATION X}",
    Verdict.INCONCLUSIVE: "?",
    Verdict.NOT_COMPARABLE: "\N{NOT EQUAL TO}",
    Verdict.NOT_COMPARED: "\N{EN DASH}",
}

OUTCOME_SENTENCES = {
    TickOutcome.ANSWERED: "a rationale and a trajectory were given",
    TickOutcome.TIME_BACKWARDS: "the trigger's clock stepped back before the tick closed",
    TickOutcome.NO_ODOMETRY: "no odometry had arrived yet",
    TickOutcome.ODOMETRY_STALE: "there was no odometry at or after the tick",
    TickOutcome.HISTORY_TOO_SHORT: "the odometry did not reach back as far as the history needs",
    TickOutcome.ODOMETRY_GAP: "two odometry samples were too far apart to interpolate between them",
    TickOutcome.ODOMETRY_INVALID: "the odometry was not finite, or its quaternion not of unit length",
    TickOutcome.CAMERA_MISSING: "a camera had not sent any frame yet",
    TickOutcome.CAMERA_STALE: "the newest frame of a camera was too old",
    TickOutcome.CAMERA_SKEWED: "the frame nearest to the tick was too far from it",
    TickOutcome.CAMERA_OFF_GRID: "the frame nearest to an earlier grid time was too far from it",
    TickOutcome.IMAGE_INVALID: "a picture had a wrong size or encoding, or could not be decoded",
    TickOutcome.CAMERA_MISMATCH: "the field of view or direction of a camera differs from the profile",
    TickOutcome.SKIPPED_BUSY: "the model was busy and a newer tick had closed",
    TickOutcome.STAGE_FAILED: "a stage raised an error",
    TickOutcome.CAMERA_UNHEALTHY: "a camera was frozen, dark, blurred, blinded or covered",
}

WORDS_UNIT = "as written"
"""Unit of a field whose texts must be the same but for the numbers in them."""

_PARTS = ("set_up_s", "replay_s", "compare_s")
"""Timings in the order in which the parts happen."""

COUNT_SENTENCES = {"open_at_end": "the input ended before the tick could close; it counts as no tick"}


def plain(value: object) -> str:
    """Make text from a bag safe to look at: no control or direction-changing characters, of bounded length.

    Line feeds and tabs stay. What is taken out is shown as its code point, so that nothing hides; that takes apart
    some emoji and ligatures, too.
    """
    text = str(value)
    shown = "".join(
        f"<U+{ord(character):04X}>"
        if unicodedata.category(character) in _HIDDEN and character not in "\n\t"
        else character
        for character in text[:TEXT_LIMIT]
    )
    return shown if len(text) <= TEXT_LIMIT else f"{shown} ... ({len(text) - TEXT_LIMIT} more characters)"


def ascii_line(value: object, limit: int) -> str:
    """Keep to characters that the bundled fonts have, on one line of at most ``limit`` characters."""
    return "".join(character if " " <= character <= "~" else "?" for character in str(value)[:limit])


def outcome_title(name: str) -> str:
    """Put an outcome or count name in words: ``HISTORY_TOO_SHORT`` becomes ``history too short``."""
    return plain(name).replace("_", " ").lower()


def horizon_label(horizon_s: float) -> str:
    """Write a horizon as text and as a JSON key: ``1.0``, ``6.3``."""
    return str(round(float(horizon_s), 3))


def number(value: float | None) -> str:
    """Write a number with 4 significant digits, and say so where there is none."""
    if value is None:
        return "\N{EN DASH}"
    return f"{value:.4g}" if math.isfinite(value) else "not finite"


def measure(value: float | None, unit: str) -> str:
    """Write a difference with its unit; one of 1 is none, and a difference between texts says so."""
    if value is None or unit in {"", "1"}:
        return number(value)
    return f"{number(value)} in the text" if unit == WORDS_UNIT else f"{number(value)} {plain(unit)}"


def allowance(tolerance: float | None, unit: str) -> str:
    """Say how far a field may be from the baseline."""
    if tolerance is None:
        return "must be equal"
    if unit == WORDS_UNIT:
        return f"numbers in the text may differ by {number(tolerance)}"
    return measure(tolerance, unit)


def counted(count: int, noun: str) -> str:
    """Write a count with its noun: ``1 tick``, ``2 ticks``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def seconds_after(t0_ns: int, start_ns: int) -> str:
    """Write a time in s with ms after another one."""
    sign = "-" if t0_ns < start_ns else ""
    whole, rest = divmod((abs(t0_ns - start_ns) + 500_000) // 1_000_000, 1000)
    return f"{sign}{whole}.{rest:03d}"


def provenance_sentence(tags: Mapping[str, str]) -> str:
    """Say whether the input was recorded on a road or made up, as far as the bag's tags say so."""
    provenance = tags.get("provenance", "").strip().lower()
    if provenance == "real":
        return "Real input: recorded by a vehicle on the road."
    if provenance in {"simulated", "rendered", "synthetic"}:
        return (
            "Simulated input: drive and pictures are computed. "
            "The outputs show that the software runs, not how it does on a road."
        )
    return "The bag does not say whether it was recorded on the road or simulated."


def ordered_ticks(counts: Mapping[str, int]) -> dict[str, int]:
    """Sort counts: outcomes as in TickOutcome, then ``open_at_end``, then the others by name."""
    known = [outcome.name for outcome in TickOutcome]
    rank = {name: index for index, name in enumerate([*known, "open_at_end"])}
    return dict(sorted(counts.items(), key=lambda item: (rank.get(item[0], len(rank)), item[0])))


def ordered_timings(timings: Mapping[str, float]) -> dict[str, float]:
    """Sort timings as their parts happen: setting up, replaying, comparing, then the others by name."""
    rank = {name: index for index, name in enumerate(_PARTS)}
    return dict(sorted(timings.items(), key=lambda item: (rank.get(item[0], len(rank)), item[0])))
