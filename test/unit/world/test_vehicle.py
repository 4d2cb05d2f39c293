"""The ego vehicle's body stands around its rear axle."""

import math

import numpy as np
import pytest

from alpamayo_ros.world import vehicle
from alpamayo_ros.world.ego import ego_state

STATE = ego_state(10.0, 20.0, math.pi / 2, 0.0, 0.0, 0.0)


def test_the_corners_are_in_order_and_a_car_apart() -> None:
    corners = vehicle.footprint(STATE)
    assert corners.shape == (4, 2)
    assert corners.mean(axis=0) == pytest.approx((10.0, 20.0 + vehicle.REAR_AXLE_TO_CENTRE_M))
    assert corners[0] == pytest.approx((10.0 - vehicle.WIDTH_M / 2, 20.0 + vehicle.REAR_AXLE_TO_FRONT_M))
    assert np.hypot(*(corners[0] - corners[3])) == pytest.approx(vehicle.LENGTH_M)
    assert np.hypot(*(corners[0] - corners[1])) == pytest.approx(vehicle.WIDTH_M)


def test_the_front_is_half_a_car_before_the_centre() -> None:
    assert vehicle.front(STATE)[1] - vehicle.centre(STATE)[1] == pytest.approx(vehicle.LENGTH_M / 2)
