"""The size of a JPEG picture from its headers."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.importers.jpeg import jpeg_size


def encoded(width, height, *options):
    _, data = cv2.imencode(".jpg", np.zeros((height, width, 3), dtype=np.uint8), list(options))
    return data.tobytes()


@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 1)])
@pytest.mark.parametrize("size", [(1, 1), (64, 36), (1920, 1080)])
def test_the_size_is_that_of_the_picture(size, options):
    assert jpeg_size(encoded(*size, *options)) == size


def test_comments_fill_bytes_and_thumbnails_are_passed_over():
    data, inner = encoded(64, 36), encoded(16, 8)
    thumbnail = b"\xff\xe1" + (len(inner) + 2).to_bytes(2, "big") + inner
    assert jpeg_size(data[:2] + thumbnail + b"\xff\xff\xff\xfe\x00\x04ab" + data[2:]) == (64, 36)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xfe\x00\x00"]
)
def test_what_is_no_picture_has_no_size(data):
    assert jpeg_size(data) is None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_bytes_never_raise(data):
    picture = bytearray(encoded(64, 36))
    for _ in range(data.draw(st.integers(0, 8))):
        picture[data.draw(st.integers(0, len(picture) - 1))] = data.draw(st.integers(0, 255))
    size = jpeg_size(bytes(picture[: data.draw(st.integers(0, len(picture)))]))
    assert size is None or (0 < size[0] < 65536 and 0 < size[1] < 65536)
