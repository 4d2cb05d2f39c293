"""Which moments of an episode become samples."""

from collections.abc import Hashable, Sequence

from alpamayo_ros.inference.networks.anatomy import HISTORY_ROWS, POINTS

EVERY_STEPS = 5
NEAR_CHANGE = (-2, 0, 2)
"""Steps around a change of the decision that become samples too."""


def sampled_steps(decisions: Sequence[Hashable], last_step: int) -> list[int]:
    """Return steps in order: one every half second, and more where the decision changes.

    Args:
        decisions: What the expert decided at each step; only equality counts.
        last_step: Last recorded step; a sample needs its whole history and future.
    """
    first, last = HISTORY_ROWS - 1, last_step - POINTS
    chosen = set(range(first, last + 1, EVERY_STEPS))
    for step in range(max(first, 1), min(last, len(decisions) - 1) + 1):
        if decisions[step] != decisions[step - 1]:
            chosen.update(near for shift in NEAR_CHANGE if first <= (near := step + shift) <= last)
    return sorted(chosen)
