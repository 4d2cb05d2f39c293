"""What a model said over a drive: equal answers in a row as one statement, in bounded memory."""

from alpamayo_ros.structs.rationale import CausalFactor, Rationale
from alpamayo_ros.structs.verdict import Statement

MOST_STATEMENTS = 200
"""More are counted, not kept."""


class Statements:
    """Statements in the order of their ticks."""

    def __init__(self) -> None:
        self._found: list[Statement] = []
        self._changes = 0
        self._newest: tuple[str, str, tuple[str, ...]] | None = None

    def add(self, rationale: Rationale) -> None:
        """Take the rationale of one answered tick."""
        causes = tuple(describe_cause(cause) for cause in rationale.causal_factors)
        said = (rationale.text, describe_meta_action(rationale), causes)
        if said != self._newest:
            self._newest = said
            self._changes += 1
            if self._changes <= MOST_STATEMENTS:
                self._found.append(Statement(rationale.t0_ns, rationale.t0_ns, 1, *said))
        elif self._changes <= MOST_STATEMENTS:
            last = self._found[-1]
            self._found[-1] = Statement(last.first_t0_ns, rationale.t0_ns, last.ticks + 1, *said)

    @property
    def found(self) -> tuple[Statement, ...]:
        """The first statements, MOST_STATEMENTS at most."""
        return tuple(self._found)

    @property
    def left_out(self) -> int:
        """How many more there were."""
        return self._changes - len(self._found)


def describe_cause(cause: CausalFactor) -> str:
    """Return a cause in words, e.g. ``crossing pedestrian (camera_front_tele_30fov)``."""
    label = cause.label.replace("_", " ")
    return f"{label} ({cause.camera})" if cause.camera else label


def describe_meta_action(rationale: Rationale) -> str:
    """Return the meta-action in words, e.g. ``keep speed, straight``."""
    actions = (rationale.longitudinal, rationale.lateral, rationale.lane)
    words = [action.name.lower().replace("_", " ") for action in actions if action.name != "UNKNOWN"]
    return ", ".join(words) or "unknown"
