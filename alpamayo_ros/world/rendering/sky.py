"""What is infinitely far away: sky, clouds, hazy hills and the sun."""

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.rendering.light import CLEAR_AIR_M, Light
from alpamayo_ros.world.rendering.view import View

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Triple = tuple[float, float, float]

SKIES = 6
"""How many different skies there are."""
PX_PER_DEG = 3
LOWEST_DEG = -2
HIGHEST_DEG = 80
OVERLAP_DEG = 180
"""How much of the beginning is painted again after the end, so that no view crosses the seam."""
GRID_PX = 8
"""Directions are computed exactly for each of so many px and interpolated between."""
ZENITH = (214.0, 158.0, 104.0)
HORIZON = (222.0, 212.0, 202.0)
GREY_ZENITH = (158.0, 156.0, 152.0)
LAYER_M = 60.0
"""Height of the layer of fog or rain above the camera."""


@functools.lru_cache(maxsize=SKIES)
def _clear_panorama(kind: int) -> Bytes:
    """Paint a clear sky all around.

    Returns:
        Blue, green, red; column = PX_PER_DEG * (azimuth + 180 deg), left positive, row = PX_PER_DEG *
        (HIGHEST_DEG - elevation).
    """
    rng = np.random.default_rng([kind, 3])
    height, width = (HIGHEST_DEG - LOWEST_DEG) * PX_PER_DEG, 360 * PX_PER_DEG
    elevation = (HIGHEST_DEG - (np.arange(height, dtype=np.float32) + 0.5) / PX_PER_DEG).clip(0.0, 90.0)
    up = (1.0 - np.exp(-elevation / 24.0))[:, None, None]
    picture = np.array(HORIZON, dtype=np.float32) * (1.0 - up) + np.array(ZENITH, dtype=np.float32) * up
    picture = np.repeat(picture, width, axis=1)
    cloud = _clouds(rng, height, width) * np.clip((elevation - 4.0) / 12.0, 0.0, 1.0)[:, None]
    picture += (np.array([250.0, 248.0, 246.0], dtype=np.float32) - picture) * cloud[:, :, None]
    azimuth = np.deg2rad(np.arange(width, dtype=np.float32) / PX_PER_DEG)
    for base_deg, relief_deg, waves, colour in (
        (1.6, 1.4, 4.0, (206.0, 194.0, 180.0)),
        (0.7, 1.0, 11.0, (190.0, 186.0, 166.0)),
    ):
        phases = rng.uniform(0.0, 2.0 * np.pi, size=3).tolist()
        ridge = base_deg + relief_deg * sum(
            np.sin(waves * harmonic * azimuth + phase) / harmonic / 1.8
            for harmonic, phase in zip((1, 2, 5), phases, strict=True)
        )
        covered = np.clip((ridge[None, :] - elevation[:, None]) * PX_PER_DEG, 0.0, 1.0)[:, :, None]
        picture += (np.array(colour, dtype=np.float32) - picture) * covered
    whole = np.clip(np.round(picture), 0, 255).astype(np.uint8)
    return np.concatenate([whole, whole[:, : OVERLAP_DEG * PX_PER_DEG]], axis=1)


