"""Judgements of a replay, and what a report needs to show them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.structs.camera import CameraCalibration
from alpamayo_ros.structs.lineage import Lineage
from alpamayo_ros.structs.rationale import CausalFactor
from alpamayo_ros.structs.tick import TickOutcome


class Verdict(str, Enum):
    """Judgement of a replay."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    REGRESSION = "regression"
    INCONCLUSIVE = "inconclusive"
    NOT_COMPARABLE = "not_comparable"
    NOT_COMPARED = "not_compared"


@dataclass(frozen=True, slots=True)
class HorizonError:
    """Average displacement error up to one horizon.

    Attributes:
        horizon_s: Horizon in s.
        mean_m: Mean over ticks of the mean over points of the xy distance to the driven path, in m;
            None when no tick has a driven path that long.
        tick_count: Number of ticks that have one.
    """

    horizon_s: float
    mean_m: float | None
    tick_count: int


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field that differs from the baseline.

    Attributes:
        t0_ns: Tick.
        interface: ``tick``, ``rationale`` or ``trajectory_set``.
        field: Field name, with an index for arrays.
        baseline: Value in the baseline, as text.
        candidate: Value in the replay, as text.
        magnitude: Absolute difference, None where there is none.
        tolerance: Allowed absolute difference, None for exact fields.
        unit: Unit of both.
    """

    t0_ns: int
    interface: str
    field: str
    baseline: str
    candidate: str
    magnitude: float | None = None
    tolerance: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """How far one field moved over a whole replay."""

    interface: str
    field: str
    compared: int
    differing: int
    worst: float | None
    tolerance: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class BaselineInfo:
    """What a replay was compared with.

    Attributes:
        path: Folder of the baseline as it was named.
        author: Who approved it.
        reason: Why.
        lineage_id: Lineage of the approved outputs.
        output_digest: Digest of the approved outputs.
        content_digest: Digest of what the bag says that they were made from.
    """

    path: str
    author: str
    reason: str
    lineage_id: str
    output_digest: str
    content_digest: str


@dataclass(frozen=True, slots=True)
class TickDifference:
    """The worst numeric difference of one field at one tick, over all ticks that differ.

    Attributes:
        t0_ns: Tick.
        interface: ``rationale`` or ``trajectory_set``.
        field: Field name without index.
        multiple: Difference as a multiple of the tolerance; infinite for NaN against a number.
    """

    t0_ns: int
    interface: str
    field: str
    multiple: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Field-by-field comparison with a baseline.

    Attributes:
        completed: Whether every tick of both sides was compared.
        first_difference: The earliest difference, None if there is none.
        differing_tick_count: Ticks with at least one difference.
        compared_tick_count: Ticks present on both sides.
        differences: The first differences, at most a stated number.
        fields: One row per compared field.
        lineage_changes: kind, digest in the baseline, digest now; of components that differ.
        over_time: Numeric fields beyond their tolerance at every differing tick, by t0; thinned to at most a stated
            number of ticks, evenly over the drive.
    """

    completed: bool
    first_difference: FieldDifference | None
    differing_tick_count: int
    compared_tick_count: int
    differences: tuple[FieldDifference, ...] = ()
    fields: tuple[FieldSummary, ...] = ()
    lineage_changes: tuple[tuple[str, str, str], ...] = ()
    over_time: tuple[TickDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Outcome of one replay; ``result.json`` is its JSON form.

    Attributes:
        verdict: The judgement.
        reasons: Why, one sentence each.
        ticks: Count by outcome name, plus ``open_at_end`` and, where there were any, dropped inputs.
        content_digest: Digest of what the input bag says.
        input_order_digest: Digest of the messages really fed, in order.
        output_digest: Digest of the outputs.
        lineage: What produced the outputs.
        ade_m: Displacement errors by horizon.
        timings: Seconds by part; in no digest.
        comparison: Comparison with the baseline, None without one.
        bag_path: The bag as it was named.
        bag_state: What the bag says of itself: ``closed``, ``recovered`` or ``recording``; empty if nothing.
        profile: Name of the profile.
        executed: How the stages ran: ``in process``, ``graph`` (a process per node) or ``stack`` (the nodes in one
            process). It is no part of the lineage, and must change nothing.
        ticks_requested: ``all`` or ``recorded``.
        too_little: Why the replay shows too little to judge or to approve, one sentence each; empty if it does not.
        policy: Id and name of the comparison policy.
        baseline: What it was to be compared with, None without one.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    ticks: Mapping[str, int]
    content_digest: str
    input_order_digest: str
    output_digest: str
    lineage: Lineage
    ade_m: tuple[HorizonError, ...]
    timings: Mapping[str, float]
    comparison: Comparison | None = None
    bag_path: str = ""
    bag_state: str = ""
    profile: str = ""
    executed: str = "in process"
    ticks_requested: str = "all"
    too_little: tuple[str, ...] = ()
    policy: Mapping[str, Any] = field(default_factory=dict)
    baseline: BaselineInfo | None = None


@dataclass(frozen=True, slots=True)
class TickMark:
    """Outcome of one tick, for the time line."""

    t0_ns: int
    outcome: TickOutcome


@dataclass(frozen=True, slots=True)
class PredictedPath:
    """One selected trajectory, for the bird's-eye view and the picture.

    Attributes:
        t0_ns: Tick.
        rig_xyz_m: float64 (N, 3) in the rig frame at t0.
        odom_xyz_m: float64 (N, 3) in the odometry frame.
        driven_rig_xyz_m: float64 (M, 3), the driven path from t0 on in the rig frame at t0; M may be 0.
        rationale: The rationale's text at that tick.
        meta_action: The meta-action in words.
        baseline_rig_xyz_m: The approved trajectory of this tick in the rig frame at t0, None without one.
        baseline_odom_xyz_m: The same in the odometry frame.
        causes: What the rationale cites, with boxes in px of the camera's picture as received.
    """

    t0_ns: int
    rig_xyz_m: NDArray[np.float64]
    odom_xyz_m: NDArray[np.float64]
    driven_rig_xyz_m: NDArray[np.float64]
    rationale: str
    meta_action: str
    baseline_rig_xyz_m: NDArray[np.float64] | None = None
    baseline_odom_xyz_m: NDArray[np.float64] | None = None
    causes: tuple[CausalFactor, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """What was said at one or more ticks in a row.

    Attributes:
        first_t0_ns: First tick.
        last_t0_ns: Last tick.
        ticks: Number of answered ticks.
        rationale: The rationale's text.
        meta_action: The meta-action in words.
        causes: Labels of the cited causes, with the camera that shows each where there is a box.
    """

    first_t0_ns: int
    last_t0_ns: int
    ticks: int
    rationale: str
    meta_action: str
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportPicture:
    """One camera picture with what is drawn into it.

    Attributes:
        t0_ns: Tick.
        stamp_ns: The frame's own stamp.
        camera: The camera with intrinsics and pose.
        bgr: uint8 (height, width, 3).
        path: What to project.
    """

    t0_ns: int
    stamp_ns: int
    camera: CameraCalibration
    bgr: NDArray[np.uint8]
    path: PredictedPath


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a replay report shows.

    Attributes:
        title: Title of the page.
        result: Verdict, counts and origin.
        driven_odom_xyz_m: float64 (N, 3), the driven path.
        paths: Selected trajectories of some answered ticks, with what was said there.
        pictures: Camera pictures of some of these ticks.
        marks: Every tick and its outcome.
        picture_note: Why pictures are missing.
        bag_tags: Tags of the bag.
        command: Command line that makes the page again.
        statements: What was said over time, equal answers in a row as one.
        statements_left_out: How many more there were.
    """

    title: str
    result: ReplayResult
    driven_odom_xyz_m: NDArray[np.float64]
    paths: tuple[PredictedPath, ...]
    pictures: tuple[ReportPicture, ...]
    marks: tuple[TickMark, ...]
    picture_note: str = ""
    bag_tags: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    statements: tuple[Statement, ...] = ()
    statements_left_out: int = 0
