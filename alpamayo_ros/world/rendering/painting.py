"""Paint faces and balls on a picture, hidden ones first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.rendering.faces import Faces
from alpamayo_ros.world.rendering.light import Light
from alpamayo_ros.world.rendering.mesh import Colour
from alpamayo_ros.world.rendering.occlusion import painting_order
from alpamayo_ros.world.rendering.view import GUARD, NEAR_M, SUBPIXEL_BITS, View, clip, fixed_point

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Polygon = NDArray[np.int32]
Beam = Callable[[Floats], Floats]

VISIBLE_M = 260.0
SMALLEST_PX = 1.2
"""Objects that are lower than this in a picture are left out."""
SMALLEST_FACE_PX = 0.7
"""Faces that are smaller than this both ways in the oversampled picture are left out."""
NEAR_PX = 48.0
"""Height in a picture from which an object is drawn in full detail."""
MIDDLE_PX = 15.0
FAR_PX = 6.5
"""Heights from which an object is drawn in the two levels of less detail; below there is the least."""
BALL_CORNERS = 9
_ANGLES = np.arange(BALL_CORNERS) * (2.0 * np.pi / BALL_CORNERS)
_COSINES, _SINES = np.cos(_ANGLES), np.sin(_ANGLES)
_BALL_LATER = 1e6
"""Added to the key of balls, which are painted after the faces of objects that keep their order."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything that a camera may see.

    Attributes:
        polygons: Corners in fixed-point px.
        colours: Blue, green, red of each polygon.
        owners: Index of each polygon's object among ``objects``.
        keys: Order of the polygons of one object.
        groups: Indices of the objects' groups.
        objects: Indices of the objects in their groups.
        footprints: Of the objects, shape (N, 4, 2).
        spans: First and last column of the objects, shape (N, 2).
    """

    polygons: list[Polygon]
    colours: list[Colour]
    owners: Whole
    keys: Floats
    groups: Whole
    objects: Whole
    footprints: Floats
    spans: Floats


def look(groups: Sequence[Faces], view: View, light: Light, scale: int, beam: Beam | None = None) -> Sight:
    """Project what a camera may see of some groups of objects.

    Args:
        groups: The objects.
        view: The camera; its picture is ``scale`` times as large as the one that is wanted.
        light: What the air leaves of colours.
        scale: See ``view``.
        beam: Light of the headlights at places in the world, where they are lit.
    """
    parts = [_chosen(faces, view, scale) for faces in groups]
    first = np.cumsum([0, *(len(part.objects) for part in parts[:-1])])
    owners = np.concatenate([part.face_owners + begin for part, begin in zip(parts, first, strict=True)])
    ball_owners = np.concatenate([part.ball_owners + begin for part, begin in zip(parts, first, strict=True)])
    sorts = np.concatenate([faces.sort_faces[part.objects] for faces, part in zip(groups, parts, strict=True)])
    found = _look_at_faces(groups, [part.faces for part in parts], view, light, beam)
    owners = owners[found.chosen]
    keys = np.where(sorts[owners], found.keys, found.chosen.astype(np.float64))
    polygons, colours, left, right = found.polygons, found.colours, found.left, found.right
    if len(ball_owners):
        found = _look_at_balls(groups, [part.balls for part in parts], view, light, beam)
        ball_owners = ball_owners[found.chosen]
        polygons, colours = polygons + found.polygons, colours + found.colours
        owners = np.concatenate([owners, ball_owners])
        keys = np.concatenate([keys, found.keys + np.where(sorts[ball_owners], 0.0, _BALL_LATER)])
        left, right = np.concatenate([left, found.left]), np.concatenate([right, found.right])
    kept, owners = np.unique(owners, return_inverse=True)
    spans = np.stack([np.full(len(kept), np.inf), np.full(len(kept), -np.inf)], axis=1)
    np.minimum.at(spans[:, 0], owners, left)
    np.maximum.at(spans[:, 1], owners, right)
    footprints = [faces.footprints[part.objects] for faces, part in zip(groups, parts, strict=True)]
    return Sight(
        polygons,
        colours,
        owners,
        keys,
        np.repeat(np.arange(len(parts)), [len(part.objects) for part in parts])[kept],
        np.concatenate([part.objects for part in parts])[kept],
        np.concatenate(footprints)[kept],
        spans,
    )


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Objects of one group that may be seen; their faces and balls in the right detail, and whose these are."""

    objects: Whole
    faces: Whole
    face_owners: Whole
    balls: Whole
    ball_owners: Whole


def _chosen(faces: Faces, view: View, scale: int) -> _Chosen:
    objects, detail = _objects_in_view(faces, view, scale)
    return _Chosen(
        objects, *_gathered(faces.face_ranges[objects, detail]), *_gathered(faces.ball_ranges[objects, detail])
    )


