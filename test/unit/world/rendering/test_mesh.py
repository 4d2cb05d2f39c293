"""Faces have four corners, outward sides and the roles that were asked for."""

import numpy as np
import pytest

from alpamayo_ros.world.rendering.mesh import BRAKE, PLAIN, MeshBuilder, rectangle
from alpamayo_ros.world.rendering.model import DETAILS, model

GREY = (100.0, 100.0, 100.0)


def test_a_box_has_five_faces_that_look_outward() -> None:
    builder = MeshBuilder(rectangle(2.0, 4.0))
    builder.box((-1.0, -2.0, 0.0), (1.0, 2.0, 3.0), GREY)
    built = model(builder.build())
    assert built.corners.shape == (3, 4, 5)
    outward = built.middles - np.array([[0.0], [0.0], [1.5]])
    assert ((outward * built.normals).sum(axis=0) > 0.9).all()
    assert np.linalg.norm(built.normals, axis=0) == pytest.approx(1.0)
    assert built.height == 3.0
    assert built.radius == pytest.approx(np.sqrt(4.0 + 16.0 + 9.0) / 2.0)


@pytest.mark.parametrize(("corners", "faces"), [(3, 1), (4, 1), (5, 2), (6, 2), (8, 3)])
def test_a_polygon_is_split_into_faces_of_four_corners_that_cover_it(corners: int, faces: int) -> None:
    angles = 2.0 * np.pi * np.arange(corners) / corners
    builder = MeshBuilder(rectangle(1.0, 1.0))
    builder.face([(float(np.cos(a)), float(np.sin(a)), 0.0) for a in angles], GREY, BRAKE)
    mesh = builder.build()
    assert mesh.roles.tolist() == [BRAKE] * faces
    one, other = mesh.corners[:, 2] - mesh.corners[:, 0], mesh.corners[:, 3] - mesh.corners[:, 1]
    area = 0.5 * (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]).sum()
    assert area == pytest.approx(0.5 * corners * np.sin(2.0 * np.pi / corners))


def test_a_disc_is_seen_from_its_side_only() -> None:
    for side in (-1.0, 1.0):
        builder = MeshBuilder(rectangle(1.0, 1.0))
        builder.disc((0.0, 0.5 * side, 0.3), 0.3, GREY, side)
        assert model(builder.build()).normals[1] == pytest.approx(side)


def test_a_bar_between_two_points_is_closed_around() -> None:
    builder = MeshBuilder(rectangle(1.0, 1.0))
    builder.bar((0.0, 0.0, 0.0), (0.4, 0.0, 1.0), 0.1, 0.1, GREY)
    built = model(builder.build())
    assert built.roles.tolist() == [PLAIN] * 4
    assert np.abs(built.normals.sum(axis=1)).max() < 1e-9


def test_levels_that_are_not_given_are_the_last_one() -> None:
    near, far = MeshBuilder(rectangle(1.0, 1.0)), MeshBuilder(rectangle(1.0, 1.0))
    near.box((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), GREY)
    near.ball((0.0, 0.0, 2.0), 0.5, GREY)
    far.face([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)], GREY)
    built = model(near.build(), far.build())
    assert built.face_ranges.tolist() == [[0, 5]] + [[5, 6]] * (DETAILS - 1)
    assert built.ball_ranges.tolist() == [[0, 1]] + [[1, 1]] * (DETAILS - 1)
    assert built.height == 2.5
