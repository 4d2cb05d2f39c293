"""Learned stages take positions and the cosine and sine of the yaw."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from alpamayo_ros.inference.history_tensor import history_tensor
from alpamayo_ros.structs.observation import Observation


def test_a_straight_history_has_no_yaw(straight_observation: Callable[..., Observation]) -> None:
    tensor = history_tensor(straight_observation(8.0).history)
    assert (tensor.dtype, tensor.shape) == (np.float32, (1, 16, 4))
    assert tensor[0, 0].tolist() == pytest.approx([-12.0, 0.0, 1.0, 0.0])
    assert tensor[0, 15].tolist() == [0.0, 0.0, 1.0, 0.0]


def test_yaw_is_that_of_a_tilted_rig_too(straight_observation: Callable[..., Observation]) -> None:
    history = straight_observation().history
    yaw, pitch = 0.7, 0.3
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    tilt = np.array([[np.cos(pitch), 0, np.sin(pitch)], [0, 1, 0], [-np.sin(pitch), 0, np.cos(pitch)]])
    tensor = history_tensor(replace(history, rotation=np.stack([turn @ tilt] * 16)))
    assert tensor[0, 3, 2:].tolist() == pytest.approx([np.cos(yaw), np.sin(yaw)])


def test_what_float32_cannot_hold_is_infinite(straight_observation: Callable[..., Observation]) -> None:
    assert np.isinf(history_tensor(straight_observation(1e60).history)).any()
