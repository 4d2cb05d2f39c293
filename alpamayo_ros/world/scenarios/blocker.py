"""What makes traffic mind the props that stand in a lane."""

from alpamayo_ros.world.scenarios.staging import Body, Vehicle

BLOCKER_PREFIX = "blocker:"
"""Of the ids of what tells traffic that a lane is blocked; nothing of that name is seen."""


def blocker(stands_for: tuple[str, ...], body: Body, edge: str, lane: int, front_m: float) -> Vehicle:
    """Return what tells traffic that a lane is blocked by props.

    Args:
        stands_for: Ids of the props; without them it is not there.
        body: Its length matters.
        edge: Of the lane.
        lane: Index from the right, sidewalks included.
        front_m: Its end on the lane.
    """
    return Vehicle(
        BLOCKER_PREFIX + stands_for[0], body, (edge,), lane, front_m, 0.0, 10.0,
        standing=True, hidden=True, stands_for=stands_for,
    )  # fmt: skip
