"""Episodes that several tests look at."""

import pytest

from alpamayo_ros.world.episode import EpisodeRecord, drive_expert
from alpamayo_ros.world.scenarios import episode


@pytest.fixture(scope="session")
def braking_record() -> EpisodeRecord:
    """An episode in which one pedestrian, and nothing else, makes the expert brake; found, as scenarios may change."""
    for seed in range(50):
        record = drive_expert(episode(f"crossing_pedestrian:{seed}"))
        actors = {actor.id for snapshot in record.snapshots for actor in snapshot.actors}
        decisive = [one for one in record.decisions if one.cause is not None and one.cause.decisive]
        if (
            len(decisive) > 20
            and "companion_1" not in actors
            and {one.cause.actor_id for one in decisive} == {"pedestrian"}
        ):
            return record
    raise AssertionError("no pedestrian makes the expert brake")


@pytest.fixture(scope="session")
def braking_s(braking_record: EpisodeRecord) -> float:
    """When it begins to brake."""
    return next(
        snapshot.t_s
        for snapshot, one in zip(braking_record.snapshots, braking_record.decisions, strict=True)
        if one.cause is not None and one.cause.decisive
    )
