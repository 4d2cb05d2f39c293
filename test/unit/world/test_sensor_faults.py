"""What still arrives of sensors that fail for a while."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.world.sensor_faults import DARK_LIGHT, SensorFault, delivered_frame, dimmed, odometry_arrives

CAMERA = "camera_front_wide_120fov"


def shown(faults: list[SensorFault], t_s: float) -> float | None:
    frame = delivered_frame(faults, CAMERA, t_s, 0.1)
    return None if frame is None else frame.shown_s


def test_a_healthy_camera_shows_the_moment() -> None:
    frame = delivered_frame([], CAMERA, 1.3, 0.1)
    assert frame is not None
    assert (frame.shown_s, frame.light, frame.faults) == (1.3, 1.0, ())


def test_dropped_frames_do_not_arrive_from_start_until_before_end() -> None:
    faults = [SensorFault("dropped", CAMERA, 1.0, 2.0)]
    assert [shown(faults, t) is None for t in (0.9, 1.0, 1.9, 2.0)] == [False, True, True, False]


def test_faults_of_another_camera_do_nothing() -> None:
    assert shown([SensorFault("dropped", "camera_front_tele_30fov", 0.0, 9.0)], 1.0) == 1.0


def test_a_frozen_camera_shows_its_last_frame_before_the_fault() -> None:
    faults = [SensorFault("frozen", CAMERA, 1.0, 2.0)]
    assert [shown(faults, round(0.1 * k, 1)) for k in (9, 10, 15, 19, 20)] == [
        0.9,
        pytest.approx(0.9),
        pytest.approx(0.9),
        pytest.approx(0.9),
        2.0,
    ]


def test_a_fault_between_two_frames_freezes_the_older_one() -> None:
    assert shown([SensorFault("frozen", CAMERA, 1.04, 2.0)], 1.5) == pytest.approx(1.0)


def test_a_camera_that_is_frozen_from_the_start_shows_its_first_frame() -> None:
    faults = [SensorFault("frozen", CAMERA, 0.0, 3.0)]
    assert [shown(faults, t) for t in (0.0, 0.1, 2.0)] == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)
    assert shown([SensorFault("frozen", CAMERA, -1.0, 3.0)], 0.25) == pytest.approx(0.05)


def test_two_freezes_one_after_the_other_go_back_to_the_frame_before_both() -> None:
    faults = [SensorFault("frozen", CAMERA, 2.0, 3.0), SensorFault("frozen", CAMERA, 1.0, 2.0)]
    assert shown(faults, 2.5) == pytest.approx(0.9)


def test_a_dark_camera_keeps_its_moment_and_loses_its_light() -> None:
    frame = delivered_frame([SensorFault("dark", CAMERA, 1.0, 2.0)], CAMERA, 1.5, 0.1)
    assert frame is not None
    assert (frame.shown_s, frame.light, frame.faults) == (1.5, DARK_LIGHT, ("dark",))


def test_odometry_has_gaps_of_its_own() -> None:
    faults = [SensorFault("odometry_gap", "odometry", 1.0, 1.5), SensorFault("dropped", CAMERA, 0.0, 9.0)]
    assert [odometry_arrives(faults, t) for t in (0.99, 1.0, 1.49, 1.5)] == [True, False, False, True]


def test_a_dimmed_picture_keeps_its_shape_and_a_full_light_changes_nothing() -> None:
    picture = np.full((4, 6, 3), 200, dtype=np.uint8)
    assert dimmed(picture, 1.0) is picture
    assert dimmed(picture, DARK_LIGHT).max() == 4
    assert dimmed(picture, 0.5).dtype == np.uint8


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.floats(-2.0, 20.0), st.floats(0.01, 8.0)), max_size=4), st.integers(0, 200))
def test_a_delivered_frame_is_never_of_the_future_and_never_frozen_unless_it_is_the_first(spans, step: int) -> None:
    faults = [SensorFault("frozen", CAMERA, start, start + length) for start, length in spans]
    t_s = step * 0.1
    at_s = shown(faults, t_s)
    assert at_s is not None
    assert -1e-6 <= at_s <= t_s
    assert at_s < 0.1 - 1e-6 or not any(fault.holds(at_s) for fault in faults)
    assert math.isclose((t_s - at_s) / 0.1, round((t_s - at_s) / 0.1), abs_tol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("blurred", CAMERA, 0.0, 1.0), "sensor fault 'blurred' is not known; expected one of: dark, dropped"),
        (("frozen", "", 0.0, 1.0), "sensor '' of a fault is no name"),
        (("frozen", "odometry", 0.0, 1.0), "sensor fault 'frozen' of 'odometry' cannot be"),
        (("odometry_gap", CAMERA, 0.0, 1.0), "cannot be"),
        (("dark", CAMERA, 1.0, 1.0), "lasts from 1.0 to 1.0; expected: finite times"),
        (("dark", CAMERA, math.nan, 1.0), "lasts from nan"),
        (("dark", CAMERA, 0.0, math.inf), "to inf"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(arguments, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        SensorFault(*arguments)


@pytest.mark.parametrize("period_s", [0.0, -0.1, math.nan])
def test_a_camera_without_a_period_is_refused(period_s: float) -> None:
    with pytest.raises(ParameterError, match="frame period"):
        delivered_frame([], CAMERA, 0.0, period_s)
