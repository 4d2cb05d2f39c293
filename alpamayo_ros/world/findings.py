"""What a change made of a drive: where decisions part, what each driver names, how far the drives come apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.report.counterfactual import cause_words, decision_words
from alpamayo_ros.structs.counterfactual import DriveMoment

VISIBLY_APART_M = 0.5
"""Drives that stay nearer than this are the same drive."""
_NEAREST_PICTURES_S = 0.7
_MOST_PICTURES = 5
_BEFORE_S, _AFTER_S = 1.0, 1.5
_STEADY_STEPS = 2
"""A decision that differs for fewer steps is a flicker at a threshold, not a change of mind."""


@dataclass(frozen=True, slots=True)
class Findings:
    """How two drives differ.

    Attributes:
        differs: Whether a decision differs for a while, or the drives come apart.
        headline: What came of the change, in one sentence.
        rows: What differs, as a name and a sentence each.
        first_s: When decisions part first, None if they never do.
        picture_times_s: The moments worth looking at.
    """

    differs: bool
    headline: str
    rows: tuple[tuple[str, str], ...]
    first_s: float | None
    picture_times_s: tuple[float, ...]


def compare_moments(
    original: Sequence[DriveMoment], edited: Sequence[DriveMoment], change: str, actors: Sequence[str]
) -> Findings:
    """Compare two drives of one episode, moment by moment, as far as both go.

    Args:
        original: The drive as the episode is, at least one moment.
        edited: The drive with the change, at the same times.
        change: What was changed, in words.
        actors: Ids of what was changed.
    """
    pairs = list(zip(original, edited, strict=False))
    first = _first_lasting([_action(before) != _action(after) for before, after in pairs])
    other_cause = _first_lasting([_cause(before) != _cause(after) for before, after in pairs])
    apart_m = _distances(pairs)
    differs = first is not None or bool(apart_m.max(initial=0.0) > VISIBLY_APART_M)
    shown = min((index for index in (first, other_cause) if index is not None), default=None)
    rows = [_decision_row(pairs, first), _cause_row(pairs, other_cause), _text_row(pairs, shown)]
    rows += _plan_rows(pairs, shown)
    rows += [_drive_row(apart_m, pairs), _speed_row(original, edited), _cited_row(original, actors)]
    return Findings(
        differs=differs,
        headline=_headline(pairs, first, change, apart_m),
        rows=tuple(rows),
        first_s=None if first is None else pairs[first][0].t_s,
        picture_times_s=_picture_times(pairs, shown, actors),
    )


_Pairs = Sequence[tuple[DriveMoment, DriveMoment]]


def _action(moment: DriveMoment) -> tuple[int, int, int]:
    return moment.longitudinal, moment.lateral, moment.lane


def _cause(moment: DriveMoment) -> tuple[str, str]:
    return moment.cause, moment.actor_id


def _first_lasting(different: Sequence[bool]) -> int | None:
    """Return where two drives differ first for more than a flicker."""
    for index in range(len(different)):
        if all(different[index : index + _STEADY_STEPS]) and index + _STEADY_STEPS <= len(different):
            return index
    return None


def _distances(pairs: _Pairs) -> NDArray[np.float64]:
    return np.array([np.hypot(one.x_m - other.x_m, one.y_m - other.y_m) for one, other in pairs], dtype=np.float64)


def _headline(pairs: _Pairs, first: int | None, change: str, apart_m: NDArray[np.float64]) -> str:
    said = change[:1].upper() + change[1:]
    if first is None:
        furthest = float(apart_m.max(initial=0.0))
        if furthest > VISIBLY_APART_M:
            return f"{said} no decision changes, but the drives come up to {furthest:.1f} m apart."
        return f"{said} every decision stays what it was: this was no cause of how the vehicle drives."
    before, after = pairs[first]
    return (
        f"{said} the decision at {before.t_s:.1f} s is {decision_words(after)}, because of {cause_words(after)}; "
        f"as it is, it is {decision_words(before)}, because of {cause_words(before)}."
    )


def _decision_row(pairs: _Pairs, first: int | None) -> tuple[str, str]:
    if first is None:
        return "Decision", f"the same at all {len(pairs)} moments"
    before, after = pairs[first]
    count = sum(_action(one) != _action(other) for one, other in pairs)
    sentence = (
        f"from {before.t_s:.1f} s on: {decision_words(before)} as it is, {decision_words(after)} with the change; "
    )
    return "Decision", sentence + f"different at {count} of {len(pairs)} moments"


def _cause_row(pairs: _Pairs, shown: int | None) -> tuple[str, str]:
    count = sum(_cause(one) != _cause(other) for one, other in pairs)
    if shown is None or not count:
        return "Cause", "the same is named at every moment" if not count else f"another one at {count} moments"
    before, after = pairs[shown]
    return "Cause", f"{cause_words(before)} as it is, {cause_words(after)} with the change, at {before.t_s:.1f} s"


def _text_row(pairs: _Pairs, shown: int | None) -> tuple[str, str]:
    if shown is None:
        count = sum(one.text != other.text for one, other in pairs)
        return "Rationale", "word for word the same" if not count else f"other words at {count} of {len(pairs)} moments"
    before, after = pairs[shown]
    return "Rationale", f"{_quoted(before.text)} became {_quoted(after.text)}"


def _quoted(text: str) -> str:
    return f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}"


def _plan_rows(pairs: _Pairs, shown: int | None) -> list[tuple[str, str]]:
    """Compare the plans where decisions part: until then both drives are in nearly the same place."""
    if shown is None:
        return []
    before, after = pairs[shown]
    count = min(len(before.planned_xy_m), len(after.planned_xy_m))
    if not count:
        return []
    gaps = np.hypot(*(before.planned_xy_m[:count] - after.planned_xy_m[:count]).T)
    sentence = f"ADE between both plans at {before.t_s:.1f} s: {gaps.mean():.2f} m over {0.1 * count:.1f} s; "
    return [("Plans", sentence + f"{gaps[-1]:.2f} m at their ends")]


def _drive_row(apart_m: NDArray[np.float64], pairs: _Pairs) -> tuple[str, str]:
    if not len(apart_m):
        return "Drives", "there is no common moment"
    worst = int(apart_m.argmax())
    sentence = f"ADE between both drives: {apart_m.mean():.2f} m over {pairs[-1][0].t_s:.1f} s; "
    return "Drives", sentence + f"at most {apart_m[worst]:.2f} m, at {pairs[worst][0].t_s:.1f} s"


def _speed_row(original: Sequence[DriveMoment], edited: Sequence[DriveMoment]) -> tuple[str, str]:
    lowest = [min(moment.speed_mps for moment in drive) for drive in (original, edited)]
    return "Lowest speed", f"{lowest[0]:.1f} m/s as it is, {lowest[1]:.1f} m/s with the change"


def _cited_row(original: Sequence[DriveMoment], actors: Sequence[str]) -> tuple[str, str]:
    named = set(actors)
    count = sum(moment.actor_id in named for moment in original)
    if not count:
        return "Named before", "what was changed is named at no moment of the drive as it is"
    return "Named before", f"what was changed is named at {count} of {len(original)} moments of the drive as it is"


def _picture_times(pairs: _Pairs, shown: int | None, actors: Sequence[str]) -> tuple[float, ...]:
    times = [pair[0].t_s for pair in pairs]
    if shown is None:
        chosen = [times[round(share * (len(times) - 1))] for share in (0.1, 0.35, 0.6, 0.85)]
    else:
        speeds = np.array([abs(one.speed_mps - other.speed_mps) for one, other in pairs])
        at = times[shown]
        named = [index for index, (one, _) in enumerate(pairs) if one.actor_id in actors]
        while_named = [times[named[len(named) // 2]]] if named else []
        chosen = [at, at + _AFTER_S, *while_named, times[int(speeds.argmax())], at - _BEFORE_S]
    kept: list[float] = []
    for wanted in chosen:
        near = min(times, key=lambda time: abs(time - wanted))
        if all(abs(near - other) >= _NEAREST_PICTURES_S for other in kept):
            kept.append(near)
    return tuple(sorted(kept[:_MOST_PICTURES]))
