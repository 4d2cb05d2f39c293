"""How the expert likes to drive."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExpertParameters:
    """Limits and habits of the expert.

    The car-following values are usual ones of the Intelligent Driver Model (Treiber and Kesting, Traffic Flow
    Dynamics, 2013, table 11.2, for a driver in a city).

    Attributes:
        acceleration_mps2: Most that it accelerates.
        braking_mps2: What it brakes with when there is time.
        hard_braking_mps2: Most that it brakes.
        jerk_mps3: Change of its acceleration when there is time.
        hard_jerk_mps3: Change of its acceleration when it must brake hard.
        headway_s: Time to what drives ahead.
        standstill_gap_m: Gap to what stands ahead.
        lateral_acceleration_mps2: Most in a curve.
        shift_s: Time that it takes to shift by one lane.
        clearance_m: Beside what it passes.
        amber_braking_mps2: It stops at amber where less than this is enough.
        gap_margin_s: Time that it leaves to others at a junction.
        binding_mps: A constraint is the cause of what it does where it takes away more speed than this within the
            next three seconds.
    """

    acceleration_mps2: float = 2.0
    braking_mps2: float = 2.0
    hard_braking_mps2: float = 6.0
    jerk_mps3: float = 4.0
    hard_jerk_mps3: float = 20.0
    headway_s: float = 1.3
    standstill_gap_m: float = 2.5
    lateral_acceleration_mps2: float = 2.0
    shift_s: float = 3.0
    clearance_m: float = 0.6
    amber_braking_mps2: float = 3.0
    gap_margin_s: float = 1.5
    binding_mps: float = 1.0


USUAL = ExpertParameters()
