"""The ground plane near a vehicle."""

import math

import numpy as np
import pytest

from alpamayo_ros.importers.ground import fit_ground


def road(height_m=-0.3, forward=0.0, left=0.0, noise_m=0.015, count=20_000, seed=1):
    rng = np.random.default_rng(seed)
    points = np.column_stack([rng.uniform(-16, 16, count), rng.uniform(-6, 6, count), np.zeros(count)])
    points[:, 2] = height_m + forward * points[:, 0] + left * points[:, 1] + rng.normal(0, noise_m, count)
    return points


@pytest.mark.parametrize(
    ("height_m", "forward", "left"), [(-0.3, 0, 0), (-0.5, 0.02, -0.03), (0.0, 0, 0), (-2, -0.05, 0)]
)
def test_height_and_slopes_of_a_plane_are_found(height_m, forward, left):
    plane = fit_ground(road(height_m, forward, left))
    assert plane.height_m == pytest.approx(height_m, abs=0.03)
    assert (plane.slope_forward, plane.slope_left) == pytest.approx((forward, left), abs=0.01)


def test_a_following_car_and_the_vehicle_itself_do_not_lift_the_plane():
    rng = np.random.default_rng(2)
    points = road()
    hidden = (points[:, 0] > -10) & (points[:, 0] < -4) & (abs(points[:, 1]) < 1)
    car = np.column_stack([rng.uniform(-10, -4, 8000), rng.uniform(-1, 1, 8000), rng.uniform(0, 1.2, 8000)])
    own = np.column_stack([rng.uniform(-3, 3, 8000), rng.uniform(-1, 1, 8000), rng.uniform(1.3, 1.5, 8000)])
    plane = fit_ground(np.concatenate([points[~hidden], car, own]))
    assert plane.height_m == pytest.approx(-0.3, abs=0.03)
    assert plane.cells < plane.seen


def test_a_lower_lane_beside_does_not_pull_the_plane_down():
    points = road()
    points[abs(points[:, 1]) > 2.6, 2] -= 0.4
    assert fit_ground(points).height_m == pytest.approx(-0.3, abs=0.03)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((0, 3)),
        np.tile([[5.0, 0.0, -0.3]], (100, 1)),
        road(count=20),
        road(forward=0.4),
        np.random.default_rng(3).uniform((-16, -3, -1.0), (16, 3, 5.0), (300, 3)),
    ],
    ids=["nothing", "one place", "too few", "a ramp", "no plane"],
)
def test_without_a_ground_there_is_no_height(points):
    assert fit_ground(points) is None


def test_the_order_of_the_points_does_not_matter():
    points = road()
    shuffled = points[np.random.default_rng(9).permutation(len(points))]
    assert math.isclose(fit_ground(points).height_m, fit_ground(shuffled).height_m, abs_tol=1e-9)
