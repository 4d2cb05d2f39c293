"""What a detector finds in pictures."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

Box = tuple[float, float, float, float]
"""left, top, width, height in px of the picture as received."""


@dataclass(frozen=True, slots=True)
class DetectedActor:
    """One actor in one picture.

    Attributes:
        label: Kind, one of those that matter on the road.
        score: 0 to 1.
        camera: Camera id.
        box_px: left, top, width, height in px of the picture as received.
        id: ``<camera>/<number>``, by falling score; it names the actor at this tick only, nothing is tracked.
    """

    label: str
    score: float
    camera: str
    box_px: Box
    id: str = ""

    def __post_init__(self) -> None:
        """Quantise the numbers to the message's float32."""
        object.__setattr__(self, "score", float(np.float32(self.score)))
        left, top, width, height = (float(np.float32(value)) for value in self.box_px)
        object.__setattr__(self, "box_px", (left, top, width, height))


def count_by_label(actors: Iterable[DetectedActor]) -> dict[str, int]:
    """Return how many actors of each kind there are, the most frequent first: how dense traffic is."""
    return dict(sorted(Counter(actor.label for actor in actors).items(), key=lambda item: (-item[1], item[0])))
