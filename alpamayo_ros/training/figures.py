"""The published figures of a model, from the results of moments and of closed-loop drives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.training.open_loop import MomentResult
from alpamayo_ros.world.metrics import DriveSummary, Rate


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure and what it should be.

    Attributes:
        name: For people.
        value: Measured, None where there was nothing to measure.
        count: Cases that it is over.
        target: What was wanted.
        at_most: Whether the target is an upper bound; otherwise a lower one.
    """

    name: str
    value: float | None
    count: int
    target: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one, or without a value."""
        if self.target is None or self.value is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target


def open_loop_figures(
    results: Sequence[MomentResult], swapped: Callable[[MomentResult, MomentResult], int], seed: int = 0
) -> dict[str, Figure]:
    """Return the figures of moments by key.

    Args:
        results: At least one.
        swapped: Behaviour of a moment with the states of another one.
        seed: Of the choice of partners for the swap.
    """
    caused = [one for one in results if one.true_label]
    free = [one for one in results if not one.true_label]
    removed = [one for one in results if one.removed is not None and one.said_label == one.true_label]
    removed_all = [one for one in results if one.removed is not None]
    beside = [one for one in results if one.bystander_removed is not None]
    kinematic = _mean([one.kinematic_ade_m for one in results])
    best = _mean([min(one.ade_m) for one in results])
    swaps = _swaps(results, swapped, seed)
    figures = {
        "kinematic_ade_m": Figure("ADE of kinematic, m", kinematic, len(results)),
        "min_ade_6_m": Figure("minADE of 6 samples, m", best, len(results)),
        "min_ade_6_share": Figure(
            "minADE of 6 / ADE of kinematic", _ratio(best, kinematic), len(results), 0.5, at_most=True
        ),
        "ade_1_m": Figure("ADE of one sample (K = 1), m", _mean([one.ade_m[0] for one in results]), len(results)),
        "plan_ade_m": Figure("ADE of the selected sample, m", _mean([one.plan_ade_m for one in results]), len(results)),
        "meta": Figure(
            "meta-action right, all three",
            _share(results, lambda one: one.said_meta == one.true_meta),
            len(results),
            0.9,
        ),
    }
    for place, name in enumerate(("longitudinal", "lateral", "lane")):
        figures[name] = Figure(f"{name} right", _share(results, _same_meta(place)), len(results))
    figures |= {
        "cause_right": Figure("cause right where there is one", _share(caused, _cause_right), len(caused), 0.9),
        "absence_right": Figure("no cause named where there is none", _share(free, _cause_right), len(free), 0.95),
        "contradictions": Figure(
            "text contradicts trajectory", _share(results, lambda one: bool(one.contradicted)), len(results),
            0.02, at_most=True,
        ),
        "expert_contradictions": Figure(
            "the same of the expert", _share(results, lambda one: bool(one.expert_contradicted)), len(results)
        ),
        "removal_flips": Figure(
            "decision flips without the causal actor", _share(removed_all, _decision_flips), len(removed_all), 0.9
        ),
        "removal_flips_named": Figure(
            "the same where the cause was named rightly", _share(removed, _decision_flips), len(removed)
        ),
        "removal_behaviour_flips": Figure(
            "trajectory's class flips without the causal actor", _share(removed_all, _behaviour_flips), len(removed_all)
        ),
        "bystander_flips": Figure(
            "decision flips without an equally large bystander",
            _share(beside, lambda one: one.bystander_removed is not None and one.bystander_removed[0] != one.said_meta),
            len(beside), 0.05, at_most=True,
        ),
        "swap_changes": Figure("other states change the behaviour", _mean(swaps), len(swaps), 0.5),
    }  # fmt: skip
    for label in sorted({one.true_label for one in caused}):
        named = [one for one in caused if one.true_label == label]
        figures[f"cause_{label}"] = Figure(
            f"cause right: {label.replace('_', ' ')}", _share(named, _cause_right), len(named)
        )
    return figures


def closed_loop_figures(driven: DriveSummary, expert: DriveSummary) -> dict[str, Figure]:
    """Return the figures of drives in closed loop, and of the expert on the same episodes, by key."""
    return {
        "collision_rate": _rate("collisions in closed loop", driven.collision, 0.1),
        "off_road_rate": _rate("off-road in closed loop", driven.off_road, 0.1),
        "red_light_rate": _rate("red lights crossed", driven.red_light),
        "progress_share": Figure("progress, of the expert's", driven.progress_share, driven.drives),
        "expert_collision_rate": _rate("collisions of the expert", expert.collision, 0.01),
        "expert_off_road_rate": _rate("off-road of the expert", expert.off_road, 0.01),
    }


def _rate(name: str, rate: Rate, most: float | None = None) -> Figure:
    return Figure(name, rate.share, rate.total, most, at_most=True)


def table(figures: Mapping[str, Figure]) -> str:
    """Return the figures as a table in Markdown."""
    lines = ["| figure | measured | over | target | met |", "|---|---|---|---|---|"]
    for figure in figures.values():
        shares = figure.value is not None and not figure.name.endswith(", m")
        value = "-" if figure.value is None else f"{figure.value:.1%}" if shares else f"{figure.value:.2f}"
        bound = "" if figure.target is None else f"at {'most' if figure.at_most else 'least'} {figure.target:.0%}"
        met = {None: "", True: "yes", False: "**missed**"}[figure.met]
        lines.append(f"| {figure.name} | {value} | {figure.count} | {bound} | {met} |")
    return "\n".join(lines) + "\n"


def _swaps(
    results: Sequence[MomentResult], swapped: Callable[[MomentResult, MomentResult], int], seed: int
) -> list[float]:
    """Return for each moment whether the states of another episode change its behaviour.

    The partner is one that behaves otherwise and is about as fast: states that say the same would change nothing.
    """
    random = np.random.default_rng(seed)
    changed = []
    for one in results:
        others = [
            other
            for other in results
            if other.episode != one.episode and other.behaviour != one.behaviour
            and abs(other.speed_mps - one.speed_mps) < 3.0
        ]  # fmt: skip
        if others:
            partner = others[int(random.integers(len(others)))]
            changed.append(float(swapped(one, partner) != one.behaviour))
    return changed


def _cause_right(one: MomentResult) -> bool:
    return one.said_label == one.true_label


def _same_meta(place: int) -> Callable[[MomentResult], bool]:
    return lambda one: one.said_meta[place] == one.true_meta[place]


def _decision_flips(one: MomentResult) -> bool:
    return one.removed is not None and one.removed[0] != one.said_meta


def _behaviour_flips(one: MomentResult) -> bool:
    return one.removed is not None and one.removed[1] != one.behaviour


def _share(results: Sequence[MomentResult], holds: Callable[[MomentResult], bool]) -> float | None:
    return _mean([float(holds(one)) for one in results])


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _ratio(value: float | None, other: float | None) -> float | None:
    return value / other if value is not None and other else None
