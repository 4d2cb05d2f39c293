"""Compare two replays field by field, aligned by t0.

Openpilot's process replay aligns by message index, so one dropped message makes everything after it differ;
aligned by t0, a tick that one side lacks is one difference. Absolute tolerances stand in the policy with their units,
because a unit-blind relative tolerance passes a doubled curvature.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.replay.outputs import TickOutputs
from alpamayo_ros.replay.policy import FieldRule, Policy
from alpamayo_ros.structs.verdict import Comparison, FieldDifference, FieldSummary, TickDifference

MAX_KEPT_DIFFERENCES = 200
"""Differences kept with their values; all of them are counted."""

MAX_OVER_TIME = 20_000
"""Entries of the course over time; beyond it, ticks are thinned evenly."""

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(slots=True)
class _Tally:
    compared: int = 0
    differing: int = 0
    worst: float | None = None


@dataclass(slots=True)
class _State:
    policy: Policy
    tallies: dict[tuple[str, str], _Tally] = field(default_factory=dict)
    kept: list[FieldDifference] = field(default_factory=list)
    differing_ticks: int = 0
    compared_ticks: int = 0
    over_time: list[TickDifference] = field(default_factory=list)
    stride: int = 1

    def keep(self, difference: FieldDifference) -> None:
        if len(self.kept) < MAX_KEPT_DIFFERENCES:
            self.kept.append(difference)

    def keep_over_time(self, differences: list[TickDifference]) -> None:
        """Keep the numeric differences of every n-th tick; n doubles whenever there are too many."""
        if self.compared_ticks % self.stride:
            return
        self.over_time += differences
        if len(self.over_time) > MAX_OVER_TIME:
            self.stride *= 2
            kept = set(sorted({difference.t0_ns for difference in self.over_time})[::2])
            self.over_time = [difference for difference in self.over_time if difference.t0_ns in kept]


def compare_outputs(baseline: Iterator[TickOutputs], candidate: Iterator[TickOutputs], policy: Policy) -> Comparison:
    """Compare two streams of outputs, both ascending by t0 and epoch.

    A tick that one side lacks is a difference, and so is one that is answered on one side only.
    """
    state = _State(policy)
    left, right = next(baseline, None), next(candidate, None)
    while left is not None or right is not None:
        order = _order(left, right)
        if order == 0 and left is not None and right is not None:
            state.compared_ticks += 1
            _compare_tick(state, left, right)
        else:
            _lacking(state, left if order < 0 else None, right if order > 0 else None)
        if order <= 0:
            left = next(baseline, None)
        if order >= 0:
            right = next(candidate, None)
    return Comparison(
        completed=True,
        first_difference=state.kept[0] if state.kept else None,
        differing_tick_count=state.differing_ticks,
        compared_tick_count=state.compared_ticks,
        differences=tuple(state.kept),
        fields=_summaries(state),
        over_time=tuple(state.over_time),
    )


def _order(left: TickOutputs | None, right: TickOutputs | None) -> int:
    """Return -1 when the left tick comes first, 1 when the right one does, 0 when they are the same tick."""
    if left is None:
        return 1
    if right is None:
        return -1
    key_left = (left.status.t0_ns, left.status.epoch)
    key_right = (right.status.t0_ns, right.status.epoch)
    return (key_left > key_right) - (key_left < key_right)


def _lacking(state: _State, left: TickOutputs | None, right: TickOutputs | None) -> None:
    present = left or right
    if present is None:
        return
    state.differing_ticks += 1
    before = left.status.outcome.name if left else "no such tick"
    now = right.status.outcome.name if right else "no such tick"
    state.keep(FieldDifference(present.status.t0_ns, "tick", "t0", before, now))


def _compare_tick(state: _State, left: TickOutputs, right: TickOutputs) -> None:
    differences = _compare_interface(state, "tick", left.status, right.status)
    # Where only one side was answered, the outcome differs, and there is nothing more to compare. The trajectory
    # stands first: what the vehicle would have done weighs more than the words.
    if left.trajectories is not None and right.trajectories is not None:
        differences += _compare_interface(state, "trajectory_set", left.trajectories, right.trajectories)
    if left.rationale is not None and right.rationale is not None:
        differences += _compare_interface(state, "rationale", left.rationale, right.rationale)
    if differences:
        state.differing_ticks += 1
        state.keep_over_time([_over_time(difference) for difference in differences if difference.tolerance])


def _over_time(difference: FieldDifference) -> TickDifference:
    name = difference.field.partition("[")[0]
    magnitude = math.inf if difference.magnitude is None else difference.magnitude
    return TickDifference(difference.t0_ns, difference.interface, name, magnitude / (difference.tolerance or math.inf))


def _compare_interface(state: _State, interface: str, left: Any, right: Any) -> list[FieldDifference]:
    differences = []
    for name, rule in state.policy.rules[interface].items():
        tally = state.tallies.setdefault((interface, name), _Tally())
        if rule.rule == "ignore":
            continue
        tally.compared += 1
        found = _compare_field(rule, getattr(left, name), getattr(right, name))
        if found is None:
            continue
        place, baseline, candidate, magnitude, differs = found
        if magnitude is not None:
            tally.worst = magnitude if tally.worst is None or not magnitude <= tally.worst else tally.worst
        if differs:
            tally.differing += 1
            difference = FieldDifference(
                left.t0_ns, interface, name + place, baseline, candidate, magnitude, rule.tolerance, rule.unit
            )
            state.keep(difference)
            differences.append(difference)
    return differences


Found = tuple[str, str, str, float | None, bool]
"""Place in the field, both values as text, magnitude, and whether the rule is broken."""


def _compare_field(rule: FieldRule, left: Any, right: Any) -> Found | None:
    if rule.rule == "exact":
        if isinstance(left, np.ndarray):
            return None if np.array_equal(left, right, equal_nan=True) else ("", "array", "array", None, True)
        return None if left == right else ("", _text(left), _text(right), None, True)
    if rule.rule == "words":
        return _compare_words(rule, left, right)
    return _compare_numbers(rule, np.asarray(left), np.asarray(right))


def _compare_numbers(rule: FieldRule, left: NDArray[Any], right: NDArray[Any]) -> Found:
    if left.shape != right.shape:
        return "", f"shape {left.shape}", f"shape {right.shape}", None, True
    with np.errstate(invalid="ignore"):  # inf - inf is NaN and is settled below
        difference = np.abs(left.astype(np.float64) - right.astype(np.float64))
        if rule.rule == "angle":
            difference = np.abs((difference + math.pi) % (2.0 * math.pi) - math.pi)
    both_nan, one_nan = np.isnan(left) & np.isnan(right), np.isnan(left) ^ np.isnan(right)
    difference = np.where(both_nan | (left == right), 0.0, np.where(one_nan, math.inf, difference))
    difference = np.where(np.isnan(difference), math.inf, difference)
    worst = int(np.argmax(difference))
    index = np.unravel_index(worst, difference.shape)
    magnitude = float(difference.reshape(-1)[worst])
    place = "".join(f"[{int(position)}]" for position in index)
    return (
        place,
        f"{float(left[index]):.6g}",
        f"{float(right[index]):.6g}",
        magnitude,
        magnitude > (rule.tolerance or 0.0),
    )


def _compare_words(rule: FieldRule, left: str, right: str) -> Found | None:
    if left == right:
        return None
    if _NUMBER.sub("#", left) != _NUMBER.sub("#", right):
        return "", _text(left), _text(right), None, True
    pairs = zip(_NUMBER.finditer(left), _NUMBER.finditer(right), strict=True)
    magnitude, a, b = max(((abs(float(a[0]) - float(b[0])), a, b) for a, b in pairs), key=lambda pair: pair[0])
    # Decimal numbers in a text are rounded, so a difference of exactly the tolerance may read slightly more.
    return "", _around(left, a), _around(right, b), magnitude, magnitude > (rule.tolerance or 0.0) + 1e-9


def _around(text: str, number: re.Match[str]) -> str:
    """Return a number with a few words on both sides."""
    start, end = max(number.start() - 24, 0), min(number.end() + 12, len(text))
    return ("..." if start else "") + text[start:end] + ("..." if end < len(text) else "")


def _text(value: Any) -> str:
    name = getattr(value, "name", None)
    text = name if isinstance(name, str) else str(value)
    return text if len(text) <= 400 else f"{text[:400]}..."


def _summaries(state: _State) -> tuple[FieldSummary, ...]:
    rows = []
    for interface, rules in state.policy.rules.items():
        for name, rule in rules.items():
            tally = state.tallies.get((interface, name), _Tally())
            rows.append(
                FieldSummary(interface, name, tally.compared, tally.differing, tally.worst, rule.tolerance, rule.unit)
            )
    return tuple(rows)
