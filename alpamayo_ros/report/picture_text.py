"""Words on a camera picture: a title, a note and a legend, each on a dark plate."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Rgb = tuple[int, int, int]

_SIZE_PX = 14.5
_LINE_PX = 20
_PAD_PX = 7
_EDGE_PX = 4
_SWATCH_PX = 29
"""Width of what stands for a path or box in the legend."""
_SPACE_PX = 11
_PLATE_SHARE = 0.62
"""How much of the picture a plate takes away."""
_NOTE_HEIGHT = 0.8
_WHITE: Rgb = (255, 255, 255)


class Swatch(Enum):
    """How something was drawn."""

    STRIP = "strip"
    LINE = "line"
    DASHES = "dashes"
    BOX = "box"


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One line of a legend."""

    swatch: Swatch
    colour: Rgb
    label: str


def write_on_picture(rgb: NDArray[np.uint8], title: str, note: str, legend: Sequence[LegendEntry]) -> None:
    """Write a title at the top left, a note in the lower middle and a legend at the bottom left, in place.

    Args:
        rgb: uint8 (height, width, 3); what does not fit into it is cut off.
        title: One line.
        note: Wrapped to the width; nothing is drawn for an empty one.
        legend: Nothing is drawn for an empty one.
    """
    height, width = rgb.shape[:2]
    image = Image.fromarray(rgb)
    _plate(image, [title], (_EDGE_PX, _EDGE_PX))
    lines = _wrapped(note, width - 2 * (_EDGE_PX + _PAD_PX))
    if lines:
        plate_width, plate_height = _plate_size(lines)
        _plate(image, lines, ((width - plate_width) // 2, round(_NOTE_HEIGHT * height) - plate_height // 2))
    if legend:
        labels = [entry.label for entry in legend]
        corner = (_EDGE_PX, height - _EDGE_PX - _plate_size(labels)[1])
        _plate(image, labels, corner, indent=_SWATCH_PX + _SPACE_PX)
        for row, entry in enumerate(legend):
            _swatch(image, entry, (corner[0] + _PAD_PX, corner[1] + _PAD_PX + row * _LINE_PX))
    rgb[:] = np.asarray(image)


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont:
    """The font that comes with matplotlib, so that charts and pictures look alike on every machine."""
    file = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(file), _SIZE_PX, layout_engine=ImageFont.Layout.BASIC)


def _wrapped(words: str, width_px: int) -> list[str]:
    """Cut a text between words into lines that are not wider, where a word lets it."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _font().getlength(longer) <= width_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _plate_size(lines: Sequence[str], indent: int = 0) -> tuple[int, int]:
    longest = max(_font().getlength(line) for line in lines)
    return round(longest) + indent + 2 * _PAD_PX, _LINE_PX * len(lines) + 2 * _PAD_PX


def _plate(image: Image.Image, lines: Sequence[str], corner: tuple[int, int], indent: int = 0) -> None:
    """Darken a plate and write lines onto it."""
    width, height = _plate_size(lines, indent)
    area = (
        max(corner[0], 0),
        max(corner[1], 0),
        min(corner[0] + width, image.width),
        min(corner[1] + height, image.height),
    )
    if area[0] >= area[2] or area[1] >= area[3]:
        return
    image.paste(image.crop(area).point(lambda value: value * (1.0 - _PLATE_SHARE)), area)
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        middle = corner[1] + _PAD_PX + row * _LINE_PX + _LINE_PX // 2
        draw.text((corner[0] + _PAD_PX + indent, middle), line, fill=_WHITE, font=_font(), anchor="lm")


def _swatch(image: Image.Image, entry: LegendEntry, corner: tuple[int, int]) -> None:
    left, middle = corner[0], corner[1] + _LINE_PX // 2
    right = left + _SWATCH_PX
    draw = ImageDraw.Draw(image)
    if entry.swatch is Swatch.LINE:
        draw.line((left, middle, right, middle), fill=entry.colour, width=3)
    elif entry.swatch is Swatch.DASHES:
        for start in range(left, right, 11):
            draw.line((start, middle, min(start + 7, right), middle), fill=entry.colour, width=4)
    else:
        inside = tuple(channel * 6 // 10 for channel in entry.colour) if entry.swatch is Swatch.STRIP else None
        draw.rectangle((left, middle - 5, right, middle + 5), fill=inside, outline=entry.colour, width=2)
