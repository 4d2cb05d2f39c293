"""Say in words how a recording is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alpamayo_ros.monitoring.health import Health, Level
from alpamayo_ros.recording.status import RecordingState, RecordingStatus

_BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class RecorderFacts:
    """What is known about a recording.

    Attributes:
        status: Of its bag.
        silent_ns: Time since the last message, or since the beginning if there is none.
        missed: Messages that were sent and did not arrive, by the numbers that their publishers gave them.
        refusals: Why a topic is not recorded, by its name.
        awaited: Selected names that nobody publishes.
    """

    status: RecordingStatus
    silent_ns: int
    missed: int = 0
    refusals: Mapping[str, str] = field(default_factory=dict)
    awaited: tuple[str, ...] = ()


def recorder_health(facts: RecorderFacts, silence_after_ns: int) -> Health:
    """Say that messages are written, or what keeps them from it."""
    status = facts.status
    values = {
        "bag": str(status.path),
        "messages": str(status.messages),
        "payload bytes": str(status.payload_bytes),
        "lost on the disk": str(status.lost),
        "missed in transport": str(facts.missed),
        "refused": str(status.refused),
        "steps back of the clock": str(status.steps_back),
        "topics": str(sum(topic.messages > 0 for topic in status.topics)),
        "topics that nobody publishes": ", ".join(facts.awaited) or "none",
    }
    values |= {f"not recorded: {name}": reason for name, reason in facts.refusals.items()}
    values |= {f"warning {number}": text for number, text in enumerate(status.warnings, 1)}
    if status.state is RecordingState.FAILED:
        text = f"the recording has ended: {status.reason}; {status.lost} message(s) are lost; bag {status.path}"
        return Health(Level.ERROR, text, values)
    if facts.silent_ns > silence_after_ns:
        return Health(Level.WARN, f"nothing has arrived for {facts.silent_ns / 1e9:.1f} s{_awaited(facts)}", values)
    if facts.refusals:
        name, reason = next(iter(facts.refusals.items()))
        more = f" (and {len(facts.refusals) - 1} more)" if len(facts.refusals) > 1 else ""
        return Health(Level.WARN, f"topic {name} is not recorded{more}: {reason}", values)
    refused = next((topic for topic in status.topics if topic.refused), None)
    if refused is not None:
        return Health(Level.WARN, f"{status.refused} message(s) were refused: {refused.reason}", values)
    written = f"{status.messages} messages, {status.payload_bytes / _BYTES_PER_MB:.1f} MB"
    if facts.missed:
        text = f"{facts.missed} message(s) were sent and did not arrive; {written} in {status.path}"
        return Health(Level.WARN, text, values)
    return Health(Level.OK, f"recording {written} into {status.path}", values)


def _awaited(facts: RecorderFacts) -> str:
    return f"; nobody publishes {', '.join(facts.awaited)}" if facts.awaited else ""
