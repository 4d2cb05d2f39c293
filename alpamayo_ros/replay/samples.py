"""Keep an evenly thinned sample of the answered ticks, for the report, in bounded memory."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.geometry.rotation import to_matrix
from alpamayo_ros.pipeline.drive import TickAnswer
from alpamayo_ros.replay.driven_path import DrivenPath
from alpamayo_ros.replay.outputs import TickOutputs
from alpamayo_ros.replay.statements import describe_meta_action
from alpamayo_ros.structs.trajectory import TrajectorySet
from alpamayo_ros.structs.verdict import PredictedPath

MAX_SAMPLES = 48


@dataclass(slots=True)
class _Sample:
    number: int
    answer: TickAnswer
    driven: NDArray[np.float64] | None = None


class AnswerSamples:
    """Every n-th answered tick with its driven path; n doubles whenever there are too many."""

    def __init__(self) -> None:
        self._samples: dict[int, _Sample] = {}
        self._seen = 0
        self._stride = 1

    def add(self, answer: TickAnswer) -> None:
        """Take one answered tick."""
        number = self._seen
        self._seen += 1
        if number % self._stride:
            return
        self._samples[answer.status.t0_ns] = _Sample(number, answer)
        if len(self._samples) > MAX_SAMPLES:
            self._stride *= 2
            self._samples = {
                t0_ns: sample for t0_ns, sample in self._samples.items() if not sample.number % self._stride
            }

    def add_driven(self, path: DrivenPath) -> None:
        """Take the driven path of a tick that was added before, if it is still kept."""
        sample = self._samples.get(path.t0_ns)
        if sample is not None:
            sample.driven = path.rig_xyz_m

    def paths(self, approved: Iterable[TickOutputs] = ()) -> tuple[PredictedPath, ...]:
        """Return the kept ticks by t0.

        Args:
            approved: Outputs of the baseline, whose trajectories are shown beside ours.
        """
        baseline = {
            tick.status.t0_ns: tick.trajectories
            for tick in approved
            if tick.status.t0_ns in self._samples and tick.trajectories is not None
        }
        return tuple(_predicted(self._samples[t0_ns], baseline.get(t0_ns)) for t0_ns in sorted(self._samples))


def _predicted(sample: _Sample, baseline: TrajectorySet | None) -> PredictedPath:
    answer = sample.answer
    if answer.trajectories is None or answer.history is None or answer.rationale is None:
        raise ValueError("only answered ticks are kept")
    rig = _selected_xyz(answer.trajectories)
    approved = None if baseline is None else _selected_xyz(baseline)
    rotation = to_matrix(answer.history.odom_from_rig_quaternion)
    origin = answer.history.odom_from_rig_position_m
    return PredictedPath(
        t0_ns=answer.status.t0_ns,
        rig_xyz_m=rig,
        odom_xyz_m=rig @ rotation.T + origin,
        driven_rig_xyz_m=sample.driven if sample.driven is not None else np.zeros((0, 3)),
        rationale=answer.rationale.text,
        meta_action=describe_meta_action(answer.rationale),
        baseline_rig_xyz_m=approved,
        baseline_odom_xyz_m=None if approved is None else approved @ rotation.T + origin,
        causes=answer.rationale.causal_factors,
    )


def _selected_xyz(trajectories: TrajectorySet) -> NDArray[np.float64]:
    """Return the selected sample's positions, float64 (N, 3)."""
    rows = [getattr(trajectories, name)[trajectories.selected_index] for name in ("x", "y", "z")]
    return np.stack(rows, axis=1).astype(np.float64)
