"""Light and air of a world: where the sun stands, what is lit how much, what is lost over distance."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.conditions import Conditions

Floats = NDArray[np.float64]

CLEAR_AIR_M = 330.0
"""Distance at which 63 % of a thing's colour is lost in clear air."""
RAINY_AIR_M = 110.0
FOGGY_AIR_M = 14.0
CLEAR_HAZE = (222.0, 212.0, 202.0)
"""Blue, green, red of the air at the horizon."""
GREY_HAZE = (204.0, 202.0, 198.0)
LAMP_LOSS = 0.5
"""How fast the air takes a lamp's contrast, as a share of how fast it takes another thing's."""
MOONLIGHT = (0.215, 0.185, 0.170)
"""Share of the day's light that is left at night: blue, green, red."""
LAMPS_FROM = 0.3
"""Strength of night from which headlights and street lamps are lit."""


@dataclass(frozen=True, slots=True)
class Light:
    """What the conditions make of the light.

    Attributes:
        sun: Unit vector towards the sun.
        ambient: Light on every face, as a share of full light.
        diffuse: Light that a face turned to the sun gets on top.
        shadow: Share of the light that is left in the sun's shadow on the ground.
        air_m: Distance at which 63 % of a thing's colour is lost.
        haze: Blue, green, red of the air.
        tint: What day or night leaves of each of blue, green, red.
        night: Strength of the night.
        rain: Strength of the rain.
        overcast: How much of the blue sky is grey, 0 to 1.
    """

    sun: Floats
    ambient: float
    diffuse: float
    shadow: float
    air_m: float
    haze: Floats
    tint: Floats
    night: float
    rain: float
    overcast: float

    @property
    def lamps_lit(self) -> bool:
        """Whether headlights and street lamps are lit."""
        return self.night >= LAMPS_FROM

    def shaded(self, colours: Floats, normals: Floats) -> Floats:
        """Return colours of faces, shape (3, N), under sun and sky, before lamps and air."""
        towards = normals[0] * self.sun[0] + normals[1] * self.sun[1] + normals[2] * self.sun[2]
        share = self.ambient + self.diffuse * np.clip(towards, 0.0, 1.0)
        found: Floats = colours * (share * self.tint[:, None])
        return found

    @property
    def ground(self) -> float:
        """Light of sun and sky on flat ground before the tint of day or night, about 1 on a clear day."""
        return self.ambient + self.diffuse * max(0.0, float(self.sun[2]))

    def seen_through(self, distance_m: Floats) -> Floats:
        """Return the share of a thing's colour that arrives over a distance."""
        found: Floats = np.exp(distance_m * (-1.0 / self.air_m))
        return found

    def shines_through(self, distance_m: Floats) -> Floats:
        """Return the same for lamps, which are far brighter than what they light."""
        found: Floats = np.exp(distance_m * (-LAMP_LOSS / self.air_m))
        return found


def light_of(conditions: Conditions, seed: int) -> Light:
    """Return the light of an episode; the seed turns the sun where the conditions do not."""
    rng = np.random.default_rng([seed, 11])
    azimuth = float(rng.uniform(-math.pi, math.pi))
    elevation = math.radians(float(rng.uniform(40.0, 62.0)))
    if conditions.sun_azimuth_rad is not None:
        azimuth = conditions.sun_azimuth_rad
    glare, fog, rain, night = conditions.glare, conditions.fog, conditions.rain, conditions.night
    if glare > 0.0:
        elevation = math.radians(13.0 - 7.0 * glare)
    sun = np.array(
        [math.cos(elevation) * math.cos(azimuth), math.cos(elevation) * math.sin(azimuth), math.sin(elevation)]
    )
    overcast = 1.0 - (1.0 - 0.9 * min(1.0, 2.0 * rain)) * (1.0 - min(1.0, 1.6 * fog))
    sunny = (1.0 - overcast) * (1.0 - night)
    ambient = 0.62 + 0.16 * overcast - 0.16 * rain
    tint = (1.0 - night) + night * np.array(MOONLIGHT)
    air_m = CLEAR_AIR_M * (RAINY_AIR_M / CLEAR_AIR_M) ** rain * (FOGGY_AIR_M / CLEAR_AIR_M) ** (fog**0.8)
    haze = np.array(CLEAR_HAZE) * (1.0 - overcast) + np.array(GREY_HAZE) * overcast * (1.0 - 0.18 * rain)
    return Light(
        sun=sun,
        ambient=ambient,
        diffuse=0.46 * sunny / (0.5 + 0.5 * max(float(sun[2]), 0.3)) if sunny > 0.0 else 0.0,
        shadow=1.0 - 0.44 * sunny,
        air_m=air_m,
        haze=haze * tint,
        tint=tint,
        night=night,
        rain=rain,
        overcast=overcast,
    )
