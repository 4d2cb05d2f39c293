"""Training samples of one episode that the expert drove."""

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.inference.networks.anatomy import CAMERAS, HEIGHT_PX, HISTORY_ROWS, NAVIGATION, POINTS, WIDTH_PX
from alpamayo_ros.reasoning.driving_language import (
    BIN_PX,
    COLUMN_BINS,
    LABELS,
    MAX_TOKENS,
    ROW_BINS,
    Answer,
    DrivingLanguage,
)  # fmt: skip
from alpamayo_ros.training.branches import counterfactuals
from alpamayo_ros.training.motion_targets import actions_from_motion, in_rig_frame
from alpamayo_ros.training.recovery import LARGEST_LEFT_M, LARGEST_TURN_RAD, displaced, recovered
from alpamayo_ros.training.sampling_plan import sampled_steps
from alpamayo_ros.training.shard import BOX_CLASSES, Shard
from alpamayo_ros.world.causal_box import CausalBox, causal_box
from alpamayo_ros.world.closed_loop import JPEG_QUALITY
from alpamayo_ros.world.conditions import Conditions
from alpamayo_ros.world.episode import EpisodeRecord
from alpamayo_ros.world.rendering.boxes import VisibleBox
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import PinholeCamera, camera
from alpamayo_ros.world.road_map import RoadMap
from alpamayo_ros.world.snapshot import EgoState, Snapshot
from alpamayo_ros.world.truth import Truth, truth_at

DISPLACED_SHARE = 0.35
COUNTERFACTUALS = 3
"""Samples of an episode without their decisive cause, at most."""
LEAST_SHARE = 0.15
"""What is hidden more than that is not asked for by the dense heads."""
_OBSTACLES = ("cone", "barrier")


class RememberingRenderer(Renderer):
    """A renderer that finds the boxes of one moment once: the cause is looked for among all that is seen."""

    def __init__(self, road_map: RoadMap, seed: int, conditions: Conditions) -> None:
        super().__init__(road_map, seed, conditions)
        self._moment: Snapshot | None = None
        self._found: dict[str, tuple[VisibleBox, ...]] = {}

    def visible_boxes(self, camera: PinholeCamera, snapshot: Snapshot) -> tuple[VisibleBox, ...]:
        """Return what the camera sees of actors and signals; see ``Renderer.visible_boxes``."""
        if self._moment is not snapshot:
            self._moment, self._found = snapshot, {}
        if camera.id not in self._found:
            self._found[camera.id] = super().visible_boxes(camera, snapshot)
        return self._found[camera.id]


@dataclass(frozen=True, slots=True)
class SampleMaker:
    """Renders samples of one episode.

    Attributes:
        record: The episode.
        renderer: Of its map and conditions.
        cameras: In the model's order.
        language: For the answers.
        seed: Seed of the displacements.
    """

    record: EpisodeRecord
    renderer: Renderer
    cameras: tuple[PinholeCamera, ...]
    language: DrivingLanguage
    seed: int

    def steps(self) -> list[int]:
        """Return the steps that become samples."""
        decisions = [
            (one.cause.label if one.cause else "", one.longitudinal, one.lateral, one.lane)
            for one in self.record.decisions
        ]
        return sampled_steps(decisions, len(self.record.snapshots) - 1)

    def sample(self, step: int) -> dict[str, Any]:
        """Return the arrays of one sample by the names of Shard; ``pictures`` is a list of JPEG bytes."""
        random = np.random.default_rng([self.seed, step])
        left, turn = 0.0, 0.0
        if random.random() < DISPLACED_SHARE:
            left = float(random.uniform(-LARGEST_LEFT_M, LARGEST_LEFT_M))
            turn = float(random.uniform(-LARGEST_TURN_RAD, LARGEST_TURN_RAD))
        snapshots = self.record.snapshots
        now, before = snapshots[step], snapshots[step - 1]
        shown = [_from_beside(moment, now.ego, left, turn) for moment in (before, now)]
        driven = [snapshots[number].ego for number in range(step, step + POINTS + 1)]
        if left or turn:
            driven = recovered(driven, shown[1].ego)
        truth = truth_at(self.record, step)
        # Moment by moment: the renderer keeps what it placed for the next camera.
        taken = [[self._jpeg(one, moment) for one in self.cameras] for moment in shown]
        box = causal_box(self.renderer, self.cameras, shown[1], truth.actor_id)
        motion = _motion(driven)
        s_m, _ = self.record.route.path.project(now.ego.position[0], now.ego.position[1])
        return {
            "pictures": [frames[number] for number in range(len(self.cameras)) for frames in taken],
            "history": _history([snapshots[number].ego for number in range(step + 1 - HISTORY_ROWS, step + 1)]),
            "navigation": np.int8(NAVIGATION.index(self.record.route.navigation(s_m))),
            "speed_mps": np.float32(now.ego.speed_mps),
            "tokens": self._tokens(truth, box),
            "label": np.int8(LABELS.index(truth.label) if truth.label else -1),
            "decisive": np.bool_(truth.decisive),
            "meta": np.array([truth.longitudinal, truth.lateral, truth.lane], np.int8),
            "boxes": self._boxes(shown[1], box),
            "step": np.int32(step),
            "edited": np.bool_(0),
            "displaced": np.array([left, turn], np.float32),
            **motion,
        }

    def _jpeg(self, one: PinholeCamera, moment: Snapshot) -> NDArray[np.uint8]:
        picture = self.renderer.render(one, moment)
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        return np.asarray(data, np.uint8).ravel()

    def _tokens(self, truth: Truth, box: CausalBox | None) -> NDArray[np.int16]:
        said = Answer(
            words=truth.words,
            label=truth.label,
            camera=CAMERAS.index(box.camera) if box else None,
            box_bins=box_bins(box.box_px) if box else None,
            longitudinal=truth.longitudinal,
            lateral=truth.lateral,
            lane=truth.lane,
        )
        ids = self.language.encode(said)
        return np.array(ids + [0] * (MAX_TOKENS - len(ids)), np.int16)

    def _boxes(self, moment: Snapshot, cause: CausalBox | None) -> NDArray[np.float32]:
        """Return the boxes of everything that is seen well enough, and of the cause."""
        actors = {actor.id: actor for actor in moment.actors}
        signals = {signal.id: signal for signal in moment.signals}
        rows = []
        for number, one in enumerate(self.cameras):
            for found in self.renderer.visible_boxes(one, moment):
                if found.visible_share < LEAST_SHARE:
                    continue
                left, top, width, height = found.box_px
                edges = (left, top, left + width, top + height)
                if found.id in signals:
                    kinds = [signals[found.id].state] if _towards(moment.ego, signals[found.id].heading) else []
                else:
                    actor = actors[found.id]
                    kinds = [_class(actor.kind), *(["braking"] if actor.braking else [])]
                rows += [
                    (number, BOX_CLASSES.index(kind), *edges, found.distance_m) for kind in kinds if kind in BOX_CLASSES
                ]
        if cause is not None:
            left, top, width, height = cause.box_px
            number = CAMERAS.index(cause.camera)
            rows.append((number, BOX_CLASSES.index("cause"), left, top, left + width, top + height, 0.0))
        return np.array(rows, np.float32).reshape(-1, 7)


