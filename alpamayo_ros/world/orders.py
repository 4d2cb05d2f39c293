"""What has become of the orders that scripted vehicles were given."""

from collections.abc import Callable
from typing import Any

from alpamayo_ros.world.scenarios.staging import LaneChange, SpeedChange, Trigger
from alpamayo_ros.world.snapshot import STEP_S

LANE_CHANGE_S = 3.0
"""How long a change of lanes takes, for everybody."""


class OrderState:
    """One order of one vehicle.

    Attributes:
        name: Of the vehicle.
        indicator: What it shows because of the order.
        speed_mps: What it has to drive now; None if that is its own affair.
    """

    def __init__(self, order: SpeedChange | LaneChange) -> None:
        self.name = order.actor
        self.indicator = "none"
        self.speed_mps: float | None = None
        self._order = order
        self._begun_s: float | None = None
        self._reached_s: float | None = None
        self._done = False

    def advance(self, vehicles: Any, fires: Callable[[Trigger], bool], t_s: float) -> None:
        """Begin when the trigger holds, then go on.

        Args:
            vehicles: SUMO's vehicles.
            fires: Tells whether a trigger holds.
            t_s: Time of the present step.
        """
        if self._done:
            return
        if self._begun_s is None:
            if not fires(self._order.trigger):
                return
            self._begun_s = t_s
        if isinstance(self._order, LaneChange):
            self._change_lane(vehicles, self._order, t_s - self._begun_s)
        else:
            self._change_speed(vehicles, self._order, t_s)

    def _change_lane(self, vehicles: Any, order: LaneChange, age_s: float) -> None:
        self.indicator = order.indicator
        if age_s >= order.lead_s - 1e-6 and age_s < order.lead_s + STEP_S / 2.0:
            vehicles.changeLane(order.actor, order.lane, 1000.0)
        if age_s > order.lead_s + LANE_CHANGE_S:
            self.indicator, self._done = "none", True

    def _change_speed(self, vehicles: Any, order: SpeedChange, t_s: float) -> None:
        now = self.speed_mps if self.speed_mps is not None else float(vehicles.getSpeed(order.actor))
        step = order.acceleration_mps2 * STEP_S
        self.speed_mps = now + min(max(order.speed_mps - now, -step), step)
        if abs(self.speed_mps - order.speed_mps) < 1e-6:
            self._reached_s = t_s if self._reached_s is None else self._reached_s
            if t_s - self._reached_s >= order.hold_s:
                self.speed_mps, self._done = None, True