def _clouds(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """Return how much cloud covers each pixel, 0 to 0.75, continuing all around."""
    total = np.zeros((height, width), dtype=np.float32)
    for cells_high, weight in ((4, 1.0), (9, 0.5), (22, 0.25)):
        coarse = rng.random((cells_high, cells_high * 3), dtype=np.float32)
        wrapped = np.concatenate([coarse[:, -2:], coarse, coarse[:, :2]], axis=1)
        scale = width / coarse.shape[1]
        fine = cv2.resize(wrapped, (round(wrapped.shape[1] * scale), height), interpolation=cv2.INTER_CUBIC)
        first = round(2.0 * scale)
        total += weight * fine[:, first : first + width]
    cover: NDArray[np.float32] = np.clip((total / 1.75 - 0.50) * 3.2, 0.0, 0.75)
    return cover


@functools.lru_cache(maxsize=2 * SKIES)
def _panorama(kind: int, overcast: float, air_m: float, haze: Triple, tint: Triple) -> Bytes:
    """Return a sky under the conditions of a light."""
    clear = _clear_panorama(kind)
    if overcast == 0.0 and air_m == CLEAR_AIR_M and tint == (1.0, 1.0, 1.0):
        return clear
    picture = clear.astype(np.float32)
    elevation = (HIGHEST_DEG - (np.arange(clear.shape[0]) + 0.5) / PX_PER_DEG).clip(0.5, 90.0)
    up = (1.0 - np.exp(-elevation / 24.0))[:, None]
    dark, thick = np.array(tint), np.array(haze)
    grey = thick / np.maximum(dark, 1e-6) * (1.0 - up) + np.array(GREY_ZENITH) * up
    picture += (grey.astype(np.float32)[:, None, :] - picture) * np.float32(overcast)
    picture *= dark.astype(np.float32)
    # Thicker air than that of the clear picture hides the sky too, most of it close to the horizon.
    layer = LAYER_M * max(0.0, 1.0 / air_m - 1.0 / CLEAR_AIR_M)
    thickness = (1.0 - np.exp(-layer / np.sin(np.radians(elevation))))[:, None, None].astype(np.float32)
    picture += (thick.astype(np.float32) - picture) * thickness
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


class Sky:
    """The sky of an episode."""

    def __init__(self, light: Light, seed: int) -> None:
        kind = int(np.random.default_rng([seed, 41]).integers(SKIES))
        haze, tint = _triple(light.haze), _triple(light.tint)
        self._panorama: Bytes = _panorama(kind, light.overcast, light.air_m, haze, tint)

    def draw(self, picture: Bytes, view: View) -> None:
        """Draw the sky over a whole picture of the view's size, as far down as it reaches."""
        rows = _last_row(view)
        if rows <= 0:
            return
        azimuth, elevation = _directions(view, rows)
        middle = float(np.arctan2(view.world_from_optical[1, 2], view.world_from_optical[0, 2]))
        first = (np.degrees(middle) + 180.0) % 360.0
        if first < OVERLAP_DEG / 2.0:
            first += 360.0
        columns = (np.degrees(azimuth) + first) * PX_PER_DEG - 0.5
        lines = (HIGHEST_DEG - np.degrees(elevation)) * PX_PER_DEG - 0.5
        maps = [_finer(values, view.width, rows) for values in (columns, lines)]
        cv2.remap(self._panorama, maps[0], maps[1], cv2.INTER_LINEAR, picture[:rows], borderMode=cv2.BORDER_REPLICATE)


def _triple(values: Floats) -> Triple:
    blue, green, red = values.tolist()
    return blue, green, red


def _last_row(view: View) -> int:
    """Return how many rows from the top may show sky."""
    _, down, ahead = view.world_from_optical[2]
    right = view.world_from_optical[2, 0]
    edge = view.width / 2.0 / view.focal * abs(float(right))
    if down >= -1e-6:
        return view.height
    horizon = (float(ahead) + edge) / -float(down) * view.focal + view.centre[1]
    return int(np.clip(np.ceil(horizon) + 2, 0, view.height))


def _directions(view: View, rows: int) -> tuple[Floats, Floats]:
    """Return azimuth relative to the optical axis and elevation on a coarse grid of a picture's upper rows, rad."""
    columns = max(2, -(-view.width // GRID_PX) + 1)
    lines = max(2, -(-rows // GRID_PX) + 1)
    x = (np.linspace(0.0, view.width - 1.0, columns) - view.centre[0]) / view.focal
    y = (np.linspace(0.0, rows - 1.0, lines) - view.centre[1]) / view.focal
    turn = view.world_from_optical
    world = [x[None, :] * turn[i, 0] + y[:, None] * turn[i, 1] + turn[i, 2] for i in range(3)]
    middle = np.hypot(turn[0, 2], turn[1, 2])
    cosine, sine = turn[0, 2] / middle, turn[1, 2] / middle
    ahead, left = world[0] * cosine + world[1] * sine, world[1] * cosine - world[0] * sine
    flat = np.hypot(world[0], world[1])
    return np.arctan2(left, ahead), np.arctan2(world[2], flat)


def _finer(values: Floats, width: int, height: int) -> NDArray[np.float32]:
    """Interpolate a grid whose corners are the corner pixels of a picture."""
    x, y = _grid(values.shape[1], values.shape[0], width, height)
    return np.asarray(cv2.remap(values.astype(np.float32), x, y, cv2.INTER_LINEAR), dtype=np.float32)


@functools.lru_cache(maxsize=64)
def _grid(columns: int, lines: int, width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    x = np.linspace(0.0, columns - 1.0, width, dtype=np.float32)
    y = np.linspace(0.0, lines - 1.0, height, dtype=np.float32)
    shape = (height, width)
    return np.ascontiguousarray(np.broadcast_to(x, shape)), np.ascontiguousarray(np.broadcast_to(y[:, None], shape))
