"""Say in words how a node is, and why nothing comes out of it when nothing comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from alpamayo_ros.structs.camera_health import CameraHealth, SightState
from alpamayo_ros.structs.worker_state import WorkerState


class Level(IntEnum):
    """Severity; the numbers are those of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


LOSS_IS_NEWS_NS = 5_000_000_000
"""A loss is reported for this long."""


@dataclass(frozen=True, slots=True)
class Health:
    """How something is.

    Attributes:
        level: Severity by who must act: WARN may pass by itself, ERROR needs a person.
        text: One sentence.
        values: Numbers behind it, for people.
    """

    level: Level
    text: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InputHealth:
    """What is known about one input.

    Attributes:
        name: Id of the input.
        topic: Full topic name.
        publishers: Publishers on it.
        received: Messages that arrived.
        silent_ns: Time since the last message, None before the first.
        lost: Messages that were sent but did not arrive, as far as the middleware numbers them.
        lost_ago_ns: Time since the newest of these was missed, None if there is none.
        problem: What is wrong with its publishers or messages, empty if nothing is known to be.
        required: Whether ticks wait for it.
        holds_ns: How long its newest message holds; None for an input whose messages are not forgotten.
    """

    name: str
    topic: str
    publishers: int = 0
    received: int = 0
    silent_ns: int | None = None
    lost: int = 0
    lost_ago_ns: int | None = None
    problem: str = ""
    required: bool = True
    holds_ns: int | None = None

    @property
    def forgotten(self) -> bool:
        """Whether there was a message, and it holds no more."""
        return self.holds_ns is not None and self.silent_ns is not None and self.silent_ns > self.holds_ns


@dataclass(frozen=True, slots=True)
class PerceptionFacts:
    """What is known about perception.

    Attributes:
        inputs: Every input.
        closed: Ticks that closed.
        answered: Ticks that were answered.
        last_rejection: Text of the newest rejection since the last answer, empty if there is none.
        rejected_in_a_row: Ticks rejected since the last answer.
        busy_ns: How long the stages have been busy with the present tick, None if they are idle.
        busy_text: Which tick that is.
        skipped: Ticks that were skipped because the stages were busy.
        cameras: How well each camera sees.
        traffic: How many actors of each kind the detector found last; None without a detector.
    """

    inputs: Sequence[InputHealth]
    closed: int = 0
    answered: int = 0
    last_rejection: str = ""
    rejected_in_a_row: int = 0
    busy_ns: int | None = None
    busy_text: str = ""
    skipped: int = 0
    cameras: Sequence[CameraHealth] = ()
    traffic: Mapping[str, int] | None = None


def worst(healths: Sequence[Health]) -> Health | None:
    """Return the most severe of several, the first of equals; None of none."""
    return max(healths, key=lambda health: (health.level is not Level.STALE, health.level), default=None)


def with_worker(health: Health, worker: WorkerState | None) -> Health:
    """Return the health of a node whose model runs in a process of its own, if it does; one that fell is an error."""
    if worker is None:
        return health
    values = {
        **health.values,
        "model's process": "none" if worker.pid is None else str(worker.pid),
        "falls of the model's process": str(worker.falls),
    }
    if worker.trouble:
        return Health(Level.ERROR, f"the model's process {worker.trouble}; ticks fail until a fresh one runs", values)
    return Health(health.level, health.text, values)


def input_health(fact: InputHealth, silence_after_ns: int) -> Health:
    """Judge one input."""
    where = f"{fact.name} on {fact.topic}"
    if fact.problem:
        return Health(Level.ERROR, f"{where}: {fact.problem}")
    if fact.publishers == 0 and not fact.received:
        return Health(Level.WARN, f"no {where}: nobody publishes it; name the topic in topics_file or by a remap")
    if not fact.received:
        return Health(Level.WARN, f"no {where}: it has {fact.publishers} publisher(s), but no message has arrived")
    if fact.silent_ns is not None and fact.silent_ns > silence_after_ns:
        silence = f"{where} has been silent for {fact.silent_ns / 1e9:.1f} s"
        gone = "its publisher is gone" if fact.publishers == 0 else f"it has {fact.publishers} publisher(s)"
        return Health(Level.WARN, f"{silence}; {gone}" + ("; its last message holds no more" if fact.forgotten else ""))
    if fact.publishers > 1:
        return Health(
            Level.WARN,
            f"{where} has {fact.publishers} publishers; expected one, since of two interleaved streams the older "
            "stamps are dropped",
        )
    if fact.lost_ago_ns is not None and fact.lost_ago_ns < LOSS_IS_NEWS_NS:
        return Health(
            Level.WARN,
            f"{where} lost messages on the way, {fact.lost} so far: a queue overflowed or the transport dropped them",
        )
    return Health(Level.OK, f"{where} arrives")


def perception_health(facts: PerceptionFacts, silence_after_ns: int) -> Health:
    """Say why no tick is answered, or that ticks are."""
    values = {
        "ticks closed": str(facts.closed),
        "ticks answered": str(facts.answered),
        "ticks skipped while busy": str(facts.skipped),
        "last rejection": facts.last_rejection or "none",
    }
    for fact in facts.inputs:
        values[f"{fact.name} received"] = str(fact.received)
        values[f"{fact.name} lost on the way"] = str(fact.lost)
    for camera in facts.cameras:
        values[f"{camera.camera} sees"] = camera.text or "well"
    if facts.traffic is not None:
        values["actors detected"] = ", ".join(f"{count} {label}" for label, count in facts.traffic.items()) or "none"
    judged = [
        input_health(fact, silence_after_ns) for fact in facts.inputs if fact.required or fact.problem or fact.forgotten
    ]
    trouble = worst([health for health in judged if health.level is not Level.OK])
    if trouble is not None:
        return Health(trouble.level, trouble.text, values)
    if facts.busy_ns is not None and facts.busy_ns > silence_after_ns:
        return Health(
            Level.WARN, f"the stages have been busy with {facts.busy_text} for {facts.busy_ns / 1e9:.1f} s", values
        )
    blind = max(facts.cameras, key=lambda camera: camera.state, default=None)
    if blind is not None and blind.state is SightState.ERROR:
        return Health(Level.ERROR, f"camera {blind.camera}: {blind.text}", values)
    if facts.rejected_in_a_row:
        return Health(
            Level.WARN,
            f"the last {facts.rejected_in_a_row} tick(s) were rejected or failed: {facts.last_rejection}",
            values,
        )
    if blind is not None and blind.state is SightState.WARN:
        return Health(Level.WARN, f"camera {blind.camera}: {blind.text}", values)
    if not facts.closed:
        return Health(Level.OK, "active; no tick has closed yet", values)
    return Health(Level.OK, f"active; {facts.answered} of {facts.closed} ticks answered", values)
