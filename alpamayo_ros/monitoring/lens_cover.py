"""Find what covers a part of a lens: dark, without detail, and the same while the world goes by."""

import cv2
import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 16, 9
"""Tiles that a picture is divided into."""

LARGEST_CHANGE = 4.0
"""Largest mean over a tile of each pixel's change, in grey levels of 255; noise and compression make 1 to 3."""

LARGEST_DETAIL = 2.5
"""Largest mean over a tile of the distance from the local mean, in grey levels."""

LARGEST_TONE = 0.8
"""Brightness of a covered tile, against the median of the tiles that change: sky and sunlit road are brighter."""

DARKEST_SCENE = 30.0
"""Below this median brightness of the tiles that change, darkness is the scene's own and nothing is judged."""

LEAST_PICTURES = 20
"""Pictures that a judgement needs at least."""


class LensCover:
    """Covered share of one camera's picture, judged over stretches of driving."""

    def __init__(self, distance_m: float) -> None:
        """Start with nothing seen; a stretch is at least this long."""
        self._distance_m = distance_m
        self._share = 0.0
        self._before: NDArray[np.bool_] | None = None
        self._restart()

    def _restart(self) -> None:
        self._darkest: NDArray[np.uint8] | None = None
        self._brightest: NDArray[np.uint8] | None = None
        self._pictures = 0
        self._driven_m = 0.0

    @property
    def share(self) -> float:
        """Return the share that was covered over both of the last two complete stretches, 0 before.

        One stretch alone also finds the flat back of a truck that is followed at a constant distance.
        """
        return self._share

    def add(self, grey: NDArray[np.uint8], moved_m: float) -> None:
        """Take a picture that is not the one before.

        Args:
            grey: uint8 (H, W); another size begins anew.
            moved_m: Distance since the picture before.
        """
        if self._darkest is None or self._brightest is None or self._darkest.shape != grey.shape:
            self._restart()
            self._darkest = self._brightest = grey
            self._pictures = 1
            return
        self._darkest = np.minimum(self._darkest, grey)
        self._brightest = np.maximum(self._brightest, grey)
        self._pictures += 1
        self._driven_m += moved_m
        if self._driven_m >= self._distance_m and self._pictures >= LEAST_PICTURES:
            covered = covered_tiles(grey, self._brightest - self._darkest)
            self._share = 0.0 if self._before is None else float(np.mean(covered & self._before))
            self._before = covered
            self._restart()


def covered_tiles(grey: NDArray[np.uint8], change: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which tiles look covered, bool (ROWS, COLUMNS).

    Args:
        grey: uint8 (H, W), the last picture.
        change: uint8 (H, W), largest less smallest brightness of each pixel.
    """
    pixels = grey.astype(np.float32)
    tone = _tiles(pixels)
    static = (_tiles(change.astype(np.float32)) <= LARGEST_CHANGE) & (
        _tiles(np.abs(pixels - cv2.blur(pixels, (5, 5)))) <= LARGEST_DETAIL
    )
    scene = 0.0 if static.all() else float(np.median(tone[~static]))
    return static & (tone < LARGEST_TONE * scene) & (scene >= DARKEST_SCENE)


def _tiles(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(values, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), dtype=np.float32)
