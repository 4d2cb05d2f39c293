"""Every encoding gives the same RGB picture, and no damaged or lying picture gives any."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.perception.images import RAW_ENCODINGS, decode_picture, read_picture
from alpamayo_ros.perception.picture_file import PictureError, PictureSize
from alpamayo_ros.structs.camera import CameraFrame

SIZE = PictureSize(16, 12)


def raw(pixels, encoding, padding=0):
    """A raw frame of uint8 (height, width[, channels]) with some bytes behind every row."""
    rows = pixels.reshape(pixels.shape[0], -1)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    return CameraFrame("front", 0, encoding, padded.tobytes(), pixels.shape[0], pixels.shape[1], padded.shape[1])


def compressed(data, encoding="jpeg"):
    return CameraFrame("front", 0, encoding, data)


def read_or_reason(frame):
    try:
        return read_picture(frame, SIZE)
    except PictureError as error:
        return str(error)


def reduced(picture):
    return cv2.resize(picture, (SIZE.width, SIZE.height), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("padding", [0, 1, 13])
def test_raw_encodings_with_any_row_padding_give_the_same_rgb(build, padding):
    picture = build.picture()
    alpha = np.arange(picture[..., :1].size, dtype=np.uint32).astype(np.uint8).reshape(*picture.shape[:2], 1)
    frames = {
        "rgb8": picture,
        "bgr8": picture[..., ::-1],
        "rgba8": np.concatenate([picture, alpha], axis=-1),
        "bgra8": np.concatenate([picture[..., ::-1], alpha], axis=-1),
    }
    for encoding, pixels in frames.items():
        found = read_picture(raw(pixels, encoding, padding), SIZE)
        assert found.dtype == np.uint8
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, reduced(picture), err_msg=encoding)


@pytest.mark.parametrize("padding", [0, 5])
def test_grey_pictures_become_three_equal_channels(build, padding):
    grey = build.picture()[..., 0]
    found = read_picture(raw(grey, "mono8", padding), SIZE)
    np.testing.assert_array_equal(found, np.repeat(reduced(grey)[..., np.newaxis], 3, axis=2))


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
@pytest.mark.parametrize("padding", [0, 3])
def test_bayer_mosaics_give_the_colours_that_they_sample(pattern, padding):
    colour = np.array([200, 100, 20], dtype=np.uint8)
    mosaic = np.zeros((48, 64), dtype=np.uint8)
    for place, name in enumerate(pattern):
        mosaic[place // 2 :: 2, place % 2 :: 2] = colour["rgb".index(name)]
    found = read_picture(raw(mosaic, f"bayer_{pattern}8", padding), SIZE)
    np.testing.assert_array_equal(found, np.broadcast_to(colour, found.shape))


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "bgra8", "mono8", "bayer_rggb8"])
def test_a_detectors_view_is_nearly_the_averaged_picture_in_every_encoding(build, encoding):
    channels = {"mono8": 1, "bayer_rggb8": 1, "bgra8": 4}.get(encoding, 3)
    picture = decode_picture(raw(build.picture(480, 640)[..., [0, 1, 2, 0][:channels]], encoding))
    for size in (PictureSize(200, 150), PictureSize(500, 375), PictureSize(800, 600), PictureSize(1, 1)):
        view = picture.viewed(size)
        assert (view.shape, view.dtype) == ((size.height, size.width, 3), np.uint8)
        difference = np.abs(view.astype(np.int16) - picture.resized(size))
        assert difference.mean() < 3.0, size


def test_a_png_is_read_exactly_and_its_transparency_ignored(build):
    picture = build.picture()
    np.testing.assert_array_equal(read_picture(compressed(build.encode(picture, ".png")), SIZE), reduced(picture))
    with_alpha = np.concatenate([picture[..., ::-1], np.zeros_like(picture[..., :1])], axis=-1)
    data = cv2.imencode(".png", with_alpha)[1].tobytes()
    np.testing.assert_array_equal(read_picture(compressed(data), SIZE), reduced(picture))


def test_a_jpeg_is_read_in_rgb_and_like_opencv_does(build):
    picture = build.picture()
    data = build.encode(picture, ".jpg", (1, 95))
    found = read_picture(compressed(data), SIZE)
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(found, reduced(bgr[..., ::-1].copy()))
    assert np.abs(found.astype(int) - reduced(picture)).mean() < 3


def test_the_declared_format_of_a_file_is_not_trusted(build):
    picture = build.picture()
    for encoding in ("jpeg", "rgb8; png compressed bgr8", "", "nonsense"):
        found = read_picture(compressed(build.encode(picture, ".png"), encoding), SIZE)
        np.testing.assert_array_equal(found, reduced(picture))


def test_an_orientation_tag_does_not_turn_the_picture(build):
    data = build.encode(build.picture())
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    tagged = data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]
    np.testing.assert_array_equal(read_picture(compressed(tagged), SIZE), read_picture(compressed(data), SIZE))


def test_a_16_bit_and_a_grey_png_become_8_bit_rgb(build):
    grey = build.picture()[..., 0]
    for pixels in (grey, grey.astype(np.uint16) * 257):
        found = read_picture(compressed(cv2.imencode(".png", pixels)[1].tobytes()), SIZE)
        np.testing.assert_array_equal(found, np.repeat(reduced(grey)[..., np.newaxis], 3, axis=2))


def test_a_picture_of_the_wanted_size_is_a_copy_without_loss(build):
    picture = build.picture(SIZE.height, SIZE.width)
    np.testing.assert_array_equal(read_picture(raw(picture, "rgb8"), SIZE), picture)


def test_the_result_does_not_depend_on_the_number_of_threads(build):
    frame = compressed(build.encode(build.picture(480, 640)))
    threads = cv2.getNumThreads()
    try:
        found = []
        for count in (1, 4):
            cv2.setNumThreads(count)
            found.append(read_picture(frame, PictureSize(320, 200)).tobytes())
    finally:
        cv2.setNumThreads(threads)
    assert found[0] == found[1]


def test_the_size_must_be_that_of_every_calibration(build):
    frame = compressed(build.encode(build.picture(48, 64)))
    good, bad = ("CameraInfo", PictureSize(64, 48)), ("calibration", PictureSize(1920, 1080))
    assert read_picture(frame, SIZE, [good]).shape == (12, 16, 3)
    with pytest.raises(PictureError, match="picture is 64 x 48 px; expected 1920 x 1080 px as in calibration"):
        read_picture(frame, SIZE, [good, bad])


def test_unknown_encodings_are_refused_with_the_known_ones(build):
    frame = raw(build.picture()[..., 0], "mono16")
    with pytest.raises(PictureError, match="encoding 'mono16' is not known; expected one of: bayer_bggr8") as caught:
        read_picture(frame, SIZE)
    assert all(encoding in str(caught.value) for encoding in RAW_ENCODINGS)


@pytest.mark.parametrize(
    ("height", "width", "step", "length", "reason"),
    [
        (4, 4, 12, 47, "holds 47 bytes; expected 48"),
        (4, 4, 12, 49, "holds 49 bytes; expected 48"),
        (4, 4, 11, 44, "rows of 11 bytes are too short; expected 12 or more"),
        (4, 5, 12, 48, "rows of 12 bytes are too short; expected 15 or more"),
        (0, 4, 12, 0, "declares 4 x 0 px"),
        (4, 0, 12, 48, "declares 0 x 4 px"),
        (2**31, 2**31, 2**33, 48, "declares 2147483648 x 2147483648 px"),
        (4, 4, 0, 48, "rows of 0 bytes are too short"),
        (0, 4, 0, 48, "starts with bytes 00 00"),
    ],
)
def test_a_header_that_lies_about_the_size_is_refused(height, width, step, length, reason):
    with pytest.raises(PictureError, match=reason):
        read_picture(CameraFrame("front", 0, "rgb8", bytes(length), height, width, step), SIZE)


@pytest.mark.parametrize("encoding", RAW_ENCODINGS)
def test_a_picture_of_one_pixel_gives_a_picture_or_a_picture_error(encoding):
    channels = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4}.get(encoding, 1)
    frame = CameraFrame("front", 0, encoding, bytes([7]) * channels, 1, 1, channels)
    found = read_or_reason(frame)
    if isinstance(found, str):
        assert encoding.startswith("bayer")
        assert "expected an intact picture" in found
    else:
        assert found.shape == (12, 16, 3)


def overwritten(data, start, count, value):
    return data[:start] + bytes([value]) * count + data[start + count :]


@pytest.mark.parametrize("value", [0x00, 0x55, 0xFE])
def test_a_jpeg_with_overwritten_pixels_is_refused_and_nothing_is_printed(build, capfd, value):
    generator = np.random.default_rng(0)
    picture = generator.integers(0, 256, (96, 128, 3)).astype(np.uint8)
    data = build.encode(picture)
    with pytest.raises(PictureError, match=r"damaged .*Corrupt JPEG data"):
        read_picture(compressed(overwritten(data, len(data) // 2, len(data) // 4, value)), SIZE)
    assert capfd.readouterr().err == ""


@settings(deadline=None, max_examples=150)
@given(suffix=st.sampled_from([".jpg", ".png"]), seed=st.integers(0, 2**32 - 1), count=st.integers(1, 40))
def test_whatever_happens_to_a_file_there_is_a_picture_or_one_reason(build, suffix, seed, count):
    generator = np.random.default_rng(seed)
    data = bytearray(build.encode(build.picture(24, 32), suffix))
    for position in generator.integers(0, len(data), count):
        data[position] = generator.integers(0, 256)
    cut = generator.integers(0, len(data) + 1) if generator.random() < 0.3 else len(data)
    found = read_or_reason(compressed(bytes(data[:cut])))
    if isinstance(found, str):
        assert "expected" in found
        assert "\n" not in found
    else:
        assert found.shape == (12, 16, 3)


def test_a_decompression_bomb_is_refused_before_it_is_decoded(build):
    data = build.encode(np.zeros((16, 16, 3), dtype=np.uint8), ".png")
    bomb = bytearray(build.encode(np.zeros((16, 16, 3), dtype=np.uint8), ".jpg"))
    start = bomb.index(b"\xff\xc0") + 5
    bomb[start : start + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(PictureError, match="declares 65535 x 65535 px"):
        read_picture(compressed(bytes(bomb)), SIZE)
    assert read_picture(compressed(data), SIZE).max() == 0
