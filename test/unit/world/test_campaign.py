"""Many drives: the same numbers for any number of processes, rates with intervals, all of it JSON."""

import json
from pathlib import Path

import pytest

from alpamayo_ros.errors import AlpamayoError, ConfigurationError, ProfileError
from alpamayo_ros.world.campaign import DriveOutcome, DriveRequest, campaign_document, drive_all, drive_one

REQUESTS = [DriveRequest(f"lane_keeping:{seed}", "kinematic") for seed in range(2)]


@pytest.fixture(scope="module")
def outcomes() -> tuple[DriveOutcome, ...]:
    return drive_all(REQUESTS)


def test_outcomes_are_the_same_in_this_process_and_in_others(outcomes: tuple[DriveOutcome, ...]) -> None:
    told: list[tuple[int, int]] = []
    elsewhere = drive_all(REQUESTS, workers=2, progress=lambda done, total: told.append((done, total)))
    assert elsewhere == outcomes
    assert told == [(1, 2), (2, 2)]
    assert campaign_document(elsewhere)["digest"] == campaign_document(outcomes)["digest"]


def test_the_document_counts_every_drive_and_is_json(outcomes: tuple[DriveOutcome, ...]) -> None:
    expert = drive_one(DriveRequest("curve:0", "expert"))
    document = campaign_document([*outcomes, expert])
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["episodes"] == 3
    assert set(document["scenarios"]) == {"lane_keeping", "curve"}
    for summary in (document, *document["scenarios"].values()):
        low, high = summary["collision_interval"]
        assert 0.0 <= low <= summary["collision_rate"] <= high <= 1.0
        assert summary["collision_count"] == round(summary["collision_rate"] * summary["episodes"])
    assert [drive["episode"] for drive in document["drives"]] == ["lane_keeping:0", "lane_keeping:1", "curve:0"]
    assert document["drives"][0]["ticks"]["ANSWERED"] > 10
    assert document["scenarios"]["curve"]["progress_share"] == 1.0
    assert document["scenarios"]["curve"]["collision_rate"] == 0.0


def test_a_drive_that_fails_is_told_as_it_is_in_any_process() -> None:
    for workers in (1, 2):
        with pytest.raises(ProfileError, match="nanoo"):
            drive_all([DriveRequest(one.episode, "nanoo") for one in REQUESTS], workers=workers)
    with pytest.raises(AlpamayoError, match="is not known"):
        drive_all([DriveRequest("no_scenario:1", "expert"), *REQUESTS])
    with pytest.raises(AlpamayoError, match="cannot be read"):
        drive_all([DriveRequest("curve:0", "kinematic", "", Path("none.yaml"))])


def test_no_worker_cannot_drive() -> None:
    with pytest.raises(ConfigurationError, match="expected at least 1"):
        drive_all(REQUESTS, workers=0)
