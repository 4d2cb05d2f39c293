"""Where actors and signals appear in a picture, and how much of them can be seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.rendering.faces import Faces
from alpamayo_ros.world.rendering.painting import Strokes
from alpamayo_ros.world.rendering.view import NEAR_M, SUBPIXEL_BITS, View

Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class VisibleBox:
    """An actor or signal in a picture.

    Attributes:
        id: Of the actor or signal.
        kind: Of the actor, or ``signal``.
        box_px: Left, top, width, height in px of what lies inside of the picture, hidden parts included; whole
            numbers are the edges of pixels, the picture spans 0 to its width and height.
        visible_share: Share of its outline that is neither hidden nor outside of the picture, 0 to 1; what would lie
            more than half a picture outside does not count, for beside the camera outlines grow without end.
        distance_m: From the camera to its middle.
    """

    id: str
    kind: str
    box_px: tuple[float, float, float, float]
    visible_share: float
    distance_m: float


def boxes_of(
    names: Sequence[tuple[str, str]], view: View, strokes: Strokes, group: int, faces: Faces, scale: int
) -> tuple[VisibleBox, ...]:
    """Return the boxes of the first objects of some faces that can be seen at all.

    Args:
        names: Id and kind of the objects that count, in the order of the faces.
        view: The camera; its picture is ``scale`` times as large as the one that is meant.
        strokes: Everything that is painted.
        group: The group of ``faces`` among the strokes.
        faces: Whose objects count.
        scale: See ``view``.
    """
    owners = np.zeros((view.height, view.width), dtype=np.uint16)
    alone: dict[int, list[NDArray[np.int32]]] = {}
    for polygon, own, thing in zip(strokes.polygons, strokes.groups, strokes.things, strict=True):
        mine = own == group and thing < len(names)
        cv2.fillConvexPoly(owners, polygon, (float(thing + 1) if mine else 0.0,), cv2.LINE_8, SUBPIXEL_BITS)
        if mine:
            alone.setdefault(thing, []).append(polygon)
    seen = np.bincount(owners.ravel(), minlength=len(names) + 1)
    found: list[VisibleBox] = []
    for thing in sorted(alone):
        if seen[thing + 1] == 0:
            continue
        box = _box(alone[thing], view)
        if box is None:
            continue
        share = min(1.0, float(seen[thing + 1]) / max(_area(alone[thing], view), 1)) * _inside(faces, thing, view)
        centre = faces.centres[:, thing] - view.eye
        name, kind = names[thing]
        left, top, right, bottom = box
        place = (left / scale, top / scale, (right - left) / scale, (bottom - top) / scale)
        found.append(VisibleBox(name, kind, place, share, float(np.sqrt((centre * centre).sum()))))
    return tuple(found)


def _area(polygons: Sequence[NDArray[np.int32]], view: View) -> int:
    """Return how many px the polygons would cover inside the picture if nothing hid them."""
    one = 1 << SUBPIXEL_BITS
    corners = np.concatenate(polygons)
    low = np.clip(corners.min(axis=0) // one - 1, 0, (view.width, view.height))
    high = np.clip(corners.max(axis=0) // one + 2, 0, (view.width, view.height))
    width, height = (high - low).tolist()
    if width <= 0 or height <= 0:
        return 0
    mask = np.zeros((height, width), dtype=np.uint8)
    for polygon in polygons:
        cv2.fillConvexPoly(mask, polygon - low.astype(np.int32) * one, (1.0,), cv2.LINE_8, SUBPIXEL_BITS)
    return cv2.countNonZero(mask)


def _frame(view: View, more: float = 0.0) -> Singles:
    """Return the picture's corners, moved outward by a share of its width and height."""
    corners = np.array([(-more, -more), (1.0 + more, -more), (1.0 + more, 1.0 + more), (-more, 1.0 + more)])
    return np.asarray(corners * (view.width, view.height), dtype=np.float32)


def _box(polygons: Sequence[NDArray[np.int32]], view: View) -> tuple[float, float, float, float] | None:
    """Return left, top, right, bottom of what lies inside of the picture."""
    pixels = np.concatenate(polygons).astype(np.float32) / (1 << SUBPIXEL_BITS) + np.float32(0.5)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    if (low < 0.0).any() or (high > (view.width, view.height)).any():
        area, part = cv2.intersectConvexConvex(cv2.convexHull(pixels).reshape(-1, 2), _frame(view))
        if area <= 0.0 or part is None:
            return None
        low, high = part.reshape(-1, 2).min(axis=0), part.reshape(-1, 2).max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _inside(faces: Faces, thing: int, view: View) -> float:
    """Return the share of an object's outline that lies inside of the picture."""
    begin, end = faces.face_ranges[thing, 0].tolist()
    corners = faces.corners[:, :, begin:end].reshape(3, -1)
    right, down, ahead = view.turned(corners[0], corners[1], corners[2])
    # What lies beside or behind the camera is far outside of the picture on its side.
    pixels = view.columns_rows(right, down, np.maximum(ahead, 2.0 * NEAR_M)) + 0.5
    if (pixels >= 0.0).all() and (pixels <= (view.width, view.height)).all():
        return 1.0
    limit = 8.0 * view.width
    hull = cv2.convexHull(np.clip(pixels, -limit, limit).astype(np.float32)).reshape(-1, 2)
    around, _ = cv2.intersectConvexConvex(hull, _frame(view, 0.5))
    inside, _ = cv2.intersectConvexConvex(hull, _frame(view))
    return min(1.0, float(inside) / float(around)) if around > 0.0 else 1.0
