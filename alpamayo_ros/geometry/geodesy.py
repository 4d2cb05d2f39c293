"""Positions on the WGS 84 ellipsoid: earth-centred, earth-fixed (ECEF) coordinates and local frames."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SEMI_MAJOR_AXIS_M = 6_378_137.0
FLATTENING = 1.0 / 298.257_223_563
"""Defining parameters of WGS 84 (NGA.STND.0036)."""

_SQUARED_ECCENTRICITY = FLATTENING * (2.0 - FLATTENING)
_ITERATIONS = 10
"""Each gains more than two digits near the ground; ten are exact to rounding."""


@dataclass(frozen=True, slots=True)
class GeodeticPosition:
    """A place by its latitude and longitude in degrees, and its height above the ellipsoid in m."""

    latitude_deg: float
    longitude_deg: float
    height_m: float


def geodetic_from_ecef(position_m: NDArray[np.float64]) -> GeodeticPosition:
    """Return the geodetic form of an ECEF position.

    The tangent of the latitude is iterated as z + e^2 N sin(latitude) over the distance from the axis, which
    converges everywhere but near the Earth's centre.

    Args:
        position_m: float64 (3,), near the Earth's surface.
    """
    x, y, z = (float(value) for value in position_m)
    axis_m = math.hypot(x, y)
    latitude = math.atan2(z, axis_m * (1.0 - _SQUARED_ECCENTRICITY))
    for _ in range(_ITERATIONS):
        sine = math.sin(latitude)
        latitude = math.atan2(z + _SQUARED_ECCENTRICITY * _normal_radius_m(sine) * sine, axis_m)
    sine, cosine = math.sin(latitude), math.cos(latitude)
    # Along the normal; well conditioned at the poles too, unlike axis / cos(latitude) - N.
    height_m = axis_m * cosine + z * sine - SEMI_MAJOR_AXIS_M * math.sqrt(1.0 - _SQUARED_ECCENTRICITY * sine * sine)
    return GeodeticPosition(math.degrees(latitude), math.degrees(math.atan2(y, x)), height_m)


def enu_from_ecef(place: GeodeticPosition) -> NDArray[np.float64]:
    """Return the rotation matrix, float64 (3, 3), from ECEF axes to the ellipsoid's east, north and up at a place."""
    latitude, longitude = math.radians(place.latitude_deg), math.radians(place.longitude_deg)
    sin_lat, cos_lat = math.sin(latitude), math.cos(latitude)
    sin_lon, cos_lon = math.sin(longitude), math.cos(longitude)
    return np.array(
        [
            [-sin_lon, cos_lon, 0.0],
            [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
            [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
        ]
    )


def _normal_radius_m(sine: float) -> float:
    return SEMI_MAJOR_AXIS_M / math.sqrt(1.0 - _SQUARED_ECCENTRICITY * sine * sine)
