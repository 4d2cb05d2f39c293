"""Turn the facts of a replay into a verdict with reasons."""

from collections.abc import Mapping, Sequence

from alpamayo_ros.structs.tick import TickOutcome
from alpamayo_ros.structs.verdict import Comparison, FieldDifference, TickMark, Verdict

MIN_ANSWERED = 10
"""Fewer answered ticks show too little to judge."""

START_UP_NS = 1_500_000_000
"""Rejections this soon after the first tick are expected: the ego history is still filling."""


def too_little_to_judge(marks: Sequence[TickMark]) -> tuple[str, ...]:
    """Return why a replay shows too little to judge, one sentence each; empty if it shows enough.

    Args:
        marks: Every tick in the order of t0.
    """
    reasons = []
    answered = sum(mark.outcome is TickOutcome.ANSWERED for mark in marks)
    if answered < MIN_ANSWERED:
        reasons.append(f"{answered} ticks were answered; at least {MIN_ANSWERED} are needed to judge")
    if marks:
        first_ns = min(mark.t0_ns for mark in marks)
        later = [mark for mark in marks if mark.t0_ns > first_ns + START_UP_NS]
        rejected = sum(mark.outcome not in (TickOutcome.ANSWERED, TickOutcome.SKIPPED_BUSY) for mark in later)
        if 2 * rejected > len(later):
            reasons.append(
                f"{rejected} of {len(later)} ticks after the first {START_UP_NS / 1e9:.1f} s were rejected; "
                "at most half may be"
            )
    return tuple(reasons)


def judge_replay(
    too_little: Sequence[str],
    not_comparable: Sequence[str],
    comparison: Comparison | None,
) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict and its reasons.

    A regression is set by a completed comparison alone. A replay that shows too little never passes, but where a
    completed comparison found a difference, that is the stronger finding.

    Args:
        too_little: See ``too_little_to_judge``.
        not_comparable: What differs from what the baseline was made from.
        comparison: Comparison with the baseline, None without one.
    """
    if not_comparable:
        return Verdict.NOT_COMPARABLE, tuple(not_comparable)
    if comparison is not None and comparison.completed and comparison.differing_tick_count:
        return Verdict.REGRESSION, (*_regression_reasons(comparison), *too_little)
    if too_little:
        return Verdict.INCONCLUSIVE, tuple(too_little)
    if comparison is None:
        return Verdict.NOT_COMPARED, ("no baseline was given, so nothing was compared",)
    return Verdict.PASS, (
        (
            "every tick agrees with the baseline within the policy's tolerances "
            f"({comparison.compared_tick_count} compared)"
        ),
    )


def _regression_reasons(comparison: Comparison) -> tuple[str, ...]:
    first = comparison.first_difference
    total = f"{comparison.differing_tick_count} ticks differ from the baseline"
    if first is None:
        return (total,)
    return (f"first difference at t0 {first.t0_ns} ns: {describe_difference(first)}", total)


def describe_difference(difference: FieldDifference) -> str:
    """Return one difference in words."""
    text = (
        f"{difference.interface}.{difference.field} was {difference.baseline!r} and is {difference.candidate!r}"
        if difference.magnitude is None
        else f"{difference.interface}.{difference.field} was {difference.baseline} and is {difference.candidate}"
    )
    if difference.magnitude is not None and difference.tolerance is not None:
        text += f" (off by {difference.magnitude:.3g} {difference.unit}, allowed {difference.tolerance:g})"
    return text


def count_outcomes(marks: Sequence[TickMark], open_at_end: int, dropped: Mapping[str, int]) -> dict[str, int]:
    """Return ticks by outcome name, ``open_at_end``, and ``dropped_<input>`` where messages were dropped."""
    counts: dict[str, int] = {}
    for outcome in TickOutcome:
        count = sum(mark.outcome is outcome for mark in marks)
        if count or outcome is TickOutcome.ANSWERED:
            counts[outcome.name] = count
    counts["open_at_end"] = open_at_end
    counts.update({f"dropped_{name}": count for name, count in sorted(dropped.items())})
    return counts
