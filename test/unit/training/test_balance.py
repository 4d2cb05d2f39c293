"""Rare kinds of samples are drawn more often than their share, and what is kept back never."""

from collections.abc import Callable

import numpy as np

from alpamayo_ros.reasoning.driving_language import Answer, DrivingLanguage
from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction
from alpamayo_ros.training.balance import sample_weights
from alpamayo_ros.training.shard import Shard

MakeShard = Callable[..., Shard]


def test_a_rare_cause_is_drawn_more_often_and_still_less_than_a_common_one(make_shard: MakeShard) -> None:
    label = np.array([0] * 90 + [4] * 10, np.int8)
    same = {"decisive": np.zeros(100, np.bool_), "meta": np.ones((100, 3), np.int8)}
    weights = sample_weights(make_shard(100, label=label, **same), np.arange(100))
    rare = weights[90:].sum() / weights.sum()
    assert 0.1 < rare < 0.5
    assert np.isclose(rare, 10**0.75 / (10**0.75 + 90**0.75))


def test_samples_that_are_kept_back_have_no_weight(make_shard: MakeShard) -> None:
    weights = sample_weights(make_shard(10), np.arange(6))
    assert (weights[:6] > 0).all()
    assert (weights[6:] == 0).all()


def test_a_sample_that_brakes_although_it_says_accelerate_is_never_drawn(make_shard: MakeShard) -> None:
    language = DrivingLanguage()
    meta = (LongitudinalAction.ACCELERATE, LateralAction.STRAIGHT, LaneAction.KEEP)
    ids = language.encode(Answer(("so", "i", "speed", "up", "."), "", None, None, *meta))
    future = np.zeros((2, 64, 4), np.float32)
    future[0, :, 3], future[1, :, 3] = 14.0, 4.0
    speed, tokens = np.full(2, 10.0, np.float32), np.array([ids + [0] * (40 - len(ids))] * 2, np.int16)
    weights = sample_weights(make_shard(2, future=future, speed_mps=speed, tokens=tokens), np.arange(2))
    assert weights[0] > 0.0
    assert weights[1] == 0.0
