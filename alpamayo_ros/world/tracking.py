"""Follow a planned trajectory until the next one comes."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.structs.trajectory import TrajectorySet
from alpamayo_ros.world.expert.offsets import Offset
from alpamayo_ros.world.expert.steering import steer
from alpamayo_ros.world.snapshot import EgoState

NS_PER_S = 1_000_000_000
GIVE_UP_MPS2 = -4.0
"""Without a plan that is still good the vehicle brakes this hard on the curvature that it drives."""
HOLD_MPS2 = -1.0
STANDING_MPS = 0.1
MAX_ACCELERATION_MPS2 = 4.0
MAX_BRAKING_MPS2 = 8.0
MAX_LATERAL_MPS2 = 7.0
"""What tyres and engine of a usual passenger car give on a dry road."""
_SPEED_GAIN_HZ = 1.0
_PLACE_GAIN_HZ2 = 0.5
_PREVIEW_S = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """A trajectory in the world.

    Attributes:
        t0_ns: When it begins.
        times_s: (N + 1,) after t0, the first 0.
        x: (N + 1,) m.
        y: (N + 1,) m.
        yaw: (N + 1,) rad, without jumps.
        speed: (N + 1,) m/s.
        curvature: (N + 1,) 1/m.
    """

    t0_ns: int
    times_s: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    yaw: NDArray[np.float64]
    speed: NDArray[np.float64]
    curvature: NDArray[np.float64]

    def command(self, ego: EgoState, time_ns: int, dt_s: float) -> tuple[float, float] | None:
        """Return acceleration and curvature for the next moment; None when the plan is used up.

        The place, heading and speed of the plan at this time are held; its own change of speed and its curvature a
        moment ahead are fed forward.

        Args:
            ego: Now.
            time_ns: Now.
            dt_s: Until the next command.
        """
        t_s = (time_ns - self.t0_ns) / NS_PER_S
        if t_s + dt_s > float(self.times_s[-1]):
            return None
        x, y, yaw, speed = (self._at(values, t_s) for values in (self.x, self.y, self.yaw, self.speed))
        later = self._at(self.speed, t_s + _PREVIEW_S)
        if max(speed, later, ego.speed_mps) < STANDING_MPS:
            return HOLD_MPS2, ego.curvature
        away_x, away_y = ego.position[0] - x, ego.position[1] - y
        behind = -(away_x * math.cos(yaw) + away_y * math.sin(yaw))
        aside = away_y * math.cos(yaw) - away_x * math.sin(yaw)
        feedback = _SPEED_GAIN_HZ * (speed - ego.speed_mps) + _PLACE_GAIN_HZ2 * behind
        acceleration = (later - speed) / _PREVIEW_S + feedback
        curvature = steer(
            error_m=aside,
            heading_error_rad=math.remainder(ego.yaw - yaw, math.tau),
            path_curvature=self._at(self.curvature, t_s + _PREVIEW_S),
            wanted=Offset(0.0, 0.0, 0.0),
            speed_mps=ego.speed_mps,
            present_curvature=ego.curvature,
            dt_s=dt_s,
            most_lateral_mps2=MAX_LATERAL_MPS2,
        )
        return min(max(acceleration, -MAX_BRAKING_MPS2), MAX_ACCELERATION_MPS2), curvature

    def _at(self, values: NDArray[np.float64], t_s: float) -> float:
        return float(np.interp(t_s, self.times_s, values))


def plan_in_world(trajectories: TrajectorySet, ego: EgoState) -> Plan:
    """Return the selected trajectory in the world.

    Args:
        trajectories: In the rig frame at t0.
        ego: The vehicle at t0.
    """
    index, count = trajectories.selected_index, trajectories.point_count
    x, y, yaw, speed, curvature = (
        getattr(trajectories, name)[index].astype(np.float64) for name in ("x", "y", "yaw", "speed", "curvature")
    )
    cosine, sine = math.cos(ego.yaw), math.sin(ego.yaw)
    return Plan(
        t0_ns=trajectories.t0_ns,
        times_s=np.arange(count + 1, dtype=np.float64) * trajectories.dt_s,
        x=np.concatenate([[ego.position[0]], ego.position[0] + x * cosine - y * sine]),
        y=np.concatenate([[ego.position[1]], ego.position[1] + x * sine + y * cosine]),
        yaw=np.unwrap(np.concatenate([[ego.yaw], ego.yaw + yaw])),
        speed=np.concatenate([[ego.speed_mps], speed]),
        curvature=np.concatenate([curvature[:1], curvature]),
    )
