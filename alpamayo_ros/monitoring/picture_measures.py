"""Measure one picture: exposure, contrast, blur, glare. Every score is larger when the picture is worse."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

OVERVIEW_WIDTH = 320
"""Wider pictures are measured at this width in px; limits were measured from 160 px on."""

DARK_BELOW = 20
"""Brightness, of 255, below which a camera's noise and its picture can hardly be told apart."""

CLIPPED_FROM = 250
"""Brightness from which on a JPEG's white can be a clipped one."""

SATURATED_FROM = 245
"""Brightness of a blob that may be glare; its own rim is darker."""

LEAST_GLARE = 0.001
"""Smallest share of saturated pixels that is looked at."""

SOFT_EDGE = 15.0
"""Largest median gradient at the rim of glare, in grey levels per px; a sunlit wall ends more sharply."""

_RIM_PX = 2
"""Width of the rim: compressed edges of walls are this wide."""

_BLUR_LENGTH = 9
"""Length of the blur that a picture is compared with, as in the source."""


@dataclass(frozen=True, slots=True)
class PictureMeasures:
    """What one picture is like.

    Attributes:
        grey: uint8 (H, W), at most OVERVIEW_WIDTH wide.
        dark_share: Share of pixels below DARK_BELOW.
        clipped_share: Share of pixels from CLIPPED_FROM on.
        emptiness: 1 less the contrast: 99th less first percentile of brightness, over 255.
        blur: 0 for sharp to 1 for without detail.
        glare_share: Share of the largest saturated blob with soft edges.
    """

    grey: NDArray[np.uint8]
    dark_share: float
    clipped_share: float
    emptiness: float
    blur: float
    glare_share: float


def measure_picture(rgb: NDArray[np.uint8]) -> PictureMeasures:
    """Measure a picture.

    Args:
        rgb: uint8 (H, W, 3), at least one pixel.
    """
    grey = overview(rgb)
    histogram = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256]).reshape(-1), dtype=np.float64) / grey.size
    low, high = (int(np.searchsorted(histogram, share)) for share in (0.01, 0.99))
    return PictureMeasures(
        grey=grey,
        dark_share=float(histogram[DARK_BELOW - 1]),
        clipped_share=1.0 - float(histogram[CLIPPED_FROM - 1]),
        emptiness=1.0 - (high - low) / 255.0,
        blur=blur_score(grey),
        # Below that no blob can be one that matters, and most pictures need no search.
        glare_share=glare_share(grey) if 1.0 - histogram[SATURATED_FROM - 1] >= LEAST_GLARE else 0.0,
    )


def overview(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture's brightness, at most OVERVIEW_WIDTH wide."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    if width > OVERVIEW_WIDTH:
        size = (OVERVIEW_WIDTH, max(1, round(height * OVERVIEW_WIDTH / width)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, dtype=np.uint8)


def blur_score(grey: NDArray[np.uint8]) -> float:
    """Return how blurred a picture is, from 0 to 1, whatever its contrast and brightness.

    A sharp picture loses most differences between neighbours when it is blurred further, a blurred one hardly any
    (F. Crete et al., "The blur effect: perception and estimation with a new no-reference perceptual blur metric",
    2007). The worse of the two directions counts. A picture of one colour has no blur.
    """
    pixels = grey.astype(np.float32)
    scores = [0.0]
    for axis, kernel in ((0, (1, _BLUR_LENGTH)), (1, (_BLUR_LENGTH, 1))):
        differences = np.abs(np.diff(pixels, axis=axis))
        blurred = np.abs(np.diff(cv2.blur(pixels, kernel), axis=axis))
        total = float(differences.sum())
        if total > 0.0:
            scores.append(1.0 - float(np.maximum(differences - blurred, 0.0).sum()) / total)
    return max(scores)


def glare_share(grey: NDArray[np.uint8]) -> float:
    """Return the share of the largest saturated blob, 0 if it ends sharply as a bright object does."""
    saturated = (grey >= SATURATED_FROM).astype(np.uint8)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(saturated, connectivity=8)
    if count < 2:
        return 0.0
    largest = 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))
    blob = (labels == largest).astype(np.uint8)
    rim = cv2.dilate(blob, np.ones((2 * _RIM_PX + 1, 2 * _RIM_PX + 1), np.uint8)) != blob
    if rim.any():
        pixels = grey.astype(np.float32)
        right, down = cv2.Sobel(pixels, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(pixels, cv2.CV_32F, 0, 1, scale=1 / 8)
        if float(np.median(np.hypot(right[rim], down[rim]))) > SOFT_EDGE:
            return 0.0
    return float(statistics[largest, cv2.CC_STAT_AREA]) / grey.size
