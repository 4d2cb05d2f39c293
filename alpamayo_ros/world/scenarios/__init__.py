"""Scenarios: seeded parameters, and what they put into the world."""

from alpamayo_ros.world.scenarios.registry import SCENARIOS, draw_episode, episode, stage
from alpamayo_ros.world.scenarios.spec import EpisodeSpec

__all__ = ["EpisodeSpec", "SCENARIOS", "draw_episode", "episode", "stage"]
