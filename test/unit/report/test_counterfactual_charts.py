"""Charts and pictures of two drives are drawn whatever is in them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from alpamayo_ros.report.canvas import DARK, LIGHT, Theme
from alpamayo_ros.report.counterfactual_charts import draw_from_above, draw_over_time, draw_picture
from alpamayo_ros.structs.counterfactual import (
    ActorTrack,
    CounterfactualData,
    CounterfactualDrive,
    DriveMoment,
    DrivePicture,
)
from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction


def _moment(t_s: float, x_m: float, y_m: float, action: LongitudinalAction) -> DriveMoment:
    return DriveMoment(t_s, x_m, y_m, 1.0, 5.0, action, LateralAction.STRAIGHT, LaneAction.KEEP, "red_light", "s")


def _data(count: int = 40, step_m: float = 0.5) -> CounterfactualData:
    drives = [
        CounterfactualDrive(
            label,
            tuple(_moment(0.1 * step, step_m * step, step_m * step * side, action) for step in range(count)),
            (),
        )
        for label, side, action in (
            ("as it is", 0.3, LongitudinalAction.STOPPED),
            ("changed", 0.35, LongitudinalAction.ACCELERATE),
        )
    ]
    track = ActorTrack("ped", "pedestrian", np.arange(9.0), np.column_stack([np.arange(9.0), np.full(9, 5.0)]))
    road = np.array([[-5.0, -5.0], [40.0, -5.0], [40.0, 9.0], [-5.0, 9.0]])
    return CounterfactualData("e", "c", "d", drives[0], drives[1], True, "h", (), (track,), (road,))


def _decoded(png: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(png, dtype=np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_both_charts_are_pictures_and_the_same_bytes_twice(theme: Theme) -> None:
    for draw in (draw_from_above, draw_over_time):
        assert draw(_data(), theme) == draw(_data(), theme)
        assert _decoded(draw(_data(), theme)).std() > 1.0


@pytest.mark.parametrize("count", [1, 2, 3000])
@pytest.mark.parametrize("step_m", [0.0, 30.0])
def test_short_long_and_standing_drives_are_drawn(count: int, step_m: float) -> None:
    for draw in (draw_from_above, draw_over_time):
        height, width = _decoded(draw(_data(count, step_m), LIGHT)).shape[:2]
        assert width < 1200
        assert height < 1200


def test_a_track_far_away_does_not_shrink_the_drive() -> None:
    data = _data()
    far = replace(data.tracks[0], xy_m=np.array([[1e5, 1e5], [1e5, 1.1e5]]))
    assert (
        _decoded(draw_from_above(replace(data, tracks=(far,)), LIGHT)).shape
        == _decoded(draw_from_above(replace(data, tracks=()), LIGHT)).shape
    )


def _picture(**changes: object) -> DrivePicture:
    picture = DrivePicture(1.0, "camera_front_wide_120fov", np.full((96, 160, 3), 128, dtype=np.uint8))
    return replace(picture, **changes)


def _drawn(picture: DrivePicture) -> np.ndarray:
    jpeg, width, height = draw_picture(picture)
    decoded = _decoded(jpeg)
    assert decoded.shape == (height, width, 3)
    return decoded.astype(int)


def test_box_and_strip_are_drawn_where_they_are() -> None:
    plain = _drawn(_picture())
    boxed = _drawn(_picture(box_px=(40.0, 30.0, 40.0, 40.0), box_label="pedestrian"))
    differing = np.abs(boxed - plain).max(axis=2) > 40
    rows, columns = np.nonzero(differing)
    assert columns.min() >= 4 * 40 - 8
    assert rows.max() <= 4 * 70 + 8
    strip = _drawn(_picture(strip_px=np.array([[[60.0, 95.0], [70.0, 50.0], [90.0, 50.0], [100.0, 95.0]]])))
    assert np.abs(strip - plain)[4 * 70, 4 * 80].max() > 20
    assert np.abs(strip - plain)[4 * 20, 4 * 80].max() < 8


@pytest.mark.parametrize(
    "box", [(0.0, 0.0, 160.0, 96.0), (-1e9, -1e9, 2e9, 2e9), (150.0, 90.0, 900.0, 900.0), (float("nan"), 0.0, 1.0, 1.0)]
)
def test_boxes_beyond_the_picture_are_drawn_as_far_as_they_go(box: tuple[float, float, float, float]) -> None:
    _drawn(_picture(box_px=box, box_label="\u202eweird\n" * 20))


def test_a_strip_with_wild_corners_is_left_out() -> None:
    wild = np.array(
        [[[np.nan, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]], [[1e9, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]]
    )
    assert np.abs(_drawn(_picture(strip_px=wild)) - _drawn(_picture())).max() == 0