@dataclass(frozen=True, slots=True)
class Strokes:
    """Polygons to paint one over the other.

    Attributes:
        polygons: Corners in fixed-point px.
        colours: Blue, green, red of each.
        groups: Index of the group of each.
        things: Index of the object of each in its group.
    """

    polygons: list[Polygon]
    colours: list[Colour]
    groups: list[int]
    things: list[int]


def paint(picture: NDArray[np.uint8], strokes: Strokes) -> None:
    """Paint one polygon over the other."""
    for polygon, colour in zip(strokes.polygons, strokes.colours, strict=True):
        cv2.fillConvexPoly(picture, polygon, colour, cv2.LINE_8, SUBPIXEL_BITS)


def in_painting_order(view: View, sight: Sight) -> Strokes:
    """Return all that is seen, hidden things first."""
    order = painting_order(sight.footprints, view.eye[:2], sight.spans)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    sequence = np.lexsort((sight.keys, rank[sight.owners]))
    owners, places = sight.owners[sequence], sequence.tolist()
    return Strokes(
        [sight.polygons[index] for index in places],
        [sight.colours[index] for index in places],
        sight.groups[owners].tolist(),
        sight.objects[owners].tolist(),
    )


def _objects_in_view(faces: Faces, view: View, scale: int) -> tuple[Whole, Whole]:
    """Return objects whose balls reach into the viewing pyramid, and their level of detail."""
    right, down, ahead = view.turned(*faces.centres)
    radii = faces.radii
    distance = np.sqrt(right * right + down * down + ahead * ahead)
    inside = (ahead > NEAR_M - radii) & (distance - radii < VISIBLE_M)
    for across, size in ((right, view.width), (down, view.height)):
        slope = size / 2.0 / view.focal
        inside &= np.abs(across) - slope * ahead < radii * np.sqrt(1.0 + slope * slope)
    nearest = np.maximum(ahead - radii, NEAR_M)
    height = faces.heights * (view.focal / scale) / nearest
    inside &= height > SMALLEST_PX
    found = np.flatnonzero(inside)
    height = height[found]
    return found, (height < NEAR_PX).astype(np.int64) + (height < MIDDLE_PX) + (height < FAR_PX)


def _gathered(ranges: Whole) -> tuple[Whole, Whole]:
    """Return the indices of all ranges, shape (N, 2), one after the other, and the range of each."""
    counts = ranges[:, 1] - ranges[:, 0]
    owners = np.repeat(np.arange(len(ranges)), counts)
    begin = np.cumsum(counts) - counts
    return np.arange(len(owners)) + (ranges[:, 0] - begin)[owners], owners


@dataclass(frozen=True, slots=True)
class _Projected:
    """Polygons and colours, which of the chosen faces or balls they are, minus distance, first and last column."""

    polygons: list[Polygon]
    colours: list[Colour]
    chosen: Whole
    keys: Floats
    left: Floats
    right: Floats


def _look_at_faces(
    groups: Sequence[Faces], chosen: Sequence[Whole], view: View, light: Light, beam: Beam | None
) -> _Projected:
    """Project the faces that are turned to the camera and inside of the picture."""
    corners = np.concatenate([faces.corners[:, :, one] for faces, one in zip(groups, chosen, strict=True)], axis=2)
    right, down, ahead = view.turned(corners[0], corners[1], corners[2])
    nearest, farthest = _least(ahead), _greatest(ahead)
    scale = view.focal / np.maximum(ahead, NEAR_M)
    columns, rows = right * scale + view.centre[0], down * scale + view.centre[1]
    area = (columns[2] - columns[0]) * (rows[3] - rows[1]) - (rows[2] - rows[0]) * (columns[3] - columns[1])
    limit = GUARD * view.width
    left, last, top, bottom = _least(columns), _greatest(columns), _least(rows), _greatest(rows)
    whole = (nearest > NEAR_M) & (left > -limit) & (last < limit) & (top > -limit) & (bottom < limit)
    shown = whole & (area < 0.0) & (last > -1.0) & (left < view.width) & (bottom > -1.0) & (top < view.height)
    shown &= (last - left > SMALLEST_FACE_PX) | (bottom - top > SMALLEST_FACE_PX)
    cut = np.flatnonzero(~whole & (farthest > NEAR_M))
    clipped: dict[int, Polygon] = {}
    if len(cut):
        across = _rows([faces.normals for faces in groups], chosen)[:, cut]
        towards = ((view.eye[:, None] - corners[:, 0, cut]) * across).sum(axis=0) > 0.0
        for index in cut[towards].tolist():
            quad = zip(right[:, index].tolist(), down[:, index].tolist(), ahead[:, index].tolist(), strict=True)
            kept = clip(list(quad), view.slopes)
            if len(kept) >= 3:
                points = np.array(kept)
                pixels = view.columns_rows(points[:, 0], points[:, 1], points[:, 2])
                (left[index], top_px), (last[index], bottom_px) = pixels.min(axis=0), pixels.max(axis=0)
                if last[index] > -1.0 and left[index] < view.width and bottom_px > -1.0 and top_px < view.height:
                    clipped[index] = fixed_point(pixels)
                    shown[index] = True
    seen = np.flatnonzero(shown)
    picked = _picked(chosen, seen)
    middles = _rows([faces.middles for faces in groups], picked)
    to_x, to_y, to_z = view.turned(middles[0], middles[1], middles[2])
    distance = np.sqrt(to_x * to_x + to_y * to_y + to_z * to_z)
    lit = _rows([faces.colours for faces in groups], picked)
    shining = np.concatenate([faces.shining[one] for faces, one in zip(groups, picked, strict=True)])
    if beam is not None:
        lit += _rows([faces.albedo for faces in groups], picked) * np.where(shining, 0.0, beam(middles))
    pixels = np.stack([columns[:, seen].T, rows[:, seen].T], axis=-1)
    polygons = list(fixed_point(np.clip(pixels, -limit, limit)))
    if clipped:
        polygons = [clipped.get(index, polygon) for index, polygon in zip(seen.tolist(), polygons, strict=True)]
    air = np.where(shining, light.shines_through(distance), light.seen_through(distance))
    return _Projected(polygons, _in_air(lit, air, light), seen, -distance, left[seen], last[seen])


