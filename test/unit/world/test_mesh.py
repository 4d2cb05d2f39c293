"""Faces are flat, convex and look outwards."""

import math

import numpy as np
import pytest

from alpamayo_ros.world.mesh import AMBIENT, DIFFUSE, SUN, Mesh, MeshBuilder
from alpamayo_ros.world.shapes import (
    SHAPES,
    HouseStyle,
    hedge,
    house,
    lamp_post,
    round_sign,
    traffic_light,
    tree,
    vehicle,
)

SQUARE = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
STYLE = HouseStyle((200.0, 200.0, 200.0), (60.0, 60.0, 120.0), 3, gabled=True, shop=True)
CORNERS = ((0.0, 10.0, 0.0), (12.0, 10.0, 0.0), (12.0, 19.0, 0.0), (0.0, 19.0, 0.0))


def _box() -> Mesh:
    builder = MeshBuilder(SQUARE)
    builder.box((-1.0, -1.0, 0.0), (1.0, 1.0, 2.0), (100.0, 100.0, 100.0))
    return builder.build()


def _meshes() -> dict[str, Mesh]:
    rng = np.random.default_rng(3)
    return {
        **{name: vehicle(shape, (90.0, 90.0, 200.0)) for name, shape in SHAPES.items()},
        "house": house(*CORNERS, STYLE),
        "flat house": house(*CORNERS, HouseStyle((1.0, 2.0, 3.0), (4.0, 5.0, 6.0), 2, gabled=False, shop=False)),
        "hedge": hedge(*CORNERS),
        "lamp": lamp_post(-1.8),
        "light": traffic_light("red"),
        "sign": round_sign(),
        "tree": tree(rng),
    }


def test_the_faces_of_a_box_look_away_from_its_middle() -> None:
    mesh = _box()
    start = 0
    for size, normal in zip(mesh.sizes.tolist(), mesh.normals, strict=True):
        centre = mesh.vertices[start : start + size].mean(axis=0)
        assert normal @ (centre - np.array([0.0, 0.0, 1.0])) > 0.0
        start += size


def test_moving_and_turning_keeps_sizes_and_colours() -> None:
    mesh = _box()
    placed = mesh.placed(5.0, -3.0, 0.7)
    assert placed.vertices.mean(axis=0) == pytest.approx(mesh.vertices.mean(axis=0) + np.array([5.0, -3.0, 0.0]))
    assert np.linalg.norm(placed.normals, axis=1) == pytest.approx(1.0)
    assert placed.footprint[1] - placed.footprint[0] == pytest.approx(2.0 * np.array([math.cos(0.7), math.sin(0.7)]))
    assert placed.colours is mesh.colours


def test_light_falls_from_the_sun() -> None:
    mesh = _box()
    light = mesh.shaded_colours()[:, 0] / 100.0
    expected = AMBIENT + DIFFUSE * np.clip(mesh.normals @ SUN, 0.0, None)
    assert light == pytest.approx(expected)
    assert light.max() > light.min()


def test_a_face_without_area_is_refused() -> None:
    builder = MeshBuilder(SQUARE)
    builder.face([(0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (2.0, 2.0, 2.0)], (0.0, 0.0, 0.0))
    with pytest.raises(ValueError, match="has no area"):
        builder.build()


@pytest.mark.parametrize("name", sorted(_meshes()))
def test_every_shape_is_flat_convex_and_stands_on_a_convex_footprint(name: str) -> None:
    mesh = _meshes()[name]
    start = 0
    for size, normal in zip(mesh.sizes.tolist(), mesh.normals, strict=True):
        corners = mesh.vertices[start : start + size]
        following = np.roll(corners, -1, axis=0)
        turns = np.cross(following - corners, np.roll(corners, -2, axis=0) - following) @ normal
        assert turns.min() > -1e-9
        flatness = np.abs((corners - corners.mean(axis=0)) @ normal).max()
        # Leaves are quads of a ragged ball; everything else is exactly flat.
        assert flatness < (0.35 if name == "tree" else 1e-6)
        start += size
    assert mesh.vertices[:, 2].min() >= 0.0
    edges = np.roll(mesh.footprint, -1, axis=0) - mesh.footprint
    following = np.roll(edges, -1, axis=0)
    assert (edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0] > 0.0).all()


@pytest.mark.parametrize("name", ["sedan", "hatchback", "van"])
def test_a_vehicle_has_the_size_that_its_marker_states(name: str) -> None:
    shape = SHAPES[name]
    mesh = vehicle(shape, (90.0, 90.0, 200.0))
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert high - low == pytest.approx(np.array([shape.length, shape.width, shape.height]), abs=0.03)
    assert (high[0] + low[0]) / 2.0 == pytest.approx(shape.centre_x, abs=0.01)
    assert shape.length_rear + shape.length_front == pytest.approx(shape.length)
