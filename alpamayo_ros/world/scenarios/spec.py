"""What an episode is made from: names and numbers that fit on one line."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alpamayo_ros.world.conditions import CLEAR, Conditions
from alpamayo_ros.world.maps.draw import HELD_OUT
from alpamayo_ros.world.sensor_faults import SensorFault


@dataclass(frozen=True, slots=True)
class EpisodeSpec:
    """An episode; the same specification gives the same episode, byte for byte.

    Attributes:
        scenario: One of SCENARIOS.
        seed: 0 or more.
        split: ``train`` or ``held_out``.
        conditions: Weather, light and dirt.
        faults: Of the sensors.
        parameters: Of the scenario, drawn from the seed; ``map`` names the road network.
        duration_s: s.
    """

    scenario: str
    seed: int
    split: str
    conditions: Conditions = CLEAR
    faults: tuple[SensorFault, ...] = ()
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    duration_s: float = 20.0

    @property
    def id(self) -> str:
        """Text that ``episode`` takes: ``scenario:seed``, with ``@held_out`` if it is."""
        return f"{self.scenario}:{self.seed}" + (f"@{HELD_OUT}" if self.split == HELD_OUT else "")

    def number(self, name: str) -> float:
        """Return a parameter that is a number."""
        return float(self.parameters[name])

    def text(self, name: str) -> str:
        """Return a parameter that is a text."""
        return str(self.parameters[name])
