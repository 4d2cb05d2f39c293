"""Give the causes that a rationale cites the ids of the actors that a detector found."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from alpamayo_ros.geometry.boxes import overlap
from alpamayo_ros.structs.detection import DetectedActor
from alpamayo_ros.structs.rationale import CausalFactor

LEAST_OVERLAP = 0.3
"""Overlap (IoU) from which on a cited box and a detected one are of one actor; cited boxes stand on a coarse grid."""

_VEHICLES = frozenset({"car", "truck", "bus", "motorcycle", "bicycle", "train"})

KINDS_BY_WORD: Mapping[str, frozenset[str]] = {
    "vehicle": _VEHICLES,
    "pedestrian": frozenset({"person"}),
    "light": frozenset({"traffic_light"}),
    "sign": frozenset({"stop_sign"}),
}
"""Which detected kinds a cause can be, by the last word of its label; a label with another last word fits all."""


def name_actors(
    factors: Iterable[CausalFactor], actors: Iterable[DetectedActor], least_overlap: float = LEAST_OVERLAP
) -> tuple[CausalFactor, ...]:
    """Return the causes, each that has a box and no actor with the id of the actor whose box overlaps it most.

    A cause without a box, with an actor already, or without a fitting actor in its camera is returned as it is. One
    actor can be several causes.

    Args:
        factors: Cited causes, boxes in px of the picture as received.
        actors: Detected actors of the same tick.
        least_overlap: Smallest overlap (IoU).
    """
    seen = tuple(actors)
    return tuple(_named(factor, seen, least_overlap) for factor in factors)


def _named(factor: CausalFactor, actors: tuple[DetectedActor, ...], least_overlap: float) -> CausalFactor:
    if not factor.camera or factor.actor_id:
        return factor
    words = factor.label.replace("_", " ").split()
    kinds = KINDS_BY_WORD.get(words[-1].lower()) if words else None
    fitting = [
        (overlap(factor.box_px, actor.box_px), actor)
        for actor in actors
        if actor.camera == factor.camera and (kinds is None or actor.label in kinds)
    ]
    best, actor = max(fitting, key=lambda item: item[0], default=(0.0, None))
    return factor if actor is None or best < least_overlap else replace(factor, actor_id=actor.id)
