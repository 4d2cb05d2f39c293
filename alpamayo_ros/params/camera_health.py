"""Parameters of camera health: from which score on a finding is a WARN or an ERROR.

``docs/perception.md`` holds what the scores of real and of spoilt pictures are.
"""

from dataclasses import dataclass

from alpamayo_ros.params.parameter import parameter
from alpamayo_ros.params.stack import ModelParams


@dataclass(frozen=True, slots=True)
class CameraHealthParams(ModelParams):
    """Limits of the scores. A limit above the largest score switches a state off: 1.1 of a share."""

    too_dark_warn: float = parameter(
        0.5, "Share of pixels darker than 20 of 255 from which on a camera is too dark.", minimum=0.01, maximum=1.1
    )
    too_dark_error: float = parameter(0.95, "The same as an error.", minimum=0.01, maximum=1.1)
    too_bright_warn: float = parameter(
        0.1, "Share of pixels of 250 and more of 255 from which on a camera is too bright.", minimum=0.01, maximum=1.1
    )
    too_bright_error: float = parameter(0.5, "The same as an error.", minimum=0.01, maximum=1.1)
    blackout_warn: float = parameter(
        0.9,
        "1 less the contrast, the 99th less the first percentile of brightness over 255, from which on a camera shows "
        "next to nothing.",
        minimum=0.1,
        maximum=1.1,
    )
    blackout_error: float = parameter(0.95, "The same as an error.", minimum=0.1, maximum=1.1)
    blur_warn: float = parameter(
        0.42,
        "Share of the differences between neighbouring pixels that survives further blurring, from which on a picture "
        "is blurred.",
        minimum=0.1,
        maximum=1.1,
    )
    blur_error: float = parameter(0.6, "The same as an error.", minimum=0.1, maximum=1.1)
    frozen_warn: int = parameter(
        1, "Pictures in a row that repeat the one before while the rig moves, for a warning.", minimum=1, maximum=1000
    )
    frozen_error: int = parameter(3, "The same for an error.", minimum=1, maximum=1000)
    frozen_difference: float = parameter(
        0.05,
        "Mean difference of brightness of two pictures, of 255, up to which they are the same.",
        minimum=0.0,
        maximum=10.0,
    )
    frozen_motion_m: float = parameter(
        0.1,
        "Distance that the rig must have driven since the picture before for a repetition to count.",
        unit="m",
        minimum=0.01,
        maximum=10.0,
    )
    occlusion_warn: float = parameter(
        0.08, "Share of the picture that is covered from which on it is occluded.", minimum=0.01, maximum=1.1
    )
    occlusion_error: float = parameter(0.3, "The same as an error.", minimum=0.01, maximum=1.1)
    occlusion_distance_m: float = parameter(
        10.0,
        "Distance over which a dark part that neither changes nor has detail is taken for something on the lens.",
        unit="m",
        minimum=1.0,
        maximum=1000.0,
    )
    glare_warn: float = parameter(
        0.01,
        "Share of the picture of the largest saturated blob that fades softly into its surroundings, from which on it "
        "is glare.",
        minimum=0.001,
        maximum=1.1,
    )
    glare_error: float = parameter(0.15, "The same as an error.", minimum=0.001, maximum=1.1)
    reject_camera_error: bool = parameter(
        default=False, description="Reject a tick as CAMERA_UNHEALTHY when a camera's health is ERROR."
    )
