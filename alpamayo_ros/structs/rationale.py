"""What the model says it does, and why."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class LongitudinalAction(IntEnum):
    """Meta-action along the path; the numbers are the constants of msg/Rationale.msg."""

    UNKNOWN = 0
    STOPPED = 1
    KEEP_SPEED = 2
    ACCELERATE = 3
    DECELERATE = 4
    REVERSE = 5


class LateralAction(IntEnum):
    """Meta-action across the path; the numbers are the constants of msg/Rationale.msg."""

    UNKNOWN = 0
    STRAIGHT = 1
    LEFT = 2
    RIGHT = 3


class LaneAction(IntEnum):
    """Meta-action in terms of lanes; the numbers are the constants of msg/Rationale.msg."""

    UNKNOWN = 0
    KEEP = 1
    CHANGE_LEFT = 2
    CHANGE_RIGHT = 3


LONGITUDINAL_WORDS = {
    LongitudinalAction.STOPPED: "stopped",
    LongitudinalAction.KEEP_SPEED: "keeping speed",
    LongitudinalAction.ACCELERATE: "accelerating",
    LongitudinalAction.DECELERATE: "decelerating",
    LongitudinalAction.REVERSE: "reversing",
}
"""What a meta-action along the path is called in front of people; an unknown one has no words."""

LATERAL_WORDS = {
    LateralAction.STRAIGHT: "straight on",
    LateralAction.LEFT: "turning left",
    LateralAction.RIGHT: "turning right",
}
"""What a meta-action across the path is called; an unknown one has no words."""

LANE_WORDS = {
    LaneAction.KEEP: "keeping the lane",
    LaneAction.CHANGE_LEFT: "changing to the lane on the left",
    LaneAction.CHANGE_RIGHT: "changing to the lane on the right",
}
"""What a meta-action in terms of lanes is called; an unknown one has no words."""


class ConfidenceKind(IntEnum):
    """What a confidence means; the numbers are the constants of msg/Rationale.msg."""

    NONE = 0
    TOKEN_PROBABILITY = 1
    CALIBRATED = 2


@dataclass(frozen=True, slots=True)
class CausalFactor:
    """One cause that a rationale cites.

    Attributes:
        label: What it is.
        actor_id: Id of the actor in its source, empty if unknown.
        camera: Camera id that the box belongs to, empty if there is no box.
        box_px: left, top, width, height in px of the camera's picture as received, whatever size the model looks at.
    """

    label: str
    actor_id: str = ""
    camera: str = ""
    box_px: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        """Quantise the box to the message's float32."""
        left, top, width, height = (float(np.float32(value)) for value in self.box_px)
        object.__setattr__(self, "box_px", (left, top, width, height))


@dataclass(frozen=True, slots=True)
class Rationale:
    """What the model says it does at t0, and why.

    Attributes:
        t0_ns: Model time in ns.
        text: Reasoning text.
        longitudinal: Meta-action along the path.
        lateral: Meta-action across the path.
        lane: Meta-action in terms of lanes.
        causal_factors: Cited causes.
        truncated: Whether the text was cut at the maximum length.
        stop_token_missing: Whether the model did not emit its stop token.
        confidence_kind: What ``confidence`` means; NONE when the model gives none.
        confidence: Value, 0 when the kind is NONE.
        lineage_id: ``sha256:`` id of the lineage.
        envelope_id: ``sha256:`` id of the envelope, or ``none``.
    """

    t0_ns: int
    text: str
    longitudinal: LongitudinalAction = LongitudinalAction.UNKNOWN
    lateral: LateralAction = LateralAction.UNKNOWN
    lane: LaneAction = LaneAction.UNKNOWN
    causal_factors: tuple[CausalFactor, ...] = ()
    truncated: bool = False
    stop_token_missing: bool = False
    confidence_kind: ConfidenceKind = ConfidenceKind.NONE
    confidence: float = 0.0
    lineage_id: str = ""
    envelope_id: str = ""

    def __post_init__(self) -> None:
        """Quantise the confidence to the message's float32."""
        object.__setattr__(self, "confidence", float(np.float32(self.confidence)))
