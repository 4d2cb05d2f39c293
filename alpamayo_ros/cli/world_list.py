"""``alpamayo world list``: scenarios, and what one episode is made of."""

from alpamayo_ros.cli.console import OUT, print_aligned, print_json
from alpamayo_ros.world.maps.draw import HELD_OUT, TRAIN
from alpamayo_ros.world.scenarios import SCENARIOS, EpisodeSpec
from alpamayo_ros.world.scenarios import episode as episode_named
from alpamayo_ros.world.scenarios.registry import draw_parameters

SAMPLED_SEEDS = 100
"""Episodes of each split whose parameters are looked at; what they hold is what is listed."""
_MOST_VALUES = 8
"""More different values than this are given as a range or a count."""


def print_scenarios(*, as_json: bool) -> None:
    """Print every scenario with its road networks and parameters, as the first 100 seeds of each split draw them.

    Args:
        as_json: Print them as JSON.
    """
    found = {name: {split: _drawn(name, split) for split in (TRAIN, HELD_OUT)} for name in SCENARIOS}
    if as_json:
        print_json({"scenarios": found, "sampled_seeds": SAMPLED_SEEDS})
        return
    for name, splits in found.items():
        OUT.print(name, style="bold")
        rows: list[tuple[str, ...]] = [("  parameter", "training", "held out")]
        rows += [
            (f"  {key}", _shown(splits[TRAIN].get(key, [])), _shown(splits[HELD_OUT].get(key, [])))
            for key in dict.fromkeys([*splits[TRAIN], *splits[HELD_OUT]])
        ]
        print_aligned(OUT, rows)
    OUT.print(f"as drawn for seeds 0 to {SAMPLED_SEEDS - 1}; an episode is SCENARIO:SEED or SCENARIO:SEED@held_out")


def print_episode(name: str, *, as_json: bool) -> None:
    """Print what one episode is made of, and who is in it.

    Args:
        name: Of the episode.
        as_json: Print it as JSON.
    """
    from alpamayo_ros.world.changes import actor_kinds
    from alpamayo_ros.world.simulation import Simulation

    spec = episode_named(name)
    with Simulation(spec) as simulation:
        kinds = actor_kinds(simulation.staging)
        cause = (simulation.staging.roles or {}).get("cause", "")
    if as_json:
        print_json({**_document(spec), "cause": cause, "actors": kinds})
        return
    print_aligned(OUT, [("episode", spec.id), ("split", spec.split), ("duration", f"{spec.duration_s:g} s")])
    conditions = ", ".join(f"{key} {getattr(spec.conditions, key):g}" for key in spec.conditions.present)
    faults = [f"{one.kind} {one.sensor} from {one.start_s:g} to {one.end_s:g} s" for one in spec.faults]
    rows = [("weather", conditions or "clear"), ("faults", "; ".join(faults) or "none")]
    rows += [(key, _number(value)) for key, value in spec.parameters.items()]
    rows.append(("about", cause or "nothing in particular"))
    print_aligned(OUT, rows)
    print_aligned(OUT, [(actor, kind) for actor, kind in kinds.items()])


def _document(spec: EpisodeSpec) -> dict[str, object]:
    return {
        "episode": spec.id,
        "scenario": spec.scenario,
        "seed": spec.seed,
        "split": spec.split,
        "duration_s": spec.duration_s,
        "parameters": dict(spec.parameters),
        "conditions": {key: getattr(spec.conditions, key) for key in spec.conditions.present},
        "faults": [
            {"kind": one.kind, "sensor": one.sensor, "start_s": one.start_s, "end_s": one.end_s} for one in spec.faults
        ],
    }


def _drawn(scenario: str, split: str) -> dict[str, list[float | str]]:
    """Return the values of each parameter: all that are texts, the least and the most of numbers."""
    values: dict[str, set[float | str]] = {}
    for seed in range(SAMPLED_SEEDS):
        for key, value in draw_parameters(scenario, seed, split).items():
            values.setdefault(key, set()).add(value)
    return {key: _summary(found) for key, found in values.items()}


def _summary(found: set[float | str]) -> list[float | str]:
    numbers = sorted(value for value in found if not isinstance(value, str))
    texts = sorted(value for value in found if isinstance(value, str))
    return [*texts, *([numbers[0], numbers[-1]] if len(numbers) > 1 else numbers)]


def _shown(values: list[float | str]) -> str:
    texts = [value for value in values if isinstance(value, str)]
    numbers = [_number(value) for value in values if not isinstance(value, str)]
    if len(texts) > _MOST_VALUES:
        texts = [f"{len(texts)} such as {texts[0]}"]
    return ", ".join(texts + ([" to ".join(numbers)] if numbers else [])) or "none"


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
