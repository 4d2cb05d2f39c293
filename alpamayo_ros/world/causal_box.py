"""Which camera shows a cause best, and where in its picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import PinholeCamera
from alpamayo_ros.world.snapshot import Snapshot

MIN_SIDE_PX = 2.0
MIN_SHARE = 0.1
"""What is hidden more than that, or smaller, cannot be pointed at."""
MIN_OVERLAP = 0.2
"""Intersection over union from which on a box means an actor; a far one is a few px wide, and a model's bins are 4."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class CausalBox:
    """A cause in a picture.

    Attributes:
        camera: Camera id.
        box_px: left, top, width, height in px of its picture.
    """

    camera: str
    box_px: Box


def causal_box(
    renderer: Renderer, cameras: Sequence[PinholeCamera], snapshot: Snapshot, actor_id: str
) -> CausalBox | None:
    """Return the box of an actor or signal in the camera that shows most of it; None where none shows enough.

    Most is the largest visible area in px; of equals it is the first camera.

    Args:
        renderer: Of the episode.
        cameras: In the order of the profile.
        snapshot: The moment.
        actor_id: Of the actor or signal; empty for a rule, which has no box.
    """
    if not actor_id:
        return None
    best: CausalBox | None = None
    best_area = 0.0
    for camera in cameras:
        for found in renderer.visible_boxes(camera, snapshot):
            if found.id != actor_id or found.visible_share < MIN_SHARE:
                continue
            left, top, width, height = found.box_px
            area = width * height * found.visible_share
            if min(width, height) >= MIN_SIDE_PX and area > best_area:
                best, best_area = CausalBox(camera.id, (left, top, width, height)), area
    return best


def boxed_actor(renderer: Renderer, camera: PinholeCamera, snapshot: Snapshot, box_px: Box) -> str:
    """Return the id of the actor or signal that a box in a picture means, empty if it means none.

    That is the one whose own box has the largest intersection over union with it, MIN_OVERLAP or more.

    Args:
        renderer: Of the episode.
        camera: That the picture is of.
        snapshot: The moment.
        box_px: left, top, width, height in px of the camera's picture.
    """
    best, best_overlap = "", MIN_OVERLAP
    for found in renderer.visible_boxes(camera, snapshot):
        overlap = _overlap(found.box_px, box_px)
        if found.visible_share >= MIN_SHARE and overlap > best_overlap:
            best, best_overlap = found.id, overlap
    return best


def _overlap(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if across <= 0.0 or down <= 0.0:
        return 0.0
    return across * down / (one[2] * one[3] + other[2] * other[3] - across * down)
