"""Weather, light, dirt and sensor faults of an episode."""

from alpamayo_ros.world.conditions import CLEAR, STRENGTHS, Conditions
from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.rendering.rig import FRONT_FOUR
from alpamayo_ros.world.sensor_faults import ODOMETRY, SensorFault

CLEAR_SHARE = 0.6
FAULT_SHARE = 0.08
GRADES = (0.2, 0.8)
"""Range of the strengths; beyond it even people would drive slowly, which the expert does not."""


def draw_conditions(draw: Draw) -> Conditions:
    """Draw the weather: clear in CLEAR_SHARE of the episodes, else one thing or two."""
    if draw.chance(CLEAR_SHARE):
        return CLEAR
    chosen = {draw.choice(STRENGTHS) for _ in range(draw.whole(1, 2))}
    return Conditions(**{name: round(draw.uniform(*GRADES), 2) for name in sorted(chosen)})


def draw_faults(draw: Draw, duration_s: float) -> tuple[SensorFault, ...]:
    """Draw the faults: one in FAULT_SHARE of the episodes, for half a second to three seconds."""
    if not draw.chance(FAULT_SHARE):
        return ()
    kind = draw.choice(("dropped", "frozen", "dark", "odometry_gap"), (3.0, 3.0, 3.0, 1.0))
    sensor = ODOMETRY if kind == "odometry_gap" else draw.choice(FRONT_FOUR)
    start_s = round(draw.uniform(2.0, duration_s - 4.0), 1)
    return (SensorFault(kind, sensor, start_s, round(start_s + draw.uniform(0.5, 3.0), 1)),)
