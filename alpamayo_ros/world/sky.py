"""What is infinitely far away: sky, clouds and hazy hills."""

import cv2
import numpy as np
from numpy.typing import NDArray

HAZE = np.array([222.0, 212.0, 202.0], dtype=np.float32)
"""Blue, green, red of the air at the horizon."""
ZENITH = np.array([214.0, 158.0, 104.0], dtype=np.float32)
PX_PER_DEG = 6
LOWEST_DEG = -2
HIGHEST_DEG = 80

Bytes = NDArray[np.uint8]


def paint_panorama(rng: np.random.Generator) -> Bytes:
    """Paint the sky all around.

    Returns:
        Blue, green, red; column = PX_PER_DEG * azimuth (left positive, -180 to 180 deg), row =
        PX_PER_DEG * (HIGHEST_DEG - elevation).
    """
    height, width = (HIGHEST_DEG - LOWEST_DEG) * PX_PER_DEG, 360 * PX_PER_DEG
    elevation = (HIGHEST_DEG - (np.arange(height, dtype=np.float32) + 0.5) / PX_PER_DEG).clip(0.0, 90.0)
    up = (1.0 - np.exp(-elevation / 24.0))[:, None, None]
    picture = HAZE * (1.0 - up) + ZENITH * up + np.zeros((height, width, 1), dtype=np.float32)
    cloud = _clouds(rng, height, width) * np.clip((elevation - 4.0) / 12.0, 0.0, 1.0)[:, None]
    picture += (np.array([250.0, 248.0, 246.0], dtype=np.float32) - picture) * cloud[:, :, None]
    for base_deg, relief_deg, period, colour in (
        (1.6, 1.4, 90.0, (206.0, 194.0, 180.0)),
        (0.7, 1.0, 33.0, (190.0, 186.0, 166.0)),
    ):
        azimuth = np.arange(width, dtype=np.float32) / PX_PER_DEG
        phases = rng.uniform(0.0, 2.0 * np.pi, size=3)
        ridge = base_deg + relief_deg * sum(
            np.sin(np.round(360.0 / period) * harmonic * np.deg2rad(azimuth) + phase) / harmonic / 1.8
            for harmonic, phase in zip((1, 2, 5), phases, strict=True)
        )
        covered = np.clip((ridge[None, :] - elevation[:, None]) * PX_PER_DEG, 0.0, 1.0)[:, :, None]
        picture += (np.array(colour, dtype=np.float32) - picture) * covered
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def _clouds(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """Return how much cloud covers each pixel, 0 to 0.75; the seam at 180 deg lies behind the vehicle."""
    total = np.zeros((height, width), dtype=np.float32)
    for cells_high, weight in ((4, 1.0), (9, 0.5), (22, 0.25)):
        coarse = rng.random((cells_high, cells_high * 3), dtype=np.float32)
        total += weight * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    cover: NDArray[np.float32] = np.clip((total / 1.75 - 0.50) * 3.2, 0.0, 0.75)
    return cover
