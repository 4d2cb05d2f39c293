"""Pictures as JPEG files."""

import cv2
import numpy as np
import pytest

from alpamayo_ros.errors import ArtifactError, ConfigurationError
from alpamayo_ros.importers.jpeg import QUALITY, encode_jpeg, encoding_sentence, validate_quality
from alpamayo_ros.perception.picture_file import inspect_picture


def noise():
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def test_a_picture_becomes_a_whole_jpeg_file_of_its_size():
    data = encode_jpeg(noise(), QUALITY)
    size = inspect_picture(data)
    assert (size.width, size.height) == (64, 48)
    assert encode_jpeg(noise(), QUALITY) == data


def test_quality_decides_about_size_and_error():
    files = {quality: encode_jpeg(noise(), quality) for quality in (1, 50, 95, 100)}
    assert [len(data) for data in files.values()] == sorted(len(data) for data in files.values())
    best = cv2.imdecode(np.frombuffer(files[100], dtype=np.uint8), cv2.IMREAD_COLOR)
    worst = cv2.imdecode(np.frombuffer(files[1], dtype=np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(best.astype(int) - noise()).mean() < np.abs(worst.astype(int) - noise()).mean()


@pytest.mark.parametrize("quality", [-1, 0, 101, 10**30])
def test_a_quality_out_of_range_is_refused(quality):
    with pytest.raises(ConfigurationError, match="expected 1 to 100"):
        validate_quality(quality)


@pytest.mark.parametrize("shape", [(0, 0, 3), (4, 4, 2), (70_000, 1, 3)])
def test_a_picture_that_no_jpeg_file_can_hold_is_refused_in_one_sentence(shape):
    with pytest.raises(ArtifactError, match="cannot be encoded as JPEG") as caught:
        encode_jpeg(np.zeros(shape, dtype=np.uint8), QUALITY)
    assert "\n" not in str(caught.value)


def test_the_sentence_names_the_quality():
    assert "JPEG of quality 80" in encoding_sentence(80)
