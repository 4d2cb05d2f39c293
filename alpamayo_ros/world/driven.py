"""A drive of an episode as pages show it, whoever drove: where it was, what was decided, what was said."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.structs.counterfactual import DriveMoment
from alpamayo_ros.structs.rationale import CausalFactor
from alpamayo_ros.world.causal_box import CausalBox, causal_box
from alpamayo_ros.world.episode import EpisodeRecord
from alpamayo_ros.world.metrics import DriveMetrics, evaluate_drive
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import PinholeCamera
from alpamayo_ros.world.road_map import RoadMap
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.snapshot import Snapshot
from alpamayo_ros.world.tags import episode_tags
from alpamayo_ros.world.truth import truth_at

EXPERT_WORDS = "the expert, who knows the world and names the true cause"
PLAN_STEPS = 64
"""Steps of a plan that are shown: 6.4 s."""


@dataclass(frozen=True, slots=True)
class DrivenEpisode:
    """One drive of one episode.

    Attributes:
        spec: Of the episode.
        driver: Who drove, in words.
        road_map: The roads.
        snapshots: The world at every step.
        moments: What was decided and said; one for each snapshot.
        factors: What was named with its box in a picture of ``picture_size``; one for each snapshot, None where the
            box is to be found in the world.
        picture_size: Width and height in px that boxes refer to.
        metrics: Name and value in words.
        answered: How often the driver decided.
        tags: Flat texts about the episode.
    """

    spec: EpisodeSpec
    driver: str
    road_map: RoadMap
    snapshots: tuple[Snapshot, ...]
    moments: tuple[DriveMoment, ...]
    factors: tuple[CausalFactor | None, ...]
    picture_size: tuple[int, int]
    metrics: tuple[tuple[str, str], ...]
    answered: int
    tags: Mapping[str, str]

    def box(self, step: int, renderer: Renderer, cameras: Sequence[PinholeCamera]) -> CausalBox | None:
        """Return where the named cause is in a picture of these cameras, None where it is in none.

        What a model points at is shown as it pointed; what the expert means is found in the world.
        """
        factor, moment = self.factors[step], self.moments[step]
        if factor is None:
            return causal_box(renderer, cameras, self.snapshots[step], moment.actor_id)
        one = next((one for one in cameras if one.id == factor.camera), None)
        if one is None or not (factor.box_px[2] > 0.0 and factor.box_px[3] > 0.0):
            return None
        across, down = one.width / self.picture_size[0], one.height / self.picture_size[1]
        left, top, width, height = factor.box_px
        return CausalBox(one.id, (left * across, top * down, width * across, height * down))


def expert_drive(record: EpisodeRecord) -> DrivenEpisode:
    """Return a drive of the expert; its plan is what it then drove."""
    path = np.array([one.ego.position[:2] for one in record.snapshots], dtype=np.float64)
    moments = []
    for step, snapshot in enumerate(record.snapshots):
        truth = truth_at(record, step)
        moments.append(
            DriveMoment(
                t_s=snapshot.t_s,
                x_m=snapshot.ego.position[0],
                y_m=snapshot.ego.position[1],
                heading_rad=snapshot.ego.yaw,
                speed_mps=snapshot.ego.speed_mps,
                longitudinal=truth.longitudinal,
                lateral=truth.lateral,
                lane=truth.lane,
                cause=truth.label,
                actor_id=truth.actor_id,
                text=truth.text,
                planned_xy_m=path[step + 1 : step + 1 + PLAN_STEPS],
            )
        )
    metrics = evaluate_drive(record.snapshots, record.road_map, record.route)
    return DrivenEpisode(
        spec=record.spec,
        driver=EXPERT_WORDS,
        road_map=record.road_map,
        snapshots=record.snapshots,
        moments=tuple(moments),
        factors=(None,) * len(moments),
        picture_size=(1, 1),
        metrics=metric_words(metrics),
        answered=len(moments),
        tags=episode_tags(record.spec),
    )


def world_path(snapshot: Snapshot, ahead_m: NDArray[np.float64], left_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return places in the rig frame of a moment as places in the world, float64 (N, 2)."""
    cosine, sine = math.cos(snapshot.ego.yaw), math.sin(snapshot.ego.yaw)
    x, y, _ = snapshot.ego.position
    return np.column_stack([x + ahead_m * cosine - left_m * sine, y + ahead_m * sine + left_m * cosine])


def metric_words(metrics: DriveMetrics) -> tuple[tuple[str, str], ...]:
    """Put metrics in words."""
    collision = metrics.collision
    hit = "none" if collision is None else f"with {collision.kind} {collision.actor_id} at {collision.t_s:.1f} s"
    nearest = metrics.time_to_collision_s
    rows = [
        ("Collision", hit),
        ("Off the road", f"{metrics.off_road_s:.1f} s" if metrics.off_road else "never"),
        ("Way along the route", f"{metrics.progress_m:.1f} m"),
        ("Least time to collision", f"{nearest:.1f} s" if math.isfinite(nearest) else "none in sight"),
        ("Hardest braking", f"{metrics.braking_mps2:.1f} m/s\N{SUPERSCRIPT TWO}"),
        ("Strongest jerk", f"{metrics.jerk_mps3:.1f} m/s\N{SUPERSCRIPT THREE}"),
        ("Stop lines crossed at red", str(metrics.red_lights)),
    ]
    if metrics.progress_share is not None:
        rows.insert(3, ("Share of the expert's way", f"{100.0 * metrics.progress_share:.0f} %"))
    return tuple(rows)
