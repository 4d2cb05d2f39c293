"""What weather, dirt and bright lamps do to a finished picture; everything stays at its place or moves with time."""

import functools
import math
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.conditions import Conditions
from alpamayo_ros.world.rendering.faces import Faces
from alpamayo_ros.world.rendering.light import Light
from alpamayo_ros.world.rendering.view import NEAR_M, View

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bytes = NDArray[np.uint8]

REFERENCE_PX = 160.0
"""Width of the picture for which sizes in px are given; they grow with the picture."""
SAME_COLOUR = 30
"""Sum of differences up to which a pixel still shows a lamp."""
WET_FROM = 0.2
"""Strength of rain from which the ground mirrors lamps."""
MIRROR_M = 45.0
"""Distance up to which it does."""
GRAIN = 2.2
"""Standard deviation of a picture's noise at night."""
DROP_PERIOD_S = 3.0
DROP_GROUPS = 3
DIRT: tuple[float, float, float] = (58.0, 74.0, 84.0)
SUN: tuple[float, float, float] = (232.0, 248.0, 255.0)


class Lens:
    """The effects in front of one camera of an episode, for one size of picture."""

    def __init__(self, conditions: Conditions, light: Light, seed: int, camera_id: str, size: tuple[int, int]) -> None:
        self._conditions = conditions
        self._light = light
        self._seed = [seed, zlib.crc32(camera_id.encode())]
        self._width, self._height = size
        self._unit = size[0] / REFERENCE_PX
        self._dirt = self._dirt_mask() if conditions.dirt > 0.0 else None
        self._streaks = self._streak_tile() if conditions.rain > 0.0 else None
        self._grain = self._grain_tile() if light.night > 0.0 else None
        self._drops: tuple[tuple[int, ...], Singles, Singles] | None = None
        self._bloom = self._bloom_tile() if conditions.glare > 0.0 else None

    def look_through(self, picture: Bytes, view: View, sun_seen: float, t_s: float) -> Bytes:
        """Return a picture as the camera takes it.

        Args:
            picture: Of the camera's size.
            view: Of the same size.
            sun_seen: Share of the sun's disc that nothing hides.
            t_s: Time after the start.
        """
        if self._bloom is not None:
            picture = self._glare(picture, view, sun_seen)
        frame = round(t_s * 1000.0)
        if self._streaks is not None:
            picture = self._rain(picture, frame, t_s)
        if self._grain is not None:
            picture = self._add_grain(picture, self._grain, frame)
        if self._dirt is not None:
            tint = np.array(DIRT) * np.maximum(self._light.tint, 0.12)
            picture = _blended(picture, tint, self._dirt)
        return picture

    def _glare(self, picture: Bytes, view: View, sun_seen: float) -> Bytes:
        right, down, ahead = (self._light.sun @ view.world_from_optical).tolist()
        strength = self._conditions.glare
        towards = max(0.0, ahead)
        veil = 60.0 * strength * towards**3 * (0.25 + 0.75 * sun_seen)
        added = np.full((self._height, self._width), veil, dtype=np.float32)
        if ahead > 0.05 and self._bloom is not None:
            column = round(right / ahead * view.focal + view.centre[0])
            row = round(down / ahead * view.focal + view.centre[1])
            left, top = 2 * self._width - column, 2 * self._height - row
            if 0 <= left <= 3 * self._width and 0 <= top <= 3 * self._height:
                part = self._bloom[top : top + self._height, left : left + self._width]
                added += part * np.float32(strength * (0.12 + 0.88 * sun_seen))
        bright = picture + added[:, :, None] * (np.array(SUN, dtype=np.float32) / 255.0)
        return np.asarray(np.minimum(bright, 255.0), dtype=np.uint8)

    def _bloom_tile(self) -> Singles:
        """Return the light around the sun, whose middle is the middle of a tile of four pictures' width."""
        x = (np.arange(4 * self._width, dtype=np.float32) - 2 * self._width) / self._unit
        y = (np.arange(4 * self._height, dtype=np.float32) - 2 * self._height) / self._unit
        distance = np.sqrt(x[None, :] ** 2 + y[:, None] ** 2)
        tile = 900.0 * np.exp(-((distance / 4.0) ** 2)) + 190.0 * np.exp(-distance / 13.0)
        return np.asarray(tile + 45.0 * np.exp(-distance / 50.0), dtype=np.float32)

    def _rain(self, picture: Bytes, frame: int, t_s: float) -> Bytes:
        rng = np.random.default_rng([*self._seed, frame])
        left, top = int(rng.integers(self._width)), int(rng.integers(self._height))
        if self._streaks is not None:
            part = self._streaks[top : top + self._height, left : left + self._width]
            picture = np.asarray(cv2.add(picture, part), dtype=np.uint8)
        blurred = cv2.GaussianBlur(picture, (0, 0), 2.2 * self._unit)
        drops, rest = self._drops_at(t_s)
        return np.asarray(cv2.blendLinear(picture, blurred, rest, drops), dtype=np.uint8)

    def _drops_at(self, t_s: float) -> tuple[Singles, Singles]:
        """Return where drops lie on the lens, 0 to 1, and what they leave; kept until a group of them is washed off."""
        epochs = tuple(
            int((t_s + DROP_PERIOD_S * group / DROP_GROUPS) // DROP_PERIOD_S) for group in range(DROP_GROUPS)
        )
        if self._drops is None or self._drops[0] != epochs:
            mask = self._drop_mask(0, epochs[0])
            for group in range(1, DROP_GROUPS):
                mask = np.maximum(mask, self._drop_mask(group, epochs[group]))
            self._drops = epochs, mask, np.float32(1.0) - mask
        return self._drops[1], self._drops[2]

    def _streak_tile(self) -> Bytes:
        """Return falling drops as bright strokes; a window of it at a new place is another moment."""
        rng = np.random.default_rng([*self._seed, 1])
        tile = np.zeros((2 * self._height, 2 * self._width), dtype=np.uint8)
        rain = self._conditions.rain
        for _ in range(round(420 * rain)):
            x, y = rng.random() * tile.shape[1], rng.random() * tile.shape[0]
            length, slope = rng.uniform(4.0, 13.0) * self._unit, rng.uniform(-0.06, 0.12)
            ends = [(round((x + slope * at) * 16), round((y + at) * 16)) for at in (0.0, length)]
            bright = float(rng.uniform(22.0, 60.0)) * (0.45 + 0.55 * float(self._light.tint[1]))
            cv2.line(tile, ends[0], ends[1], (bright,), max(1, round(0.5 * self._unit)), cv2.LINE_AA, 4)
        return np.repeat(tile[:, :, None], 3, axis=2)

    def _drop_mask(self, group: int, epoch: int) -> Singles:
        rng = np.random.default_rng([*self._seed, 2, group, epoch + 8])
        mask = np.zeros((self._height, self._width), dtype=np.uint8)
        for _ in range(round(6 * self._conditions.rain)):
            x, y = rng.random() * self._width, rng.random() * self._height
            radius = rng.uniform(1.5, 5.0) * self._unit
            axes = (round(radius * 16), round(radius * rng.uniform(1.0, 1.5) * 16))
            cv2.ellipse(mask, (round(x * 16), round(y * 16)), axes, 0, 0, 360, (255.0,), -1, cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(mask, (0, 0), 0.8 * self._unit).astype(np.float32)
        return np.asarray(soft / np.float32(255.0), dtype=np.float32)

    def _add_grain(self, picture: Bytes, grain: NDArray[np.int16], frame: int) -> Bytes:
        rng = np.random.default_rng([*self._seed, 3, frame])
        top, left = int(rng.integers(self._height)), int(rng.integers(self._width))
        part = grain[top : top + self._height, left : left + self._width]
        return np.asarray(cv2.add(picture, part, dtype=cv2.CV_8U), dtype=np.uint8)

    def _grain_tile(self) -> NDArray[np.int16]:
        """Return the noise of an amplified sensor; a window of it at a new place is another moment."""
        rng = np.random.default_rng([*self._seed, 3])
        noise = rng.normal(0.0, GRAIN * self._light.night, size=(2 * self._height, 2 * self._width))
        return np.repeat(np.round(noise).astype(np.int16)[:, :, None], 3, axis=2)

    def _dirt_mask(self) -> Singles:
        """Return how much dirt hides of each pixel: blots around one place, more of them the stronger it is."""
        rng = np.random.default_rng([*self._seed, 4])
        mask = np.zeros((self._height, self._width), dtype=np.uint8)
        dirt = self._conditions.dirt
        middle = rng.uniform(0.25, 0.75, size=2) * (self._width, self._height)
        reach = (0.10 + 0.30 * dirt) * self._width
        for _ in range(4 + round(22 * dirt)):
            away = rng.normal(0.0, 0.40, size=2) * (reach, 0.8 * reach)
            radius = float(rng.uniform(0.12, 0.42)) * reach
            centre = tuple(np.round((middle + away) * 16).astype(int).tolist())
            axes = (round(radius * 16), round(radius * float(rng.uniform(0.6, 1.1)) * 16))
            cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, (255.0,), -1, cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(mask, (0, 0), 2.2 * self._unit).astype(np.float32) / np.float32(255.0)
        return np.asarray(soft * np.float32(0.75 + 0.22 * dirt), dtype=np.float32)


def _blended(picture: Bytes, colour: Floats, mask: Singles) -> Bytes:
    flat = np.empty_like(picture)
    flat[:] = np.clip(colour, 0, 255).astype(np.uint8)
    return np.asarray(cv2.blendLinear(picture, flat, np.float32(1.0) - mask, mask), dtype=np.uint8)


def sun_share(view: View, light: Light, before: Bytes, after: Bytes) -> float:
    """Return the share of the sun's disc that nothing hides, from pictures without and with what stands in front."""
    right, down, ahead = (light.sun @ view.world_from_optical).tolist()
    if ahead <= 0.05:
        return 1.0
    column = round(right / ahead * view.focal + view.centre[0])
    row = round(down / ahead * view.focal + view.centre[1])
    reach = max(2, view.width // 80)
    if not (-reach < column < view.width + reach and -reach < row < view.height + reach):
        return 1.0
    rows = slice(max(0, row - reach), max(0, row + reach + 1))
    columns = slice(max(0, column - reach), max(0, column + reach + 1))
    same = (before[rows, columns] == after[rows, columns]).all(axis=2)
    return float(same.mean()) if same.size else 1.0


def add_glow(picture: Bytes, drawn: Bytes, view: View, groups: tuple[Faces, ...], light: Light, scale: int) -> None:
    """Let lamps that are seen shine over their edges.

    Args:
        picture: Changed; of the camera's size.
        drawn: The same moment ``scale`` times as large, as it was painted.
        view: Of the larger picture.
        groups: What has lamps.
        light: Air and night.
        scale: See ``drawn``.
    """
    unit = picture.shape[1] / REFERENCE_PX
    for faces in groups:
        if faces.lamps.shape[1] == 0:
            continue
        right, down, ahead = view.turned(faces.lamps[0], faces.lamps[1], faces.lamps[2])
        towards = ((view.eye[:, None] - faces.lamps[:3]) * faces.lamp_normals).sum(axis=0)
        distance = np.sqrt(right * right + down * down + ahead * ahead)
        ahead = np.maximum(ahead, NEAR_M)
        pixels = view.columns_rows(right, down, ahead)
        inside = (ahead > 2.0 * NEAR_M) & (towards > 0.0) & (pixels > -0.5).all(axis=1)
        inside &= (pixels[:, 0] < view.width - 0.5) & (pixels[:, 1] < view.height - 0.5)
        air = light.shines_through(distance)
        facing = np.clip(towards / distance, 0.0, 1.0)
        right, down, behind = view.turned(faces.lamps[0], faces.lamps[1], -faces.lamps[2])
        mirrored = view.columns_rows(right, down, np.maximum(behind, NEAR_M))
        for index in np.flatnonzero(inside).tolist():
            column, row = np.round(pixels[index]).astype(int).tolist()
            colour = faces.lamp_colours[:, index]
            share = float(air[index])
            expected = colour * share + light.haze * (1.0 - share)
            if float(np.abs(drawn[row, column] - expected).sum()) > SAME_COLOUR:
                continue
            radius = float(faces.lamps[3, index]) * view.focal / float(ahead[index]) / scale
            sigma = max((0.75 + 0.9 * light.night) * unit, (0.55 + 0.9 * light.night) * radius)
            strength = (0.55 + 0.25 * light.night) * share * math.sqrt(float(facing[index]))
            _splat(picture, (column, row), scale, min(sigma, 14.0 * unit), colour * strength)
            if light.rain > WET_FROM and distance[index] < MIRROR_M:
                place = (float(mirrored[index, 0]), float(mirrored[index, 1]))
                _splat(picture, place, scale, min(sigma, 9.0 * unit), colour * (0.25 * strength * light.rain), 3.0)


@functools.lru_cache(maxsize=512)
def _kernel(quarters: int, tall_quarters: int, right: int, down: int) -> Singles:
    """Return a spot; its sizes are in quarter px, its middle is moved by quarter px."""
    sigma, tall = quarters / 4.0, tall_quarters / 4.0
    across, upright = max(1, math.ceil(2.6 * sigma)), max(1, math.ceil(2.6 * tall))
    x = np.exp(-((np.arange(-across, across + 1) - right / 4.0) ** 2) / (2.0 * sigma * sigma))
    y = np.exp(-((np.arange(-upright, upright + 1) - down / 4.0) ** 2) / (2.0 * tall * tall))
    return np.asarray(y[:, None, None] * x[None, :, None], dtype=np.float32)


def _splat(
    picture: Bytes, pixel: tuple[float, float], scale: int, sigma: float, colour: Floats, stretch: float = 1.0
) -> None:
    """Add a spot of light around a pixel of the oversampled picture; wet ground stretches it upright."""
    place_x, place_y = (pixel[0] + 0.5) / scale - 0.5, (pixel[1] + 0.5) / scale - 0.5
    column, row = round(place_x), round(place_y)
    size = max(2, round(4.0 * sigma))
    kernel = _kernel(size, round(size * stretch), round(4.0 * (place_x - column)), round(4.0 * (place_y - row)))
    tall, wide = kernel.shape[0] // 2, kernel.shape[1] // 2
    left, top = max(0, column - wide), max(0, row - tall)
    right, bottom = min(picture.shape[1], column + wide + 1), min(picture.shape[0], row + tall + 1)
    if left >= right or top >= bottom:
        return
    part = kernel[top - row + tall : bottom - row + tall, left - column + wide : right - column + wide]
    spot = np.minimum(part * colour.astype(np.float32), np.float32(255.0)).astype(np.uint8)
    target = picture[top:bottom, left:right]
    cv2.add(target, spot, target)
