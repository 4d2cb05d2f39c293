"""Boxes in pictures."""

Box = tuple[float, float, float, float]
"""left, top, width, height in px."""


def overlap(one: Box, other: Box) -> float:
    """Return the area that two boxes share over the area that they cover together (IoU), 0 for boxes without area."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if not (width > 0.0 and height > 0.0):
        return 0.0
    shared = width * height
    together = one[2] * one[3] + other[2] * other[3] - shared
    # Areas of boxes that are next to nothing wide have no float.
    return shared / together if together > 0.0 else 0.0
