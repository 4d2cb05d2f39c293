"""Which episodes a verb is to run: one by its name, or scenarios with seeds."""

from typing import TYPE_CHECKING

from alpamayo_ros.cli.world_arguments import MAX_EPISODES, parse_seeds
from alpamayo_ros.errors import ConfigurationError, ParameterError, expected_one_of

if TYPE_CHECKING:
    from alpamayo_ros.world.scenarios import EpisodeSpec

ALL = "all"


def named_episodes(
    episode: str | None, scenario: str | None, seeds: str | None, *, held_out: bool
) -> tuple["EpisodeSpec", ...]:
    """Return the episodes that were asked for, scenario by scenario, by seed.

    Args:
        episode: Name of one, or None.
        scenario: A scenario, or ``all``.
        seeds: A seed or a range.
        held_out: Whether they are held out.

    Raises:
        ConfigurationError: Both ways were used, or neither.
        ParameterError: A name or a range is not known.
    """
    from alpamayo_ros.world.scenarios import SCENARIOS
    from alpamayo_ros.world.scenarios import episode as episode_named

    if episode is not None:
        if scenario is not None or seeds is not None or held_out:
            raise ConfigurationError(
                f"episode {episode!r} is named and --scenario, --seeds or --held-out as well; expected one of both: "
                "an episode, or scenarios with seeds"
            )
        return (episode_named(episode),)
    if scenario is None or seeds is None:
        raise ConfigurationError("no episode is named; expected EPISODE, or --scenario and --seeds, such as 0-199")
    if scenario != ALL and scenario not in SCENARIOS:
        raise ParameterError(expected_one_of("scenario", scenario, [ALL, *SCENARIOS]))
    names = tuple(SCENARIOS) if scenario == ALL else (scenario,)
    wanted = parse_seeds(seeds)
    if len(names) * len(wanted) > MAX_EPISODES:
        raise ParameterError(
            f"{len(names)} scenarios with {len(wanted)} seeds each are too many; expected at most {MAX_EPISODES} "
            "episodes"
        )
    suffix = "@held_out" if held_out else ""
    return tuple(episode_named(f"{name}:{seed}{suffix}") for name in names for seed in wanted)
