"""Sizes of a shape: parameters as published, tokens and bytes that follow."""

from dataclasses import replace

import pytest

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.inference.networks.model_shape import (
    ALPAMAYO_1_5,
    SHAPES,
    TINY,
    ModelShape,
    needed_bytes,
    parameter_counts,
    shape_named,
)


def test_parameters_of_alpamayo_1_5_are_as_published() -> None:
    counts = parameter_counts(ALPAMAYO_1_5)
    assert counts["language"] == pytest.approx(8.2e9, rel=0.05)
    assert counts["expert"] == pytest.approx(2.3e9, rel=0.05)
    # What others count in nvidia/Alpamayo-1.5-10B: every size is right, or the error would have to cancel out.
    assert sum(counts.values()) == 11_078_526_194


def test_a_picture_of_320_x_576_pixels_is_180_tokens() -> None:
    assert ALPAMAYO_1_5.patches == (20, 36)
    assert ALPAMAYO_1_5.picture_tokens == 180
    assert ALPAMAYO_1_5.pictures == 16
    assert ALPAMAYO_1_5.prompt == 16 * 180 + ALPAMAYO_1_5.text
    assert ALPAMAYO_1_5.room(tokens=64, samples=6) == ALPAMAYO_1_5.prompt + 64 + 6 * 64


@pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))
def test_sizes_divide_without_rest(shape: ModelShape) -> None:
    assert not shape.height_px % (shape.vision.patch_px * shape.vision.merge)
    assert not shape.width_px % (shape.vision.patch_px * shape.vision.merge)
    assert not shape.vision.hidden % (4 * shape.vision.heads)
    assert not shape.language.heads % shape.language.kv_heads
    assert not shape.expert.heads % shape.expert.kv_heads
    assert max(shape.vision.deepstack) < shape.vision.depth
    assert len(shape.vision.deepstack) <= shape.language.layers
    assert round(shape.vision.places**0.5) ** 2 == shape.vision.places


def test_weights_are_most_of_the_bytes_and_each_sample_and_token_takes_more() -> None:
    weights = sum(parameter_counts(ALPAMAYO_1_5).values())
    least = needed_bytes(ALPAMAYO_1_5, 2, tokens=1, samples=1)
    assert 2 * weights < least < 2.2 * weights
    assert needed_bytes(ALPAMAYO_1_5, 4, tokens=1, samples=1) == pytest.approx(2 * least, rel=0.02)
    assert needed_bytes(ALPAMAYO_1_5, 2, tokens=1000, samples=1) > least
    assert needed_bytes(ALPAMAYO_1_5, 2, tokens=1, samples=64) > least


def test_an_expert_that_does_not_fit_the_cache_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"kv heads and head width \(4, 2, 32\); expected \(4, 2, 16\)"):
        replace(TINY, expert=replace(TINY.expert, head_dim=32))


def test_a_shape_that_is_not_there_is_named() -> None:
    assert shape_named("tiny") is TINY
    with pytest.raises(ConfigurationError, match=r"shape 'huge' is not known; expected one of: alpamayo-1.5, tiny"):
        shape_named("huge")


def test_the_document_holds_every_size() -> None:
    document = ALPAMAYO_1_5.document()
    assert document["language"]["layers"] == 36
    assert document["vision"]["deepstack"] == (8, 16, 24)
    assert document["action"] == {"points": 64, "numbers": 2, "features": 20, "hidden": 512, "steps": 10}
