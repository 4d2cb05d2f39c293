"""Dirt on a lens is what stays dark and flat while the world goes by."""

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.monitoring.lens_cover import LEAST_PICTURES, LensCover

Pixels = NDArray[np.uint8]


def passing(index: int, noise: float = 1.0, light: float = 1.0) -> Pixels:
    """Return one of a row of pictures of a world that goes by: bright flat sky above, a street below."""
    generator = np.random.default_rng(3)
    world = generator.integers(40, 200, (12, 900)).repeat(8, axis=0)[:, :].astype(np.float64)
    picture = np.full((96, 160), 190.0)
    picture[40:] = world[:56, index * 4 : index * 4 + 160]
    picture = picture * light + np.random.default_rng(index).normal(0.0, noise, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def covered(picture: Pixels, shade: int = 25) -> Pixels:
    picture = picture.copy()
    picture[30:80, 50:110] = shade
    return picture


def drive(cover: LensCover, pictures: list[Pixels], step_m: float) -> float:
    for picture in pictures:
        cover.add(picture, step_m)
    return cover.share


PATCH = 50 * 60 / (96 * 160)


def test_a_dark_patch_is_found_with_its_size() -> None:
    share = drive(LensCover(10.0), [covered(passing(index)) for index in range(60)], 0.5)
    assert PATCH / 2 < share < PATCH, "tiles at its edge are covered in part"


def test_one_stretch_is_not_enough() -> None:
    """So long the back of a truck that is followed can look the same."""
    cover = LensCover(10.0)
    assert drive(cover, [covered(passing(index)) for index in range(30)], 0.5) == 0.0
    assert drive(cover, [passing(index) for index in range(30, 60)], 0.5) == 0.0


def test_a_clear_lens_has_no_patch_though_the_sky_never_changes() -> None:
    assert drive(LensCover(10.0), [passing(index) for index in range(60)], 0.5) == 0.0


def test_nothing_is_judged_before_the_rig_has_driven_far_enough() -> None:
    pictures = [covered(passing(index)) for index in range(30)]
    assert drive(LensCover(10.0), pictures, 0.0) == 0.0
    assert drive(LensCover(10.0), pictures[: LEAST_PICTURES - 1], 5.0) == 0.0


def test_the_darkness_of_a_night_is_no_patch() -> None:
    assert drive(LensCover(10.0), [covered(passing(index, light=0.15), 3) for index in range(60)], 0.5) == 0.0


def test_a_patch_that_is_wiped_off_is_gone_after_the_next_stretch() -> None:
    cover = LensCover(10.0)
    assert drive(cover, [covered(passing(index)) for index in range(50)], 0.5) > 0.1
    assert drive(cover, [passing(index) for index in range(50, 100)], 0.5) == 0.0


def test_pictures_of_another_size_begin_a_new_stretch() -> None:
    cover = LensCover(10.0)
    drive(cover, [covered(passing(index)) for index in range(15)], 0.5)
    assert drive(cover, [covered(passing(index))[::2, ::2] for index in range(15)], 0.5) == 0.0
