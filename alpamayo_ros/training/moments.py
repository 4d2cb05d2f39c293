"""Moments of recorded drives as observations, through the same pictures and stages as the pipeline's."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.geometry.rotation import to_matrix
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.pipeline.stages import Stages
from alpamayo_ros.reasoning.reasoned import Reasoned
from alpamayo_ros.structs.navigation import Navigation
from alpamayo_ros.structs.observation import EgoHistory, Observation
from alpamayo_ros.structs.trajectory import TrajectorySet
from alpamayo_ros.world.closed_loop import JPEG_QUALITY
from alpamayo_ros.world.edits import Edit, edit_snapshot
from alpamayo_ros.world.episode import EpisodeRecord
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import PinholeCamera, camera
from alpamayo_ros.world.snapshot import EgoState, Snapshot

STEP_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model makes of one moment."""

    reasoned: Reasoned
    trajectories: TrajectorySet


class Moments:
    """Observations of one recorded drive for one profile."""

    def __init__(self, record: EpisodeRecord, profile: Profile) -> None:
        """Prepare cameras and renderer.

        Args:
            record: The drive.
            profile: States cameras, frames and history.
        """
        self.record, self._profile = record, profile
        self._renderer = Renderer(record.road_map, record.spec.seed, record.spec.conditions)
        size = (profile.image_width, profile.image_height)
        self._cameras: tuple[PinholeCamera, ...] = tuple(camera(spec.id, *size) for spec in profile.cameras)

    @property
    def first_step(self) -> int:
        """First step with a whole history."""
        return self._profile.history_length - 1

    def observation(self, step: int, edits: Sequence[Edit] = ()) -> Observation:
        """Return the observation at a step, in a world where something is changed in its pictures.

        Raises:
            ParameterError: An edit names what is not there.
        """
        snapshots = self.record.snapshots
        shown = [_edited(moment, edits) for moment in snapshots[step + 1 - self._profile.frames_per_camera : step + 1]]
        images = np.stack([np.stack([self._picture(one, moment) for moment in shown]) for one in self._cameras])
        ego = snapshots[step].ego
        s_m, _ = self.record.route.path.project(ego.position[0], ego.position[1])
        return Observation(
            t0_ns=step * STEP_NS,
            epoch=0,
            history=ego_history([moment.ego for moment in snapshots[step - self.first_step : step + 1]]),
            images=images,
            navigation=Navigation[self.record.route.navigation(s_m).upper()],
        )

    def seen_areas(self, step: int) -> dict[str, float]:
        """Return the visible area in px of each actor and signal at a step, over all cameras."""
        areas: dict[str, float] = {}
        for one in self._cameras:
            for found in self._renderer.visible_boxes(one, self.record.snapshots[step]):
                area = found.box_px[2] * found.box_px[3] * found.visible_share
                areas[found.id] = areas.get(found.id, 0.0) + area
        return areas

    def _picture(self, one: PinholeCamera, moment: Snapshot) -> NDArray[np.uint8]:
        _, data = cv2.imencode(".jpg", self._renderer.render(one, moment), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)


def ego_history(states: Sequence[EgoState]) -> EgoHistory:
    """Return the history of states 100 ms apart, the last at t0."""
    rotations = np.stack([to_matrix(np.array(state.quaternion)) for state in states])
    position = np.array([state.position for state in states])
    last = rotations[-1]
    local = (position - position[-1]) @ last
    turned = last.T @ rotations
    turned[-1] = np.eye(3)
    return EgoHistory(
        offsets_ns=STEP_NS * np.arange(1 - len(states), 1, dtype=np.int64),
        position_m=local,
        rotation=turned,
        odom_from_rig_position_m=position[-1],
        odom_from_rig_quaternion=np.array(states[-1].quaternion),
    )


def answer(stages: Stages, observation: Observation) -> Answered:
    """Run every stage on an observation.

    Raises:
        BackendError: A stage did not succeed.
    """
    reasoned = stages.reasoner.reason(stages.perceive(observation))
    return Answered(reasoned, stages.planner.plan(reasoned.context))


def _edited(moment: Snapshot, edits: Sequence[Edit]) -> Snapshot:
    return edit_snapshot(moment, edits) if edits else moment
