"""Why the expert does what it does."""

from dataclasses import dataclass

LABELS = (
    "lead_vehicle",
    "stopped_vehicle",
    "cut_in_vehicle",
    "crossing_pedestrian",
    "red_light",
    "oncoming_vehicle",
    "crossing_vehicle",
    "merging_vehicle",
    "construction",
    "lane_end",
    "curve",
)
"""Every kind of cause. The rules among them: red_light names its signal, lane_end and curve name nothing."""


@dataclass(frozen=True, slots=True)
class Cause:
    """The actor or rule whose constraint bound the expert's action.

    Attributes:
        label: One of LABELS.
        actor_id: Of the actor or signal, empty for a rule without one.
        decisive: Whether the decision is of another class without it.
        state: What more there is to say about it, for its sentence: ``braking``, ``amber`` and so on, or empty.
    """

    label: str
    actor_id: str
    decisive: bool = False
    state: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What is taken away to find out whether it was decisive; all cones of a site are one cause."""
        return (self.label, "" if self.label == "construction" else self.actor_id)
