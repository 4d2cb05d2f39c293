"""Say in words how a playback is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alpamayo_ros.monitoring.health import Health, Level
from alpamayo_ros.replay.playback import Playback, PlaybackState

_NS_PER_S = 1e9
_NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True)
class PlaybackFacts:
    """What is known about a playback beside itself.

    Attributes:
        start_ns: Receive time of the bag's first message.
        subscribers: Matched subscriptions by published topic.
        awaited: Topics that must have a subscriber before the first message, and have none.
        left_out: Why a topic of the bag is not played, by its name.
        latest_ns: By how much the latest message so far was late, in ns of steady time.
        damage: Why the bag cannot be played on, empty while it can.
    """

    start_ns: int
    subscribers: Mapping[str, int] = field(default_factory=dict)
    awaited: Sequence[str] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    latest_ns: int = 0
    damage: str = ""


def playback_health(playback: Playback, now_ns: int, facts: PlaybackFacts) -> Health:
    """Say what a playback does and where it stands, or what keeps messages from it.

    Args:
        playback: The playback.
        now_ns: Steady time in ns.
        facts: What it does not know itself.
    """
    state, published = playback.state.value, sum(playback.counts.values())
    position_s = max(0, playback.bag_time_ns(now_ns) - facts.start_ns) / _NS_PER_S
    unheard = [name for name, count in facts.subscribers.items() if not count]
    values = {
        "state": state,
        "position": f"{position_s:.3f} s",
        "duration": f"{playback.duration_ns / _NS_PER_S:.3f} s",
        "rate": f"{float(playback.rate):g}",
        "messages": str(published),
        "latched messages given again": str(playback.repeat_count),
        "late by at most": f"{facts.latest_ns / _NS_PER_MS:.3f} ms",
        "schedule moved by": f"{playback.slipped_ns / _NS_PER_MS:.3f} ms",
        "topics": str(len(playback.topics)),
        "topics without a subscriber": ", ".join(unheard) or "none",
        "topics left out": str(len(facts.left_out)),
    }
    values |= {f"messages of {name}": str(playback.counts.get(name, 0)) for name in playback.topics}
    values |= {f"left out: {name}": reason for name, reason in facts.left_out.items()}
    text = f"{state} at {position_s:.1f} of {playback.duration_ns / _NS_PER_S:.1f} s; {published} messages"
    if facts.damage:
        return Health(Level.ERROR, f"{facts.damage}; {published} messages before it were played", values)
    if playback.state is PlaybackState.WAITING and facts.awaited:
        return Health(Level.WARN, f"waits for a subscriber of {', '.join(facts.awaited)}", values)
    if playback.slipped_ns:
        moved_s = playback.slipped_ns / _NS_PER_S
        return Health(
            Level.WARN, f"{text}; {moved_s:.1f} s behind in all: this machine is too slow for rate and bag", values
        )
    if facts.left_out:
        name, reason = next(iter(facts.left_out.items()))
        more = f" (and {len(facts.left_out) - 1} more)" if len(facts.left_out) > 1 else ""
        return Health(Level.WARN, f"{text}; topic {name} is left out{more}: {reason}", values)
    return Health(Level.OK, text, values)
