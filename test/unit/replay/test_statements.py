"""Equal answers in a row are one statement; many of them are counted, not kept."""

from alpamayo_ros.replay import statements
from alpamayo_ros.replay.statements import Statements, describe_cause, describe_meta_action
from alpamayo_ros.structs.rationale import CausalFactor, LaneAction, LateralAction, LongitudinalAction, Rationale

BRAKE = LongitudinalAction.DECELERATE
PEDESTRIAN = CausalFactor("crossing_pedestrian", camera="front", box_px=(1.0, 2.0, 3.0, 4.0))


def test_equal_answers_in_a_row_are_one_statement() -> None:
    said = Statements()
    for t0_ns, text in enumerate(["Go.", "Go.", "Wait.", "Go."]):
        said.add(Rationale(t0_ns, text))
    assert [(one.first_t0_ns, one.last_t0_ns, one.ticks, one.rationale) for one in said.found] == [
        (0, 1, 2, "Go."),
        (2, 2, 1, "Wait."),
        (3, 3, 1, "Go."),
    ]
    assert said.left_out == 0


def test_another_cause_or_decision_is_another_statement_but_another_box_is_not() -> None:
    said = Statements()
    moved = CausalFactor("crossing_pedestrian", camera="front", box_px=(9.0, 2.0, 3.0, 4.0))
    said.add(Rationale(0, "So.", causal_factors=(PEDESTRIAN,)))
    said.add(Rationale(1, "So.", causal_factors=(moved,)))
    said.add(Rationale(2, "So.", BRAKE, causal_factors=(moved,)))
    said.add(Rationale(3, "So.", BRAKE))
    assert [one.ticks for one in said.found] == [2, 1, 1]
    assert said.found[0].causes == ("crossing pedestrian (front)",)


def test_a_drive_that_never_repeats_itself_stays_bounded() -> None:
    said = Statements()
    for t0_ns in range(statements.MOST_STATEMENTS + 7):
        said.add(Rationale(t0_ns, str(t0_ns)))
    said.add(Rationale(10_000, str(statements.MOST_STATEMENTS + 6)))
    assert len(said.found) == statements.MOST_STATEMENTS
    assert said.left_out == 7
    assert said.found[-1].ticks == 1


def test_words_for_causes_and_decisions() -> None:
    assert describe_cause(CausalFactor("red_light")) == "red light"
    decided = Rationale(0, "", BRAKE, LateralAction.LEFT, LaneAction.KEEP)
    assert describe_meta_action(decided) == "decelerate, left, keep"
    assert describe_meta_action(Rationale(0, "")) == "unknown"
