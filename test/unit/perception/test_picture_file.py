"""JPEG and PNG files are judged by their structure before a pixel is decoded."""

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.perception.picture_file import PictureError, PictureSize, inspect_picture

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width=8, height=6, body=b"\0" * 40):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return PNG_MAGIC + header + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def frame_header(width, height):
    return b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"


def jpeg(width=8, height=6, scans=1):
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x12\xff\x00\x34\xff\xd0\x56"
    return b"\xff\xd8" + frame_header(width, height) + scan * scans + b"\xff\xd9"


def size_or_reason(data):
    try:
        return inspect_picture(data)
    except PictureError as error:
        return str(error)


def test_the_size_of_real_files_is_read(build):
    picture = build.picture(48, 64)
    options = ((), (2, 1), (4, 2))  # plain, progressive, restart markers
    for option in options:
        assert inspect_picture(build.encode(picture, ".jpg", option)) == PictureSize(64, 48)
    assert inspect_picture(build.encode(picture, ".png")) == PictureSize(64, 48)


def test_hand_made_files_are_complete():
    assert inspect_picture(jpeg()) == inspect_picture(png()) == PictureSize(8, 6)


def test_bytes_after_the_end_and_fill_bytes_are_allowed():
    assert inspect_picture(jpeg() + bytes(100)) == PictureSize(8, 6)
    assert inspect_picture(jpeg().replace(b"\xff\xc0", b"\xff\xff\xff\xc0", 1)) == PictureSize(8, 6)
    assert inspect_picture(png() + b"trailing") == PictureSize(8, 6)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\xff\xd8", b"\x89PNG", b"RIFF....WEBP", b"\0" * 100])
def test_anything_else_is_refused_by_its_first_bytes(data):
    with pytest.raises(PictureError, match="expected a JPEG or PNG file"):
        inspect_picture(data)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_every_truncation_is_refused(build, suffix):
    data = build.encode(build.picture(16, 16), suffix, (4, 1) if suffix == ".jpg" else ())
    for length in range(len(data)):
        with pytest.raises(PictureError):
            inspect_picture(data[:length])


@settings(deadline=None, max_examples=200)
@given(st.sampled_from([jpeg(), png()]), st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=6))
def test_any_change_of_bytes_gives_a_size_or_a_picture_error(data, changes):
    changed = bytearray(data)
    for position, value in changes:
        changed[position % len(changed)] = value
    size = size_or_reason(bytes(changed))
    if isinstance(size, str):
        assert "expected" in size
    else:
        assert 1 <= size.width * size.height <= 7680 * 4320


@pytest.mark.parametrize("make", [jpeg, png])
@pytest.mark.parametrize(("width", "height"), [(65_000, 65_000), (0, 10), (10, 0), (7681, 4320)])
def test_a_size_that_is_empty_or_would_fill_the_memory_is_refused(make, width, height):
    with pytest.raises(PictureError, match=f"declares {width} x {height} px; expected 1 to 33177600 pixels"):
        inspect_picture(make(width, height))


def test_a_png_with_the_largest_declarable_size_is_refused():
    with pytest.raises(PictureError, match="declares 4294967295 x 4294967295 px"):
        inspect_picture(png(2**32 - 1, 2**32 - 1))


def test_a_jpeg_of_very_many_scans_is_refused():
    assert inspect_picture(jpeg(scans=100)) == PictureSize(8, 6)
    with pytest.raises(PictureError, match="more than 100 scans"):
        inspect_picture(jpeg(scans=101))


def test_a_jpeg_with_two_frame_headers_is_refused():
    data = jpeg()
    with pytest.raises(PictureError, match="second or short frame header"):
        inspect_picture(data[:2] + frame_header(9, 9) + data[2:])


def test_a_jpeg_without_a_picture_is_refused():
    with pytest.raises(PictureError, match="holds no picture"):
        inspect_picture(b"\xff\xd8" + frame_header(8, 6) + b"\xff\xd9")


def test_a_marker_within_a_scan_is_refused():
    with pytest.raises(PictureError, match=r"expected a complete file|expected a marker segment"):
        inspect_picture(jpeg().replace(b"\xff\x00\x34", b"\xff\xd8\x34"))


def test_a_png_with_a_wrong_check_sum_is_refused():
    data = bytearray(png())
    data[45] ^= 1
    with pytest.raises(PictureError, match="does not match its check sum"):
        inspect_picture(bytes(data))


def test_a_png_without_or_with_two_headers_or_without_pixels_is_refused():
    header = png()[8:33]
    with pytest.raises(PictureError, match="expected exactly one header, first"):
        inspect_picture(PNG_MAGIC + png()[33:])
    with pytest.raises(PictureError, match="expected exactly one header, first"):
        inspect_picture(PNG_MAGIC + header + png()[8:])
    with pytest.raises(PictureError, match="PNG holds no picture"):
        inspect_picture(PNG_MAGIC + header + chunk(b"IEND", b""))
