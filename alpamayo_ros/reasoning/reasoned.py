"""Outcome of the reasoning stage."""

from dataclasses import dataclass

from alpamayo_ros.structs.plan import PlanContext
from alpamayo_ros.structs.rationale import Rationale


@dataclass(frozen=True, slots=True)
class Reasoned:
    """What the model says, and what planning needs of it."""

    rationale: Rationale
    context: PlanContext
