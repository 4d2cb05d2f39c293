"""Episodes are drawn from a name, and only from the name."""

import dataclasses
import re

import pytest

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.world.scenarios import SCENARIOS, EpisodeSpec, draw_episode, episode, stage
from alpamayo_ros.world.scenarios.registry import draw_parameters

ISSUED = {
    "lane_keeping", "curve", "lead_braking", "cut_in", "crossing_pedestrian", "red_light", "unprotected_left",
    "construction", "stopped_vehicle", "merge",
}  # fmt: skip


def test_all_scenarios_are_there() -> None:
    assert set(SCENARIOS) == ISSUED


@pytest.mark.parametrize("scenario", sorted(ISSUED))
@pytest.mark.parametrize("split", ["train", "held_out"])
def test_an_episode_is_drawn_again_from_its_own_name(scenario: str, split: str) -> None:
    spec = draw_episode(scenario, 5, split)
    assert episode(spec.id) == spec
    assert 18.0 <= spec.duration_s <= 22.0
    assert stage(spec) == stage(episode(spec.id))
    assert f"/{split}/" in spec.text("map")


@pytest.mark.parametrize("scenario", sorted(ISSUED - {"lane_keeping", "curve"}))
def test_a_scenario_does_not_always_have_its_event(scenario: str) -> None:
    events = {draw_parameters(scenario, seed)["event"] for seed in range(60)}
    assert len(events) >= 2


@pytest.mark.parametrize("scenario", sorted(ISSUED))
def test_held_out_episodes_have_other_maps_and_other_parameters(scenario: str) -> None:
    train = [draw_parameters(scenario, seed) for seed in range(12)]
    held_out = [draw_parameters(scenario, seed, "held_out") for seed in range(12)]
    assert not {one["map"] for one in train} & {one["map"] for one in held_out}
    shares = [float(one["speed_share"]) for one in train]
    assert all(not min(shares) < float(one["speed_share"]) < max(shares) for one in held_out)


@pytest.mark.parametrize("scenario", sorted(ISSUED))
def test_ids_are_unique_and_the_cause_is_among_them(scenario: str) -> None:
    for seed in range(5):
        staging = stage(draw_episode(scenario, seed))
        ids = [item.id for item in (*staging.vehicles, *staging.props, *staging.walkers)]
        assert len(set(ids)) == len(ids)
        cause = (staging.roles or {}).get("cause")
        assert cause is None or cause in ids or cause.startswith("signal:")


def test_everything_is_as_random_as_its_seed_alone() -> None:
    specs = [draw_episode("lead_braking", seed) for seed in range(40)]
    assert len({str(spec.parameters) for spec in specs}) == 40
    assert draw_episode("cut_in", 1).parameters != draw_episode("lead_braking", 1).parameters


def test_most_episodes_are_clear_and_every_condition_comes_up() -> None:
    specs = [draw_episode(scenario, seed) for scenario in sorted(ISSUED) for seed in range(20)]
    present = [spec.conditions.present for spec in specs]
    assert 0.5 < sum(not names for names in present) / len(present) < 0.7
    assert set().union(*present) == {"rain", "fog", "glare", "night", "dirt"}
    assert all((spec.conditions.glare > 0.0) == (spec.conditions.sun_azimuth_rad is not None) for spec in specs)
    assert 0.02 < sum(bool(spec.faults) for spec in specs) / len(specs) < 0.2
    assert all(fault.end_s < spec.duration_s + 3.0 for spec in specs for fault in spec.faults)


@pytest.mark.parametrize(
    "name",
    ["", "red_light", "red_light:", "red_light:-1", "red_light:1.5", "red_light:1@", "red_light:1@test", "blue:1",
     "red_light:1@train@train", "red_light: 1", "red_light:1\n", "red_light:99999999999999999", "red_light:\u0661"],
)  # fmt: skip
def test_names_of_no_episode_are_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="expected"):
        episode(name)


def test_seeds_out_of_range_are_refused() -> None:
    for seed in (-1, 2**53):
        with pytest.raises(ParameterError, match="expected 0 to"):
            draw_episode("merge", seed)


def test_an_unknown_scenario_or_a_missing_parameter_is_named() -> None:
    spec = draw_episode("merge", 0)
    with pytest.raises(ParameterError, match="scenario 'x'"):
        stage(dataclasses.replace(spec, scenario="x"))
    with pytest.raises(ParameterError, match=re.escape("'map'")):
        stage(EpisodeSpec("merge", 0, "train"))


@pytest.mark.parametrize("scenario", sorted(ISSUED))
@pytest.mark.parametrize("split", ["train", "held_out"])
def test_nobody_comes_less_often_than_never(scenario: str, split: str) -> None:
    """The band below a range that begins at 0 would be negative."""
    drawn = [draw_parameters(scenario, seed, split) for seed in range(100)]
    for name in ("oncoming_per_minute", "cross_per_minute", "parked_share", "people", "follower_headway_s"):
        assert all(float(one.get(name, 0.0)) >= 0.0 for one in drawn), name
