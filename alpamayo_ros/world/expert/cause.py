"""Why the expert does what it does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """The actor or rule whose constraint bound the expert's action.

    Attributes:
        label: One of reasoning/driving_language.LABELS.
        actor_id: Of the actor; red_light names its signal, lane_end and curve name nothing.
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
