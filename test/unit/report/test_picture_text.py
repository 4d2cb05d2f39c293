"""Words on camera pictures: where they stand, and that any words and any size of picture can be written on."""

import numpy as np
import pytest

from alpamayo_ros.report.picture_text import LegendEntry, Swatch, write_on_picture

ENTRIES = [LegendEntry(swatch, (0, 205, 160), swatch.value) for swatch in Swatch]


def written(height=540, width=960, title="front", note="", legend=()):
    rgb = np.full((height, width, 3), 200, np.uint8)
    write_on_picture(rgb, title, note, legend)
    return rgb


def white(rgb):
    return rgb.min(axis=2) > 240


def test_the_title_stands_at_the_top_left_on_a_dark_plate():
    rgb = written()
    assert white(rgb)[:40, :120].sum() > 30
    assert (rgb[8, 8] == 76).all(), "0.38 of 200"
    assert (rgb[60:] == 200).all()


def test_a_note_is_wrapped_in_the_lower_middle():
    rgb = written(note="The predicted path lies outside what this camera sees of the ground. " * 3)
    rows = np.flatnonzero((rgb[60:, :, 0] != 200).any(axis=1)) + 60
    assert 0.5 * (rows[0] + rows[-1]) == pytest.approx(0.8 * 540, abs=2)
    assert len(rows) == 2 * 7 + 2 * 20, "the words are wider than one line, and narrower than two"
    columns = np.flatnonzero((rgb[rows] != 200).any(axis=(0, 2)))
    assert columns[0] + columns[-1] == pytest.approx(959, abs=2)


def test_a_legend_shows_how_each_thing_is_drawn():
    rgb = written(legend=ENTRIES)
    top = 540 - 4 - 14 - 20 * len(ENTRIES) + 7
    swatches = {}
    for row, entry in enumerate(ENTRIES):
        line = rgb[top + 20 * row : top + 20 * row + 20]
        assert white(line)[:, 45:].sum() > 20, "the label is not written"
        swatches[entry.swatch] = (line[:, 11:41] == (0, 205, 160)).all(axis=2)
    assert swatches[Swatch.LINE].sum() == 3 * 30
    assert 0.5 < swatches[Swatch.DASHES].any(axis=0).mean() < 0.9
    assert swatches[Swatch.BOX].any(axis=0).all()
    assert not swatches[Swatch.BOX][10, 5:25].any(), "a box is hollow"


@pytest.mark.parametrize("shape", [(1, 1), (3, 960), (720, 14)])
@pytest.mark.parametrize("words", ["", " ", "W" * 500, "left\nright\x00", "\u5de6 \u202e \U0001f600"])
def test_any_words_fit_any_picture(shape, words):
    assert written(*shape, title=words, note=words, legend=ENTRIES).shape == (*shape, 3)
