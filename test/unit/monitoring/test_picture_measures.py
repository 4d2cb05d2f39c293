"""Each score rises with what it is about, and hardly with anything else."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from alpamayo_ros.monitoring.picture_measures import (
    OVERVIEW_WIDTH,
    PictureMeasures,
    blur_score,
    glare_share,
    measure_picture,
    overview,
)

Pixels = NDArray[np.uint8]


def street(seed: int = 0, size: tuple[int, int] = (180, 320)) -> Pixels:
    """Return a picture with sharp edges of every size: grey rectangles upon each other."""
    generator = np.random.default_rng(seed)
    height, width = size
    picture = np.full((height, width, 3), 120, dtype=np.uint8)
    for _ in range(200):
        left, top = generator.integers(0, width), generator.integers(0, height)
        right, bottom = left + generator.integers(2, width // 5), top + generator.integers(2, height // 5)
        picture[top:bottom, left:right] = generator.integers(30, 220, 3)
    return picture


def dimmed(picture: Pixels, light: float) -> Pixels:
    return np.clip(picture.astype(np.float64) * light, 0, 255).astype(np.uint8)


def glared(picture: Pixels, reach: float) -> Pixels:
    """Add a sun with a bloom that falls off exponentially, ``reach`` in widths."""
    height, width = picture.shape[:2]
    down, right = np.mgrid[:height, :width]
    distance = np.hypot(right - width / 2, down - height / 3) / width
    return np.clip(picture + 600.0 * np.exp(-distance / reach)[..., np.newaxis], 0, 255).astype(np.uint8)


def test_a_sharp_well_lit_picture_scores_low_everywhere() -> None:
    measures = measure_picture(street())
    assert measures.dark_share == 0.0
    assert measures.clipped_share == 0.0
    assert measures.emptiness < 0.5
    assert measures.blur < 0.3
    assert measures.glare_share == 0.0


@pytest.mark.parametrize("size", [(96, 160), (180, 320), (320, 576)])
def test_blur_is_seen_at_every_model_size_and_whatever_the_light(size: tuple[int, int]) -> None:
    sharp = street(size=size)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 2.5 * max(1.0, size[1] / OVERVIEW_WIDTH))
    for light in (0.2, 1.0):
        assert measure_picture(dimmed(sharp, light)).blur < 0.35
        assert measure_picture(dimmed(np.asarray(blurred, dtype=np.uint8), light)).blur > 0.5


def test_light_moves_the_scores_of_light_alone() -> None:
    dark, bright = measure_picture(dimmed(street(), 0.1)), measure_picture(dimmed(street(), 4.0))
    assert dark.dark_share > 0.9
    assert bright.clipped_share > 0.5
    assert dark.clipped_share == bright.dark_share == 0.0


def test_a_picture_of_one_colour_is_empty_and_not_blurred() -> None:
    for shade in (0, 128, 255):
        measures = measure_picture(np.full((90, 160, 3), shade, dtype=np.uint8))
        assert measures.emptiness == 1.0
        assert measures.blur == 0.0


def test_glare_grows_with_its_reach_and_a_white_wall_is_none() -> None:
    shares = [measure_picture(glared(street(), reach)).glare_share for reach in (0.05, 0.1, 0.15)]
    assert 0.001 < shares[0] < shares[1] < shares[2]
    wall = street()
    wall[40:120, 100:220] = 255
    assert measure_picture(wall).glare_share == 0.0
    assert measure_picture(wall).clipped_share > 0.1


def test_wide_pictures_are_measured_at_one_width() -> None:
    assert overview(np.zeros((1080, 1920, 3), np.uint8)).shape == (180, OVERVIEW_WIDTH)
    assert overview(np.zeros((96, 160, 3), np.uint8)).shape == (96, 160)
    assert overview(np.zeros((1, 4000, 3), np.uint8)).shape == (1, OVERVIEW_WIDTH)


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24), st.just(3))))
@settings(max_examples=80, deadline=None)
def test_every_picture_has_finite_scores_from_0_to_1(picture: Pixels) -> None:
    measures = measure_picture(picture)
    scores = [getattr(measures, name) for name in PictureMeasures.__slots__ if name != "grey"]
    scores += [blur_score(measures.grey), glare_share(measures.grey)]
    assert all(-1e-6 <= score <= 1.0 + 1e-6 for score in scores), scores
