"""The ground truth of one step: what the expert does, why, and a sentence that says so."""

import zlib
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.reasoning.driving_language import Answer
from alpamayo_ros.structs.rationale import CausalFactor, LaneAction, LateralAction, LongitudinalAction, Rationale
from alpamayo_ros.world.episode import EpisodeRecord
from alpamayo_ros.world.expert.expert import Decision
from alpamayo_ros.world.wording import Said, sentence


@dataclass(frozen=True, slots=True)
class Truth:
    """What a perfect model would say at one step.

    Attributes:
        words: Words and stops of the sentence, in lower case.
        label: Of the cause, empty without one.
        actor_id: Of the causal actor or signal, empty for none.
        decisive: Whether the decision is of another class without it.
        longitudinal: Meta-action along the path.
        lateral: Meta-action across the path.
        lane: Meta-action in terms of lanes.
    """

    words: tuple[str, ...]
    label: str
    actor_id: str
    decisive: bool
    longitudinal: LongitudinalAction
    lateral: LateralAction
    lane: LaneAction

    @property
    def text(self) -> str:
        """The sentence as people write it."""
        return Answer(self.words).text

    def rationale(self, t0_ns: int) -> Rationale:
        """Return the same as a rationale; the cause has no box."""
        factors = (CausalFactor(self.label.replace("_", " "), self.actor_id),) if self.label else ()
        return Rationale(t0_ns, self.text, self.longitudinal, self.lateral, self.lane, factors)


def truth_at(record: EpisodeRecord, step: int) -> Truth:
    """Return the ground truth of a step of an episode; the sentence is drawn by episode and step.

    Raises:
        IndexError: The episode has no such step.
    """
    return truth_of(record.decisions[step], (zlib.crc32(record.spec.id.encode()), step))


def truth_of(decision: Decision, seed: tuple[int, int]) -> Truth:
    """Return the ground truth of a decision.

    Args:
        decision: Of the expert.
        seed: Chooses among the sentences that say the same.
    """
    cause = decision.cause
    label, state, actor = (cause.label, cause.state, cause.actor_id) if cause is not None else ("", "", "")
    said = Said(label, state, decision.longitudinal, decision.lateral, decision.lane)
    words = tuple(sentence(said, np.random.default_rng(list(seed))).split())
    decisive = cause is not None and cause.decisive
    return Truth(words, label, actor, decisive, decision.longitudinal, decision.lateral, decision.lane)
