"""An empty or mostly rejected replay never passes, and a regression needs a completed comparison."""

from dataclasses import replace

from alpamayo_ros.replay.judge import count_outcomes, judge_replay, too_little_to_judge
from alpamayo_ros.structs.tick import TickOutcome
from alpamayo_ros.structs.verdict import Comparison, FieldDifference, TickMark, Verdict

SAME = Comparison(True, None, 0, 50)
DIFFERENCE = FieldDifference(123, "trajectory_set", "y[0][3]", "1.0", "1.05", 0.05, 0.01, "m")
OTHER = Comparison(True, DIFFERENCE, 3, 50)


def marks(*outcomes: TickOutcome) -> list[TickMark]:
    return [TickMark(index * 100_000_000, outcome) for index, outcome in enumerate(outcomes)]


REJECTED, ANSWERED = TickOutcome.ODOMETRY_GAP, TickOutcome.ANSWERED


def test_ten_answered_ticks_after_start_up_are_enough() -> None:
    assert too_little_to_judge(marks(*[TickOutcome.HISTORY_TOO_SHORT] * 16, *[ANSWERED] * 10)) == ()


def test_nine_answered_ticks_are_too_few() -> None:
    assert "9 ticks were answered; at least 10" in too_little_to_judge(marks(*[ANSWERED] * 9))[0]


def test_no_tick_at_all_is_too_little() -> None:
    assert too_little_to_judge([])


def test_more_than_half_rejected_after_start_up_is_too_little() -> None:
    # The first 16 marks lie within the first 1.5 s and do not count.
    start = [ANSWERED] * 16
    assert too_little_to_judge(marks(*start, *[ANSWERED] * 10, *[REJECTED] * 10)) == ()
    reasons = too_little_to_judge(marks(*start, *[ANSWERED] * 10, *[REJECTED] * 11))
    assert reasons == ("11 of 21 ticks after the first 1.5 s were rejected; at most half may be",)


def test_ticks_skipped_because_the_model_was_busy_are_not_rejected() -> None:
    assert too_little_to_judge(marks(*[ANSWERED] * 16, *[TickOutcome.SKIPPED_BUSY] * 30)) == ()


def test_without_a_baseline_nothing_is_compared() -> None:
    assert judge_replay((), (), None)[0] is Verdict.NOT_COMPARED


def test_agreement_passes_and_a_difference_is_a_regression_that_names_its_tick() -> None:
    assert judge_replay((), (), SAME)[0] is Verdict.PASS
    verdict, reasons = judge_replay((), (), OTHER)
    assert verdict is Verdict.REGRESSION
    assert "t0 123 ns" in reasons[0]
    assert "0.05 m" in reasons[0]


def test_too_little_never_passes() -> None:
    assert judge_replay(("few",), (), SAME)[0] is Verdict.INCONCLUSIVE
    assert judge_replay(("few",), (), None)[0] is Verdict.INCONCLUSIVE


def test_a_difference_outweighs_too_little_and_both_are_said() -> None:
    verdict, reasons = judge_replay(("few",), (), OTHER)
    assert verdict is Verdict.REGRESSION
    assert "few" in reasons


def test_other_inputs_are_not_comparable_whatever_else_is_true() -> None:
    assert judge_replay(("few",), ("other bag",), None) == (Verdict.NOT_COMPARABLE, ("other bag",))


def test_an_incomplete_comparison_sets_no_regression() -> None:
    assert judge_replay((), (), replace(OTHER, completed=False))[0] is not Verdict.REGRESSION


def test_outcomes_are_counted_by_name() -> None:
    counts = count_outcomes(marks(ANSWERED, REJECTED, REJECTED), 2, {"front": 4})
    assert counts == {"ANSWERED": 1, "ODOMETRY_GAP": 2, "open_at_end": 2, "dropped_front": 4}