def sample_maker(record: EpisodeRecord, seed: int) -> SampleMaker:
    """Return the maker of an episode's samples at the model's picture size."""
    return SampleMaker(
        record,
        RememberingRenderer(record.road_map, record.spec.seed, record.spec.conditions),
        tuple(camera(name, WIDTH_PX, HEIGHT_PX) for name in CAMERAS),
        DrivingLanguage(),
        seed,
    )


def episode_shard(record: EpisodeRecord, seed: int) -> Shard | None:
    """Return the samples of an episode, None if it has none.

    Args:
        record: The episode.
        seed: Seed of displacements and counterfactuals.
    """
    maker = sample_maker(record, seed)
    steps = maker.steps()
    rows = [maker.sample(step) for step in steps]
    for step, changed in counterfactuals(record, steps, COUNTERFACTUALS, np.random.default_rng([seed, 1])):
        rows.append({**replace(maker, record=changed).sample(step), "edited": np.bool_(1)})
    if not rows:
        return None
    pictures = [jpeg for row in rows for jpeg in row.pop("pictures")]
    boxes = [row.pop("boxes") for row in rows]
    return Shard(
        pictures=np.concatenate(pictures),
        picture_ends=np.cumsum([len(jpeg) for jpeg in pictures]).astype(np.int64),
        boxes=np.concatenate(boxes).astype(np.float32),
        box_ends=np.cumsum([len(box) for box in boxes]).astype(np.int64),
        episode=np.zeros(len(rows), np.int32),
        episodes=np.array([record.spec.id]),
        **{name: np.stack([row[name] for row in rows]) for name in rows[0]},
    )


def box_bins(box_px: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    """Return the edges in bins that enclose a box left, top, width, height in px."""
    left, top, width, height = box_px
    first_column = min(max(math.floor(left / BIN_PX), 0), COLUMN_BINS - 1)
    first_row = min(max(math.floor(top / BIN_PX), 0), ROW_BINS - 1)
    last_column = min(max(math.ceil((left + width) / BIN_PX), first_column + 1), COLUMN_BINS)
    last_row = min(max(math.ceil((top + height) / BIN_PX), first_row + 1), ROW_BINS)
    return first_column, first_row, last_column, last_row


def _class(kind: str) -> str:
    if kind == "pedestrian":
        return kind
    return "obstacle" if kind in _OBSTACLES else "vehicle"


def _towards(ego: EgoState, heading: float) -> bool:
    """Tell whether a signal is for traffic that drives about as the ego vehicle does; others show their back."""
    return math.cos(ego.yaw - heading) > 0.5


def _from_beside(moment: Snapshot, now: EgoState, left_m: float, turn_rad: float) -> Snapshot:
    if not left_m and not turn_rad:
        return moment
    return replace(moment, ego=displaced(moment.ego, now, left_m, turn_rad))


def _history(states: list[EgoState]) -> NDArray[np.float32]:
    x = np.array([state.position[0] for state in states])
    y = np.array([state.position[1] for state in states])
    yaw = np.array([state.yaw for state in states])
    last = states[-1]
    local = in_rig_frame(x, y, yaw, (last.position[0], last.position[1], last.yaw))
    return np.stack([local[:, 0], local[:, 1], np.cos(local[:, 2]), np.sin(local[:, 2])], axis=1).astype(np.float32)


def _motion(states: list[EgoState]) -> dict[str, NDArray[np.float32]]:
    x = np.array([state.position[0] for state in states])
    y = np.array([state.position[1] for state in states])
    yaw = np.array([state.yaw for state in states])
    speed = np.array([state.speed_mps for state in states])
    first = states[0]
    local = in_rig_frame(x, y, yaw, (first.position[0], first.position[1], first.yaw))
    return {
        "actions": actions_from_motion(speed, yaw),
        "future": np.concatenate([local[1:], speed[1:, None]], axis=1).astype(np.float32),
    }
