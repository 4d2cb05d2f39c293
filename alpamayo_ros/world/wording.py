"""Word a decision and its cause in short English: the ground truth that a model learns to say."""

from dataclasses import dataclass

import numpy as np

from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction

STOPPED = LongitudinalAction.STOPPED
KEEP_SPEED = LongitudinalAction.KEEP_SPEED
ACCELERATE = LongitudinalAction.ACCELERATE
DECELERATE = LongitudinalAction.DECELERATE

FOLLOWED = frozenset({"lead_vehicle", "cut_in_vehicle"})
"""Causes that drive in the direction of the ego vehicle: one goes on behind them."""

CAUSES: dict[str, tuple[str, ...]] = {
    "lead_vehicle": ("a vehicle is driving ahead", "there is a vehicle ahead of me"),
    "lead_vehicle slower": ("the vehicle ahead is slower", "there is a slower vehicle ahead"),
    "lead_vehicle braking": ("the vehicle ahead is braking", "the brake lights ahead are on"),
    "lead_vehicle standing": ("the vehicle ahead has stopped", "the vehicle ahead is standing"),
    "lead_vehicle leaving": ("the vehicle ahead moves on", "the vehicle ahead is pulling away"),
    "stopped_vehicle": ("a stopped vehicle blocks my lane", "a vehicle is standing in my lane"),
    "stopped_vehicle beside": ("i am passing a stopped vehicle",),
    "construction beside": ("i am passing the cones", "i am beside the construction site"),
    "cut_in_vehicle": ("a vehicle is cutting in ahead", "a vehicle moves into my lane"),
    "crossing_pedestrian": ("a pedestrian is crossing ahead", "a pedestrian crosses the road"),
    "crossing_pedestrian waiting": ("a pedestrian wants to cross", "a pedestrian is about to cross the road"),
    "red_light": ("the light ahead is red", "there is a red light"),
    "red_light amber": ("the light ahead is amber", "the light turns to amber"),
    "oncoming_vehicle": ("an oncoming vehicle has priority", "there is an oncoming vehicle"),
    "crossing_vehicle": ("a crossing vehicle has priority", "a vehicle is crossing my path"),
    "merging_vehicle": ("a vehicle is on the lane that i merge into", "there is a vehicle beside me where i merge"),
    "construction": ("cones block my lane", "there is a construction site in my lane"),
    "lane_end": ("my lane ends ahead", "this lane is ending"),
    "curve": ("there is a curve ahead", "the road bends ahead"),
    "curve ending": ("the curve is ending", "the bend is almost over"),
    "curve junction": ("the turn is tight", "there is a tight turn ahead"),
    "": ("the road is clear", "the road ahead is free"),
    "limit": ("the speed limit is lower here", "i am above the speed limit"),
}
"""What there is to say about each cause, by label and, where it matters, state; empty for a free road."""

ACTIONS: dict[LongitudinalAction, tuple[str, ...]] = {
    STOPPED: ("wait", "stay stopped", "stand and wait"),
    KEEP_SPEED: ("keep my speed", "hold my speed"),
    ACCELERATE: ("speed up", "accelerate"),
    DECELERATE: ("slow down", "brake", "reduce my speed"),
}
FOLLOWING: dict[LongitudinalAction, tuple[str, ...]] = {
    STOPPED: ("wait behind it", "stay stopped behind it"),
    KEEP_SPEED: ("follow it and keep my speed", "keep my speed behind it"),
    ACCELERATE: ("follow it and speed up", "speed up behind it"),
    DECELERATE: ("slow down behind it", "brake to keep my distance", "brake behind it"),
}
TURNS = {LateralAction.LEFT: "turn left", LateralAction.RIGHT: "turn right"}
SIDES = {LaneAction.CHANGE_LEFT: "left", LaneAction.CHANGE_RIGHT: "right"}
PASSED = frozenset({"stopped_vehicle", "construction"})
STILL_FAR = " but still far"
MOVE_BACK = ("my lane is clear again", "my lane is free again")


@dataclass(frozen=True, slots=True)
class Said:
    """What a sentence is about.

    Attributes:
        label: Of the cause, empty without one.
        state: What more is to say about the cause: a second word of a key of CAUSES, or empty.
        longitudinal: What the ego vehicle does along the path.
        lateral: What it does across the path.
        lane: What it does in terms of lanes.
    """

    label: str
    state: str
    longitudinal: LongitudinalAction
    lateral: LateralAction = LateralAction.STRAIGHT
    lane: LaneAction = LaneAction.KEEP


def sentence(said: Said, rng: np.random.Generator) -> str:
    """Return one of the sentences that say this, in lower case with spaces around its stops."""
    return f"{_reason(said, rng)} , so i {_deed(said, rng)} ."


def _reason(said: Said, rng: np.random.Generator) -> str:
    if not said.label and said.lane in SIDES:
        return _one_of(MOVE_BACK, rng)
    if not said.label and said.longitudinal is DECELERATE:
        return _one_of(CAUSES["limit"], rng)
    reason = _one_of(CAUSES.get(f"{said.label} {said.state}".strip()) or CAUSES[said.label], rng)
    goes_on = said.longitudinal in {KEEP_SPEED, ACCELERATE}
    near = not said.label or said.label in FOLLOWED | {"curve"} or said.state == "beside" or said.lane in SIDES
    return reason + STILL_FAR if goes_on and not near else reason


def _deed(said: Said, rng: np.random.Generator) -> str:
    actions = FOLLOWING if said.label in FOLLOWED and said.lane not in SIDES else ACTIONS
    deed = _one_of(actions[said.longitudinal], rng)
    if said.lane in SIDES:
        return _with_lane(said, deed)
    if said.lateral in TURNS:
        turn = TURNS[said.lateral]
        return f"{deed} before i {turn}" if said.longitudinal is STOPPED else f"{deed} and {turn}"
    return deed


def _with_lane(said: Said, deed: str) -> str:
    side = SIDES[said.lane]
    if said.longitudinal is STOPPED:
        return deed
    if said.label in PASSED and said.state != "beside":
        return f"{deed} and pass on the {side}"
    if said.label in {"lane_end", "merging_vehicle"}:
        return f"{deed} and merge to the {side}"
    return f"{deed} and move to the {side}"


def _one_of(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]


def _words() -> tuple[str, ...]:
    texts = [text for texts in CAUSES.values() for text in texts]
    texts += [text for table in (ACTIONS, FOLLOWING) for texts in table.values() for text in texts]
    texts += [*TURNS.values(), *SIDES.values(), *MOVE_BACK, STILL_FAR]
    texts.append(", so i . and before i pass on the merge to the move to the")
    return tuple(sorted({word for text in texts for word in text.split()}))


WORDS = _words()
"""Every word and stop that a sentence can have, sorted."""
