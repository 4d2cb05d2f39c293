"""Boxes of causes: drawn where they are in the picture, and nowhere else."""

import numpy as np
import pytest

from alpamayo_ros.report.cause_box import BOX_RGB, draw_cause_box


def picture() -> np.ndarray:
    return np.full((100, 160, 3), 128, np.uint8)


def test_a_box_is_drawn_at_its_edges_with_its_label_above() -> None:
    rgb = picture()
    assert draw_cause_box(rgb, (40.0, 50.0, 30.0, 20.0), "pedestrian")
    assert tuple(rgb[60, 40]) == BOX_RGB
    assert tuple(rgb[70, 55]) == BOX_RGB
    assert (rgb[60, 50] == 128).all()
    assert (rgb[30:44, 40:100] != 128).any()
    plain = picture()
    assert draw_cause_box(plain, (40.0, 50.0, 30.0, 20.0), "")
    assert (plain[30:44] == 128).all()


@pytest.mark.parametrize("box", [(200.0, 5.0, 9.0, 9.0), (-50.0, 5.0, 9.0, 9.0), (5.0, np.nan, 9.0, 9.0)])
def test_a_box_outside_or_of_no_number_draws_nothing(box: tuple[float, ...]) -> None:
    rgb = picture()
    assert not draw_cause_box(rgb, box, "far away")
    assert (rgb == 128).all()


@pytest.mark.parametrize("box", [(-1e30, -1e30, 2e30, 2e30), (0.0, 0.0, 0.0, 0.0), (150.0, 95.0, 500.0, 500.0)])
def test_a_box_of_any_size_and_a_hostile_label_are_drawn(box: tuple[float, ...]) -> None:
    rgb = np.full((20, 10, 3), 128, np.uint8)
    assert draw_cause_box(picture(), box, "\x1b[31m" + "x" * 500)
    draw_cause_box(rgb, box, "\u202e")
    assert rgb.shape == (20, 10, 3)
