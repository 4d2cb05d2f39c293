"""How well a camera sees, judged from its pictures."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class SightState(IntEnum):
    """How bad a finding is; the numbers are the constants of msg/CameraHealth.msg."""

    OK = 0
    WARN = 1
    ERROR = 2


FINDINGS = ("too_dark", "too_bright", "blackout", "blur", "frozen", "occlusion", "glare")
"""What a camera is judged for, in the order of every report."""


@dataclass(frozen=True, slots=True)
class SightFinding:
    """One thing that a picture was judged for.

    Attributes:
        name: One of FINDINGS.
        score: How strong it is; more is worse. Shares are 0 to 1, ``frozen`` counts pictures.
        warn_limit: From this score on it is a WARN.
        error_limit: From this score on it is an ERROR.
    """

    name: str
    score: float
    warn_limit: float
    error_limit: float

    def __post_init__(self) -> None:
        """Quantise the numbers to the message's float32."""
        for name in ("score", "warn_limit", "error_limit"):
            object.__setattr__(self, name, float(np.float32(getattr(self, name))))

    @property
    def state(self) -> SightState:
        """Return how bad it is."""
        if self.score >= self.error_limit:
            return SightState.ERROR
        return SightState.WARN if self.score >= self.warn_limit else SightState.OK


@dataclass(frozen=True, slots=True)
class CameraHealth:
    """How well one camera sees at one tick.

    Attributes:
        camera: Camera id.
        findings: Everything that was judged, in the order of FINDINGS.
    """

    camera: str
    findings: tuple[SightFinding, ...]

    @property
    def state(self) -> SightState:
        """Return the worst state of the findings."""
        return max((finding.state for finding in self.findings), default=SightState.OK)

    @property
    def text(self) -> str:
        """Return what is wrong, with its numbers; empty if nothing is."""
        wrong = sorted(
            (finding for finding in self.findings if finding.state is not SightState.OK),
            key=lambda finding: -finding.state,
        )
        return ", ".join(_words(finding) for finding in wrong)


def _words(finding: SightFinding) -> str:
    limit = finding.error_limit if finding.state is SightState.ERROR else finding.warn_limit
    return f"{finding.name} {finding.score:.3g}, {finding.state.name} from {limit:.3g} on"
