"""The box of a cited cause in a camera picture."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.report.words import ascii_line

BOX_RGB = (255, 60, 60)
OUTLINE_RGB = (25, 25, 25)
_LONGEST_LABEL = 40


def draw_cause_box(rgb: NDArray[np.uint8], box: Sequence[float], label: str) -> bool:
    """Draw a box with its label into a picture, in place.

    Args:
        rgb: uint8 (height, width, 3).
        box: Left, top, width, height in px of this picture.
        label: What the cause is.

    Returns:
        Whether any of the box lies in the picture.
    """
    height, width = rgb.shape[:2]
    if not all(map(math.isfinite, box)) or box[0] >= width or box[1] >= height:
        return False
    if box[0] + box[2] < 0 or box[1] + box[3] < 0:
        return False
    limit = 4 * max(rgb.shape)
    left, top, box_width, box_height = (int(np.clip(round(value), -limit, limit)) for value in box)
    corner = (left + max(box_width, 1), top + max(box_height, 1))
    for colour, thickness in ((OUTLINE_RGB, 4), (BOX_RGB, 2)):
        cv2.rectangle(rgb, (left, top), corner, colour, thickness, cv2.LINE_AA)
    if label:
        _write(rgb, ascii_line(label, _LONGEST_LABEL), (left, top, corner[1]))
    return True


def _write(rgb: NDArray[np.uint8], words: str, place: tuple[int, int, int]) -> None:
    """Write words above a box that begins at left, top and ends at a bottom; below it where there is no room."""
    left, top, bottom = place
    (text_width, text_height), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, 0.46, 1)
    x = int(np.clip(left, 0, max(0, rgb.shape[1] - text_width - 8)))
    y = top - 6 if top > text_height + 12 else bottom + text_height + 8
    y = int(np.clip(y, text_height + 6, max(text_height + 6, rgb.shape[0] - 6)))
    cv2.rectangle(rgb, (x, y - text_height - 5), (x + text_width + 8, y + 5), OUTLINE_RGB, -1)
    cv2.putText(rgb, words, (x + 4, y), cv2.FONT_HERSHEY_SIMPLEX, 0.46, (255, 255, 255), 1, cv2.LINE_AA)
