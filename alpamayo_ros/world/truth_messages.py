"""The ground truth of an episode in the words of a model's outputs: rationales with boxes, and navigation commands."""

from collections.abc import Sequence

from alpamayo_ros.structs.lineage import NONE
from alpamayo_ros.structs.navigation import Navigation
from alpamayo_ros.structs.rationale import CausalFactor, Rationale
from alpamayo_ros.world.causal_box import causal_box
from alpamayo_ros.world.episode import EpisodeRecord
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import PinholeCamera
from alpamayo_ros.world.truth import truth_at


class TruthRationales:
    """Rationales of the expert: what a perfect model would say."""

    def __init__(self, record: EpisodeRecord, renderer: Renderer, cameras: Sequence[PinholeCamera]) -> None:
        """Take an episode and the cameras that boxes may lie in, in the order of the profile."""
        self._record = record
        self._renderer = renderer
        self._cameras = tuple(cameras)

    def at_step(self, step: int, stamp_ns: int) -> Rationale:
        """Return what the expert does at a step and why, with the cause's box in the camera that shows it best.

        Args:
            step: Number of the step.
            stamp_ns: Its stamp.
        """
        truth = truth_at(self._record, step)
        factors: tuple[CausalFactor, ...] = ()
        if truth.label:
            box = causal_box(self._renderer, self._cameras, self._record.snapshots[step], truth.actor_id)
            label = truth.label.replace("_", " ")
            factors = (
                CausalFactor(label, truth.actor_id)
                if box is None
                else CausalFactor(label, truth.actor_id, box.camera, box.box_px),
            )
        return Rationale(
            t0_ns=stamp_ns,
            text=truth.text,
            longitudinal=truth.longitudinal,
            lateral=truth.lateral,
            lane=truth.lane,
            causal_factors=factors,
            lineage_id=NONE,
            envelope_id=NONE,
        )


def navigation_at_steps(record: EpisodeRecord) -> tuple[Navigation, ...]:
    """Return what the driver is told at every step: the next maneuver of the route."""
    commands = []
    near_s: float | None = None
    for snapshot in record.snapshots:
        x, y, _ = snapshot.ego.position
        near_s, _ = record.route.path.project(x, y, near_s)
        commands.append(Navigation[record.route.navigation(near_s).upper()])
    return tuple(commands)
