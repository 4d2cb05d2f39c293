"""Parameters of the node that names what runs."""

from dataclasses import dataclass

from alpamayo_ros.params.parameter import parameter
from alpamayo_ros.params.stack import StackParams


@dataclass(frozen=True, slots=True)
class LineageParams(StackParams):
    """How often the lineage is repeated."""

    heartbeat_ms: int = parameter(
        1000,
        "The latched lineage is published again this often.",
        unit="ms",
        minimum=100,
        maximum=60_000,
        behavioural=False,
    )
