"""The same episode with and without its cause: drive it twice, look at both, and say what changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.geometry.camera import project_ground_strip
from alpamayo_ros.geometry.rotation import to_matrix
from alpamayo_ros.report.counterfactual import cause_words
from alpamayo_ros.structs.camera import CameraCalibration
from alpamayo_ros.structs.counterfactual import (
    ActorTrack,
    CounterfactualData,
    CounterfactualDrive,
    DrivePicture,
)
from alpamayo_ros.world.changes import Changes
from alpamayo_ros.world.driven import DrivenEpisode
from alpamayo_ros.world.findings import Findings, compare_moments
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import FRONT_FOUR, PinholeCamera, camera
from alpamayo_ros.world.road_map import DRIVING, INTERNAL, RoadMap
from alpamayo_ros.world.snapshot import STEP_S, EgoState

ORIGINAL_LABEL = "as it is"
PAGE_SIZE = (640, 384)
FIRST_LOOK = "camera_front_wide_120fov"
_STRIP_WIDTH_M = 1.9
_NEAR_M = 60.0
"""Roads farther from both drives than this are not drawn."""


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """Two drives and what is to be said about them.

    Attributes:
        data: What the page shows.
        findings: What came of the change.
        original: The episode as it is.
        edited: The episode with the change.
    """

    data: CounterfactualData
    findings: Findings
    original: DrivenEpisode
    edited: DrivenEpisode


def compare_drives(
    original: DrivenEpisode,
    edited: DrivenEpisode,
    changes: Changes,
    *,
    at_s: Sequence[float] = (),
    command: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Counterfactual:
    """Compare two drives of one episode and take the pictures of a page.

    Args:
        original: The episode as it is.
        edited: The same episode, by the same driver, with the changes.
        changes: What was changed.
        at_s: Moments to show, in s after the start; none for those where most happens.
        command: Command line that makes this again.
        progress: Called with the pictures taken and their total.

    Raises:
        ParameterError: A moment lies after the end of a drive.
    """
    findings = compare_moments(original.moments, edited.moments, changes.words, changes.actors)
    end_s = min(original.moments[-1].t_s, edited.moments[-1].t_s)
    for wanted in at_s:
        if wanted > end_s + 1e-9:
            raise ParameterError(f"--at {wanted:g} s is after the end of the drives; expected 0 to {end_s:.1f} s")
    times = tuple(at_s) or findings.picture_times_s
    pictures = _Pictures(original, edited)
    taken: tuple[list[DrivePicture], list[DrivePicture]] = ([], [])
    for done, t_s in enumerate(times, start=1):
        for side, picture in zip(taken, pictures.at(round(t_s / STEP_S)), strict=True):
            side.append(picture)
        if progress is not None:
            progress(done, len(times))
    label = changes.words
    data = CounterfactualData(
        episode=original.spec.id,
        change=changes.words,
        driver=original.driver,
        original=CounterfactualDrive(ORIGINAL_LABEL, original.moments, tuple(taken[0]), original.metrics),
        edited=CounterfactualDrive(label, edited.moments, tuple(taken[1]), edited.metrics),
        differs=findings.differs,
        headline=findings.headline,
        findings=findings.rows,
        tracks=_tracks(original, edited, changes),
        road_xy_m=_road(original, edited),
        tags=original.tags,
        command=command,
    )
    return Counterfactual(data, findings, original, edited)


class _Pictures:
    """Takes pictures of both drives with the same camera at the same moment."""

    def __init__(self, original: DrivenEpisode, edited: DrivenEpisode) -> None:
        self._drives = (original, edited)
        spec = original.spec
        # Edits never touch the roads, so one renderer draws both.
        self._renderer = Renderer(original.road_map, spec.seed, spec.conditions)
        self._cameras = {name: camera(name, *PAGE_SIZE) for name in FRONT_FOUR}

    def at(self, step: int) -> tuple[DrivePicture, DrivePicture]:
        """Return the pictures of a step, through the camera that shows the named cause."""
        boxes = [drive.box(step, self._renderer, tuple(self._cameras.values())) for drive in self._drives]
        chosen = next((box.camera for box in boxes if box is not None and box.camera in self._cameras), FIRST_LOOK)
        one = self._cameras[chosen]
        first, second = (
            self._picture(drive, step, one, box.box_px if box is not None and box.camera == chosen else None)
            for drive, box in zip(self._drives, boxes, strict=True)
        )
        return first, second

    def _picture(
        self, drive: DrivenEpisode, step: int, one: PinholeCamera, box: tuple[float, float, float, float] | None
    ) -> DrivePicture:
        snapshot, moment = drive.snapshots[step], drive.moments[step]
        label = cause_words(moment)
        return DrivePicture(
            t_s=snapshot.t_s,
            camera=one.id,
            bgr=self._renderer.render(one, snapshot),
            box_px=box,
            box_label=label if box is not None else "",
            strip_px=_strip(moment.planned_xy_m, snapshot.ego, one),
        )


def _strip(planned_xy_m: NDArray[np.float64], ego: EgoState, one: PinholeCamera) -> NDArray[np.float64]:
    """Return a plan as quads on the ground in a camera's picture."""
    planned = planned_xy_m[np.isfinite(planned_xy_m).all(axis=1)]
    if not len(planned):
        return np.zeros((0, 4, 2))
    world = np.column_stack([planned, np.zeros(len(planned))]) - np.array(ego.position)
    rig = np.concatenate([np.zeros((1, 3)), world @ to_matrix(np.array(ego.quaternion))])
    return project_ground_strip(rig, _STRIP_WIDTH_M, CameraCalibration(one.id, one.intrinsics, one.pose))


def _tracks(original: DrivenEpisode, edited: DrivenEpisode, changes: Changes) -> tuple[ActorTrack, ...]:
    tracks = []
    for drive, is_edited in ((original, False), (edited, True)):
        for name in changes.actors:
            seen = [(one.t_s, actor) for one in drive.snapshots for actor in one.actors if actor.id == name]
            if seen:
                times = np.array([t_s for t_s, _ in seen])
                places = np.array([(actor.x, actor.y) for _, actor in seen], dtype=np.float64)
                tracks.append(ActorTrack(name, seen[0][1].kind, times, places, is_edited))
    return tuple(tracks)


def _road(original: DrivenEpisode, edited: DrivenEpisode) -> tuple[NDArray[np.float64], ...]:
    """Return outlines of junctions and lanes near the drives."""
    driven = np.array([(moment.x_m, moment.y_m) for drive in (original, edited) for moment in drive.moments])
    low, high = driven.min(axis=0) - _NEAR_M, driven.max(axis=0) + _NEAR_M
    return tuple(
        outline for outline in _outlines(original.road_map) if ((outline >= low) & (outline <= high)).all(axis=1).any()
    )


def _outlines(road_map: RoadMap) -> list[NDArray[np.float64]]:
    outlines = [np.asarray(outline, dtype=np.float64) for outline in road_map.junctions.values()]
    for lane in road_map.lanes.values():
        if lane.kind in (DRIVING, INTERNAL) and len(lane.centre) > 1:
            along = np.gradient(lane.centre, axis=0)
            across = np.column_stack([-along[:, 1], along[:, 0]])
            across *= 0.5 * lane.width_m / np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
            outlines.append(np.concatenate([lane.centre + across, (lane.centre - across)[::-1]]))
    return outlines
