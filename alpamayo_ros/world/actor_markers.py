"""Actors and signals of an episode as labelled boxes, seen or not."""

import math

from alpamayo_ros.importers.payloads import Actor as LabelledBox
from alpamayo_ros.structs.pose import Pose
from alpamayo_ros.world.episode import EpisodeRecord
from alpamayo_ros.world.snapshot import Actor, Signal

SIGNAL_LABEL = "signal"
_HOUSING_M = (0.3, 0.35, 0.9)
_OPACITY = 0.6
_SIGNAL_COLOURS = {
    "red": (1.0, 0.1, 0.1, 0.9),
    "amber": (1.0, 0.7, 0.0, 0.9),
    "green": (0.1, 0.9, 0.3, 0.9),
    "off": (0.3, 0.3, 0.3, 0.9),
}


class ActorMarkers:
    """Boxes of one episode; an actor keeps its number from its first to its last moment."""

    def __init__(self, record: EpisodeRecord) -> None:
        """Number what the episode ever holds."""
        self._record = record
        actors = sorted({actor.id for one in record.snapshots for actor in one.actors})
        signals = sorted({signal.id for one in record.snapshots for signal in one.signals})
        self._numbers = {name: number for number, name in enumerate([*actors, *signals])}

    def at(self, t_s: float) -> list[LabelledBox]:
        """Return the boxes at a time."""
        snapshot = self._record.at(t_s)
        return [self._actor(one) for one in snapshot.actors] + [self._signal(one) for one in snapshot.signals]

    def _actor(self, actor: Actor) -> LabelledBox:
        blue, green, red = (value / 255.0 for value in actor.colour)
        pose = Pose((actor.x, actor.y, 0.5 * actor.height), _turned(actor.heading))
        size = (actor.length, actor.width, actor.height)
        return LabelledBox(self._numbers[actor.id], actor.id, actor.kind, pose, size, (red, green, blue, _OPACITY))

    def _signal(self, signal: Signal) -> LabelledBox:
        pose = Pose((signal.x, signal.y, signal.z), _turned(signal.heading))
        colour = _SIGNAL_COLOURS[signal.state]
        return LabelledBox(self._numbers[signal.id], signal.id, SIGNAL_LABEL, pose, _HOUSING_M, colour)


def _turned(heading: float) -> tuple[float, float, float, float]:
    return 0.0, 0.0, math.sin(0.5 * heading), math.cos(0.5 * heading)
