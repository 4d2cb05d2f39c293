"""The ground shows the map's surfaces and lines where they are, at every fineness."""

import numpy as np
import pytest

from alpamayo_ros.world.conditions import CLEAR, Conditions
from alpamayo_ros.world.rendering.ground import GRASS, PAINT, PAVEMENT, Ground, GroundPainter
from alpamayo_ros.world.rendering.light import light_of


@pytest.fixture(scope="module")
def painter(road_map) -> GroundPainter:
    return GroundPainter(road_map, (), (), light_of(CLEAR, 0))


def colour_at(ground: Ground, x: float, y: float, level: int = 0) -> np.ndarray:
    pixel = ground.metres_per_px * 2.0**level
    half = ground.metres_per_px * (2.0**level - 1.0) / 2.0
    column, row = round((x - ground.x_m - half) / pixel), round((y - ground.y_m - half) / pixel)
    return ground.levels[level][row, column].astype(float)


@pytest.mark.parametrize("metres_per_px", [0.03125, 0.0625, 0.125])
def test_lines_crossing_and_stop_line_are_painted_where_they_are(painter, metres_per_px: float) -> None:
    ground = painter.part((50.0, 0.0), 64.0, metres_per_px, 1)
    light = light_of(CLEAR, 0).ground
    for x, y in ((30.0, -3.28), (55.8, -2.0)):
        assert colour_at(ground, x, y).min() > 0.75 * light * min(PAINT)
    bars = [colour_at(ground, 60.0, y).mean() for y in np.arange(-3.3, 3.3, 0.05)]
    assert max(bars) > 190.0
    assert min(bars) < 130.0
    assert colour_at(ground, 30.0, -1.75).max() < 130.0
    assert colour_at(ground, 30.0, -5.5) == pytest.approx(np.array(PAVEMENT) * light, abs=22.0)
    assert colour_at(ground, 30.0, -12.0) == pytest.approx(np.array(GRASS) * light, abs=22.0)


def test_the_dashed_line_has_dashes_and_gaps(painter) -> None:
    ground = painter.part((30.0, 0.0), 64.0, 0.0625, 1)
    along = np.array([colour_at(ground, x, 0.0).mean() for x in np.arange(2.0, 54.0, 0.25)])
    assert (along > 180.0).mean() == pytest.approx(3.0 / 7.5, abs=0.12)
    assert (along < 130.0).mean() > 0.4


def test_the_whole_map_shows_the_same_as_its_parts(painter) -> None:
    whole, part = painter.whole(), painter.part((64.0, 0.0), 64.0, 0.125, 3)
    for x, y in ((40.0, -1.75), (40.0, -5.2), (40.0, -20.0), (70.0, 1.75)):
        assert colour_at(whole, x, y) == pytest.approx(colour_at(part, x, y, 2), abs=14.0)
    for level in range(1, len(whole.levels)):
        assert colour_at(whole, 40.0, -20.0, level) == pytest.approx(colour_at(whole, 40.0, -20.0), abs=14.0)


def test_parts_that_overlap_show_the_same_pixels(painter) -> None:
    one, other = painter.part((16.0, 0.0), 64.0, 0.125, 1), painter.part((32.0, 16.0), 64.0, 0.125, 1)
    rows, columns = round(16.0 / 0.125), round(16.0 / 0.125)
    shared = one.levels[0][rows:-8, columns:-8].astype(int) - other.levels[0][: -rows - 8, : -columns - 8].astype(int)
    assert np.abs(shared[8:, 8:]).max() <= 2


def test_shadows_are_darker_and_vanish_in_fog(road_map) -> None:
    outline = np.array([(38.0, -2.5), (42.0, -2.5), (42.0, -1.0), (38.0, -1.0)])
    for conditions, darker in ((CLEAR, 0.7), (Conditions(fog=1.0), 1.0)):
        painter = GroundPainter(road_map, (), (outline,), light_of(conditions, 0))
        ground = painter.part((40.0, 0.0), 32.0, 0.125, 1)
        shady, sunny = colour_at(ground, 40.0, -1.75).mean(), colour_at(ground, 46.0, -1.75).mean()
        assert shady / sunny == pytest.approx(darker, abs=0.15)
