"""Positions on the ellipsoid, against the forward formula and other arithmetic."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from alpamayo_ros.geometry.geodesy import GeodeticPosition, enu_from_ecef, geodetic_from_ecef


def ecef(latitude_deg, longitude_deg, height_m):
    """Forward formula of a point on an ellipsoid, by its semi-axes."""
    a, b = 6_378_137.0, 6_356_752.314245179
    latitude, longitude = math.radians(latitude_deg), math.radians(longitude_deg)
    normal = a**2 / math.hypot(a * math.cos(latitude), b * math.sin(latitude))
    across = (normal + height_m) * math.cos(latitude)
    up = (b**2 / a**2 * normal + height_m) * math.sin(latitude)
    return np.array([across * math.cos(longitude), across * math.sin(longitude), up])


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-6000, 11000))
def test_the_geodetic_form_inverts_the_forward_formula(latitude_deg, longitude_deg, height_m):
    position_m = ecef(latitude_deg, longitude_deg, height_m)
    found = geodetic_from_ecef(position_m)
    assert found.height_m == pytest.approx(height_m, abs=1e-8)
    assert ecef(found.latitude_deg, found.longitude_deg, found.height_m) == pytest.approx(position_m, abs=1e-8)
    assert found.latitude_deg == pytest.approx(latitude_deg, abs=1e-12)


@pytest.mark.parametrize(
    ("position_m", "latitude_deg", "longitude_deg"),
    [
        ((6_378_137.0, 0.0, 0.0), 0.0, 0.0),
        ((0.0, 6_378_137.0, 0.0), 0.0, 90.0),
        ((0.0, 0.0, 6_356_752.314245), 90.0, 0.0),
        ((0.0, 0.0, -6_356_752.314245), -90.0, 0.0),
    ],
)
def test_axes_meet_the_ellipsoid_where_they_should(position_m, latitude_deg, longitude_deg):
    found = geodetic_from_ecef(np.array(position_m))
    assert (found.latitude_deg, found.longitude_deg) == pytest.approx((latitude_deg, longitude_deg))
    assert found.height_m == pytest.approx(0.0, abs=1e-6)


@given(st.floats(-89, 89), st.floats(-180, 180))
def test_east_north_and_up_are_small_steps_of_longitude_latitude_and_height(latitude_deg, longitude_deg):
    matrix = enu_from_ecef(GeodeticPosition(latitude_deg, longitude_deg, 0.0))
    here = (latitude_deg, longitude_deg, 0.0)
    for axis, step in enumerate([(0.0, 1e-4, 0.0), (1e-4, 0.0, 0.0), (0.0, 0.0, 10.0)]):
        moved = ecef(*np.add(here, step)) - ecef(*here)
        expected = np.zeros(3)
        expected[axis] = 1.0
        assert matrix @ moved / np.linalg.norm(moved) == pytest.approx(expected, abs=1e-4)


def test_the_axes_are_those_of_two_turns():
    matrix = enu_from_ecef(GeodeticPosition(37.7, -122.4, 12.0))
    turned = Rotation.from_euler("ZX", [90.0 - 122.4, 90.0 - 37.7], degrees=True).as_matrix()
    assert matrix == pytest.approx(turned.T, abs=1e-12)
