"""What weather, light and dirt do to the pictures: how strong each of them is."""

import dataclasses
import math
from dataclasses import dataclass

from alpamayo_ros.errors import ParameterError

WEATHER_MODEL = "graded_effects"
"""Name of the model that draws conditions: strengths without units, tuned by eye, not measured on real weather."""
WEATHER_MODEL_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Conditions:
    """Strengths from 0 (absent) to 1 (as strong as is drawn).

    Attributes:
        rain: Streaks, a darker and shining road, grey sky, drops on the lens.
        fog: Contrast lost over distance; 1 leaves about 40 m of sight.
        glare: A low sun that blinds cameras that look towards it.
        night: 1 leaves street lamps, headlights and lamps only.
        dirt: Share of the patch on each camera's lens, which hides what is behind it.
        sun_azimuth_rad: Direction to the sun in the world, left positive from x; None: the seed decides.
    """

    rain: float = 0.0
    fog: float = 0.0
    glare: float = 0.0
    night: float = 0.0
    dirt: float = 0.0
    sun_azimuth_rad: float | None = None

    def __post_init__(self) -> None:
        """Validate the bounds.

        Raises:
            ParameterError: A strength is no number from 0 to 1, or the azimuth is not finite.
        """
        for name in STRENGTHS:
            value = getattr(self, name)
            if not _is_number(value) or not 0.0 <= value <= 1.0:
                raise ParameterError(f"condition {name} {value!r} is not a strength; expected: a number from 0 to 1")
        azimuth = self.sun_azimuth_rad
        if azimuth is not None and not _is_number(azimuth):
            raise ParameterError(f"condition sun_azimuth_rad {azimuth!r} is not an angle; expected: rad, or None")

    @property
    def present(self) -> tuple[str, ...]:
        """Names of the conditions whose strength is above 0."""
        return tuple(name for name in STRENGTHS if getattr(self, name) > 0.0)

    def tags(self) -> dict[str, float | str]:
        """Return what an episode says about its weather: the model, its version and every strength."""
        said: dict[str, float | str] = {name: getattr(self, name) for name in STRENGTHS}
        return {"weather_model": WEATHER_MODEL, "weather_model_version": WEATHER_MODEL_VERSION, **said}


STRENGTHS = tuple(field.name for field in dataclasses.fields(Conditions) if field.name != "sun_azimuth_rad")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


CLEAR = Conditions()