def _rows(values: Sequence[Floats], chosen: Sequence[Whole]) -> Floats:
    """Return the chosen columns of several arrays beside each other."""
    return np.concatenate([one[:, which] for one, which in zip(values, chosen, strict=True)], axis=1)


def _picked(chosen: Sequence[Whole], seen: Whole) -> list[Whole]:
    """Return of each group's chosen those that are seen; ``seen`` counts through all of them."""
    bounds = np.cumsum([0, *(len(one) for one in chosen)])
    split = np.searchsorted(seen, bounds)
    return [one[seen[split[index] : split[index + 1]] - bounds[index]] for index, one in enumerate(chosen)]


def _least(values: Floats) -> Floats:
    found: Floats = np.minimum(np.minimum(values[0], values[1]), np.minimum(values[2], values[3]))
    return found


def _greatest(values: Floats) -> Floats:
    found: Floats = np.maximum(np.maximum(values[0], values[1]), np.maximum(values[2], values[3]))
    return found


def _look_at_balls(
    groups: Sequence[Faces], chosen: Sequence[Whole], view: View, light: Light, beam: Beam | None
) -> _Projected:
    """Project the outlines of balls that are inside of the picture."""
    balls = _rows([faces.balls for faces in groups], chosen)
    right, down, ahead = view.turned(balls[0], balls[1], balls[2])
    radius = balls[3]
    slope = view.width / 2.0 / view.focal
    seen = np.flatnonzero((ahead > radius + 2.0 * NEAR_M) & (np.abs(right) - slope * ahead < 2.5 * radius))
    right, down, ahead, radius = right[seen], down[seen], ahead[seen], radius[seen]
    distance = np.sqrt(right * right + down * down + ahead * ahead)
    flat = np.sqrt(right * right + ahead * ahead)
    across, along = radius / flat, radius / (flat * distance)
    c, s = _COSINES[:, None], _SINES[:, None]
    x = right + c * (ahead * across) - s * (down * right * along)
    y = down + s * (flat * flat * along)
    z = np.maximum(ahead - c * (right * across) - s * (down * ahead * along), NEAR_M)
    scale = view.focal / z
    limit = GUARD * view.width
    columns = np.clip(x * scale + view.centre[0], -limit, limit)
    rows = np.clip(y * scale + view.centre[1], -limit, limit)
    picked = _picked(chosen, seen)
    lit = _rows([faces.ball_colours for faces in groups], picked)
    if beam is not None:
        lit += _rows([faces.ball_albedo for faces in groups], picked) * beam(balls[:, seen])
    polygons = list(fixed_point(np.stack([columns.T, rows.T], axis=-1)))
    colours = _in_air(lit, light.seen_through(distance), light)
    return _Projected(polygons, colours, seen, -distance, columns.min(axis=0), columns.max(axis=0))


def _in_air(colours: Floats, air: Floats, light: Light) -> list[Colour]:
    blended = np.clip(colours * air + light.haze[:, None] * (1.0 - air), 0.0, 255.0)
    return list(zip(*blended.tolist(), strict=True))
