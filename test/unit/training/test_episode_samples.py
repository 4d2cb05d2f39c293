"""Samples of a real episode hold what happened in it."""

import cv2
import numpy as np
import pytest

from alpamayo_ros.geometry.kinematics import roll_out_actions
from alpamayo_ros.reasoning.driving_language import DrivingLanguage
from alpamayo_ros.training.branches import bystanders, counterfactuals, without_cause
from alpamayo_ros.training.episode_samples import SampleMaker, box_bins, sample_maker
from alpamayo_ros.training.shard import PICTURES
from alpamayo_ros.world.episode import EpisodeRecord, drive_expert
from alpamayo_ros.world.scenarios import episode
from alpamayo_ros.world.truth import truth_at


@pytest.fixture(scope="module")
def record() -> EpisodeRecord:
    return drive_expert(episode("lead_braking:0"))


@pytest.fixture(scope="module")
def maker(record: EpisodeRecord) -> SampleMaker:
    return sample_maker(record, 3)


def test_a_sample_holds_pictures_answer_and_motion(record: EpisodeRecord, maker: SampleMaker) -> None:
    step = maker.steps()[3]
    sample = maker.sample(step)
    pictures = [cv2.imdecode(jpeg, cv2.IMREAD_COLOR) for jpeg in sample["pictures"]]
    assert len(pictures) == PICTURES
    assert {picture.shape for picture in pictures} == {(96, 160, 3)}
    said, truth = DrivingLanguage().decode(sample["tokens"].tolist()), truth_at(record, step)
    assert (said.words, said.label, said.longitudinal) == (truth.words, truth.label, truth.longitudinal)
    assert sample["speed_mps"] == pytest.approx(record.snapshots[step].ego.speed_mps)
    assert np.allclose(sample["history"][-1], (0.0, 0.0, 1.0, 0.0), atol=1e-6)
    driven = roll_out_actions(sample["actions"][None].astype(np.float64), float(sample["speed_mps"]), 0.1)[0]
    assert np.abs(driven[0] - sample["future"][:, 0]).max() < 0.3
    assert np.abs(driven[1] - sample["future"][:, 1]).max() < 0.3


def test_the_same_seed_gives_the_same_sample(record: EpisodeRecord, maker: SampleMaker) -> None:
    step = maker.steps()[0]
    one, other = maker.sample(step), sample_maker(record, 3).sample(step)
    assert all(np.array_equal(one[name], other[name]) for name in one if name != "pictures")
    assert all(map(np.array_equal, one["pictures"], other["pictures"]))


def test_a_world_without_the_cause_has_another_answer(record: EpisodeRecord, maker: SampleMaker) -> None:
    steps = [step for step in maker.steps() if record.decisions[step].cause and record.decisions[step].cause.decisive]
    changed = counterfactuals(record, steps, 1, np.random.default_rng(0))
    assert changed
    step, branch = changed[0]
    gone = {edit.actor for edit in without_cause(record, step)}
    assert gone
    assert not gone & {actor.id for actor in branch.snapshots[step].actors}
    assert branch.snapshots[step].ego == record.snapshots[step].ego
    assert len(branch.snapshots) == step + 65
    before, after = record.decisions[step], branch.decisions[step]
    assert (before.longitudinal, before.lane) != (after.longitudinal, after.lane)


def test_a_bystander_is_no_cause(record: EpisodeRecord, maker: SampleMaker) -> None:
    for step in maker.steps():
        gone = {edit.actor for edit in without_cause(record, step)}
        assert not gone & {actor.id for actor in bystanders(record, step)}


def test_boxes_become_bins_that_enclose_them() -> None:
    assert box_bins((8.0, 4.1, 4.0, 3.0)) == (2, 1, 3, 2)
    assert box_bins((-5.0, -5.0, 1.0, 1.0)) == (0, 0, 1, 1)
    assert box_bins((159.0, 95.0, 30.0, 30.0)) == (39, 23, 40, 24)
