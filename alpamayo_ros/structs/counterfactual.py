"""Two drives of one episode, as it was and with one thing changed, and what a page needs to show them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class DriveMoment:
    """Where a drive is, and what its driver decides and says, at one moment.

    Attributes:
        t_s: After the start of the episode.
        x_m: Rear axle in the world.
        y_m: Rear axle in the world.
        heading_rad: Left positive.
        speed_mps: Along the heading.
        longitudinal: Meta-action along the path.
        lateral: Meta-action across the path.
        lane: Meta-action in terms of lanes.
        cause: Label of the cited cause, empty if nothing is cited.
        actor_id: Id of the cited actor or signal, empty if none or unknown.
        text: Reasoning text.
        planned_xy_m: float64 (N, 2), the plan in the world; N may be 0.
        answered: Whether the driver decided anew at this moment; else it is what was decided before.
    """

    t_s: float
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    longitudinal: LongitudinalAction
    lateral: LateralAction
    lane: LaneAction
    cause: str = ""
    actor_id: str = ""
    text: str = ""
    planned_xy_m: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    answered: bool = True


@dataclass(frozen=True, slots=True)
class DrivePicture:
    """What one camera sees at one moment of a drive.

    Attributes:
        t_s: After the start of the episode.
        camera: Camera id.
        bgr: uint8 (height, width, 3).
        box_px: left, top, width and height of the cited cause in px, None where there is none in this camera.
        box_label: What the box is said to hold.
        strip_px: float64 (M, 4, 2), the plan on the ground as quads in px; M may be 0.
    """

    t_s: float
    camera: str
    bgr: NDArray[np.uint8]
    box_px: Box | None = None
    box_label: str = ""
    strip_px: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 4, 2)))


@dataclass(frozen=True, slots=True)
class ActorTrack:
    """Where one actor went.

    Attributes:
        id: Of the actor.
        kind: What it is.
        t_s: float64 (N,), ascending.
        xy_m: float64 (N, 2), centre of its footprint in the world.
        edited_run: Whether it is the track of the changed drive.
    """

    id: str
    kind: str
    t_s: NDArray[np.float64]
    xy_m: NDArray[np.float64]
    edited_run: bool = False


@dataclass(frozen=True, slots=True)
class CounterfactualDrive:
    """One of the two drives.

    Attributes:
        label: What it is called on the page.
        moments: Every step, by time.
        pictures: By time, the same times and cameras in both drives.
        metrics: Name and value in words.
    """

    label: str
    moments: tuple[DriveMoment, ...]
    pictures: tuple[DrivePicture, ...]
    metrics: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CounterfactualData:
    """Everything that a counterfactual page shows.

    Attributes:
        episode: Name of the episode.
        change: What was changed, in words.
        driver: What drove, in words.
        original: The episode as it is.
        edited: The episode with the change.
        differs: Whether decision, cause or text differ at any moment.
        headline: What came of the change, in one sentence.
        findings: What differs, as a name and a sentence each.
        tracks: The changed actors.
        road_xy_m: Outlines of what can be driven on, float64 (N, 2) each.
        tags: Flat texts about the episode.
        command: Command line that makes this page again.
    """

    episode: str
    change: str
    driver: str
    original: CounterfactualDrive
    edited: CounterfactualDrive
    differs: bool
    headline: str
    findings: tuple[tuple[str, str], ...]
    tracks: tuple[ActorTrack, ...] = ()
    road_xy_m: tuple[NDArray[np.float64], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
