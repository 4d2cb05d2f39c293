"""Two forms of detectors: what goes in, and what comes out as boxes."""

import numpy as np
import pytest

from alpamayo_ros.errors import TensorSpecError
from alpamayo_ros.inference.backend import TensorSpec
from alpamayo_ros.perception.detector_forms import FastestDetForm, YoloxForm, detector_form
from alpamayo_ros.perception.picture_file import PictureSize

FULL_HD = PictureSize(1920, 1080)


def red(size):
    picture = np.zeros((size.height, size.width, 3), np.uint8)
    picture[..., 0] = 255
    return picture


def test_yolox_takes_a_picture_in_the_upper_left_of_a_grey_square_blue_first():
    form = YoloxForm(416, 416)
    view = form.view_size(FULL_HD)
    assert (view.width, view.height) == (416, 234)
    tensor = form.tensor(red(view))
    assert (tensor.shape, tensor.dtype) == ((1, 3, 416, 416), np.float32)
    assert tensor[0, :, 0, 0].tolist() == [0.0, 0.0, 255.0]
    assert tensor[0, :, 234, 0].tolist() == [114.0, 114.0, 114.0]


def test_a_tall_picture_fills_the_square_by_its_height():
    view = YoloxForm(416, 416).view_size(PictureSize(100, 8000))
    assert (view.width, view.height) == (5, 416)


def test_yolox_boxes_are_shares_of_the_picture_and_not_of_the_square():
    form = YoloxForm(64, 64)
    output = np.full((1, 64 + 16 + 4, 85), -9.0, dtype=np.float32)
    # The cell in row 1, column 1 of stride 32 is the last one.
    output[0, -1, :5] = (0.0, 0.0, 0.0, 0.0, 0.5)
    output[0, -1, 5 + 2] = 0.8
    found = form.candidates(output, PictureSize(64, 32))
    assert found.scores[-1] == pytest.approx(0.4)
    assert found.kinds[-1] == 2
    assert found.boxes[-1].tolist() == pytest.approx([16 / 64, 16 / 32, 32 / 64, 32 / 32])


def test_fastestdet_takes_a_stretched_picture_from_0_to_1_blue_first():
    form = FastestDetForm(352, 352)
    view = form.view_size(FULL_HD)
    assert (view.width, view.height) == (352, 352)
    tensor = form.tensor(red(view))
    assert (tensor.shape, tensor.dtype) == ((1, 3, 352, 352), np.float32)
    assert tensor[0, :, 7, 7].tolist() == [0.0, 0.0, 1.0]


def test_fastestdet_boxes_are_shares_of_the_picture():
    form = FastestDetForm(352, 352)
    output = np.zeros((1, 85, 22, 22), dtype=np.float32)
    output[0, :5, 3, 11] = (0.5, 0.0, 0.0, 0.0, 0.0)
    output[0, 5 + 7, 3, 11] = 0.25
    found = form.candidates(output, PictureSize(352, 352))
    best = int(found.scores.argmax())
    assert best == 3 * 22 + 11
    assert found.scores[best] == pytest.approx(0.5**0.6 * 0.25**0.4)
    assert found.kinds[best] == 7
    assert found.boxes[best].tolist() == pytest.approx([0.5 - 0.25, 3 / 22 - 0.25, 0.5, 0.5])


@pytest.mark.parametrize("form", ["yolox", "fastestdet"])
@pytest.mark.parametrize("value", [-1e30, 1e30, 0.0])
def test_extreme_numbers_neither_overflow_nor_warn(form, value):
    made = detector_form(form, TensorSpec("in", (1, 3, 64, 64), "float32"))
    shape = (1, 84, 85) if form == "yolox" else (1, 85, 4, 4)
    with np.errstate(over="ignore"):
        found = made.candidates(np.full(shape, value, np.float32), PictureSize(64, 64))
    assert not np.isnan(found.boxes).any()


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((1, 3, -1, -1), "float32"), ((1, 3, 64, 64), "uint8"), ((1, 64, 64, 3), "float32"), ((1, 3, 100, 64), "float32")],
)
def test_an_input_that_is_no_picture_of_a_fixed_size_is_refused(shape, dtype):
    with pytest.raises(TensorSpecError, match=r"expected float32 \(1, 3, height, width\) with multiples of 32"):
        detector_form("yolox", TensorSpec("images", shape, dtype))


def test_the_output_of_another_form_is_refused():
    with pytest.raises(TensorSpecError, match="of form 'yolox'"):
        YoloxForm(64, 64).candidates(np.zeros((1, 85, 4, 4), np.float32), PictureSize(64, 64))
    with pytest.raises(TensorSpecError, match="of form 'fastestdet'"):
        FastestDetForm(64, 64).candidates(np.zeros((1, 84, 85), np.float32), PictureSize(64, 64))
