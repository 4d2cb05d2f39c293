"""Pictures as the model sees them: 8-bit RGB at the profile's size.

Pictures are decoded at full size and then averaged over areas. Decoding a JPEG at reduced size takes 40 % of the time,
but drops the upper frequencies of each block instead of averaging pixels, and reaches only the factors 2, 4 and 8; a
model should see what its training saw.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import expected_one_of
from alpamayo_ros.perception.codec_output import captured_damage
from alpamayo_ros.perception.picture_file import PictureError, PictureSize, inspect_picture, validate_size
from alpamayo_ros.structs.camera import CameraFrame

_CHANNELS = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}

# A ROS name states the first four pixels, row by row; the new OpenCV names state the same.
_BAYER = {
    "bayer_rggb8": cv2.COLOR_BayerRGGB2RGB,
    "bayer_bggr8": cv2.COLOR_BayerBGGR2RGB,
    "bayer_gbrg8": cv2.COLOR_BayerGBRG2RGB,
    "bayer_grbg8": cv2.COLOR_BayerGRBG2RGB,
}

RAW_ENCODINGS = (*_CHANNELS, *_BAYER)
"""Encodings of raw pictures that can be read, as in sensor_msgs/image_encodings.hpp."""

# The picture as the sensor wrote it: calibrations know nothing of an orientation tag.
_IMDECODE_FLAGS = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION


def read_picture(
    frame: CameraFrame, size: PictureSize, calibrated: Sequence[tuple[str, PictureSize]] = ()
) -> NDArray[np.uint8]:
    """Decode a frame and resize it by averaging areas.

    Args:
        frame: JPEG or PNG file, or raw rows; the declared format of a file is not trusted.
        size: Wanted size.
        calibrated: Sizes that the camera's pictures must have, each with its source.

    Returns:
        uint8 (height, width, 3), RGB.

    Raises:
        PictureError: The picture has another size, an unknown encoding, or is damaged.
    """
    return decode_picture(frame, calibrated).resized(size)


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """A picture at full size.

    Attributes:
        pixels: uint8 (height, width, channels), with the channels of the encoding.
        encoding: One of RAW_ENCODINGS, ``rgb8`` for what was compressed.
        size: As received.
    """

    pixels: NDArray[np.uint8]
    encoding: str
    size: PictureSize

    def resized(self, size: PictureSize) -> NDArray[np.uint8]:
        """Return the picture averaged over areas: uint8 (height, width, 3), RGB.

        Raises:
            PictureError: There is no memory for it.
        """
        return self._scaled(self.pixels, size, cv2.INTER_AREA)

    def viewed(self, size: PictureSize) -> NDArray[np.uint8]:
        """Return the picture averaged over whole blocks and then interpolated: uint8 (height, width, 3), RGB.

        It costs a quarter of ``resized`` where the size is no whole part of the picture's, and detectors, which were
        trained on interpolated pictures, find as much in it.

        Raises:
            PictureError: There is no memory for it.
        """
        block = min(self.size.width // size.width, self.size.height // size.height)
        if block < 2:
            return self._scaled(self.pixels, size, cv2.INTER_LINEAR)
        try:
            coarse = (self.size.width // block, self.size.height // block)
            pixels = cv2.resize(self.pixels, coarse, interpolation=cv2.INTER_AREA)
        except (cv2.error, MemoryError) as error:
            raise _undecodable(error) from error
        return self._scaled(np.asarray(pixels, dtype=np.uint8), size, cv2.INTER_LINEAR)

    def _scaled(self, pixels: NDArray[np.uint8], size: PictureSize, interpolation: int) -> NDArray[np.uint8]:
        try:
            scaled = cv2.resize(pixels, (size.width, size.height), interpolation=interpolation)
            return _as_rgb(np.asarray(scaled, dtype=np.uint8), self.encoding)
        except (cv2.error, MemoryError) as error:
            raise _undecodable(error) from error


def decode_picture(frame: CameraFrame, calibrated: Sequence[tuple[str, PictureSize]] = ()) -> DecodedPicture:
    """Decode a frame; see ``read_picture``."""
    declared = picture_size(frame)
    for source, expected in calibrated:
        if declared != expected:
            raise PictureError(f"picture is {declared}; expected {expected} as in {source}")
    try:
        pixels = _decode(frame.data, declared) if frame.compressed else _raw_pixels(frame)
    except (cv2.error, MemoryError) as error:
        raise _undecodable(error) from error
    return DecodedPicture(pixels, "rgb8" if frame.compressed else frame.encoding, declared)


def _undecodable(error: Exception) -> PictureError:
    return PictureError(f"picture could not be decoded ({error}); expected an intact picture".replace("\n", " "))


def picture_size(frame: CameraFrame) -> PictureSize:
    """Return the size of a frame as received.

    Raises:
        PictureError: It is no picture.
    """
    return inspect_picture(frame.data) if frame.compressed else _inspect_raw(frame)


def _decode(data: bytes, declared: PictureSize) -> NDArray[np.uint8]:
    with captured_damage() as damage:
        pixels = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), _IMDECODE_FLAGS)
    if pixels is None or damage:
        reason = f" ({damage[0]})" if damage else ""
        raise PictureError(f"picture of {len(data)} bytes is damaged{reason}; expected an intact JPEG or PNG file")
    if pixels.shape != (declared.height, declared.width, 3) or pixels.dtype != np.uint8:
        raise PictureError(f"picture decodes to {pixels.shape} {pixels.dtype}; expected {declared} in 8-bit colour")
    return np.asarray(pixels, dtype=np.uint8)


def _inspect_raw(frame: CameraFrame) -> PictureSize:
    """Return the size of a raw picture whose header and data agree."""
    if frame.encoding not in RAW_ENCODINGS:
        raise PictureError(expected_one_of("encoding", frame.encoding, RAW_ENCODINGS))
    size = PictureSize(frame.width, frame.height)
    validate_size(size)
    row_bytes = frame.width * _CHANNELS.get(frame.encoding, 1)
    if frame.step < row_bytes:
        raise PictureError(f"{frame.encoding} rows of {frame.step} bytes are too short; expected {row_bytes} or more")
    if len(frame.data) != frame.step * frame.height:
        raise PictureError(
            f"{frame.encoding} picture of {size} and {frame.step} bytes per row holds {len(frame.data)} bytes; "
            f"expected {frame.step * frame.height}"
        )
    return size


def _raw_pixels(frame: CameraFrame) -> NDArray[np.uint8]:
    """Return a raw picture with its own channels, except that a Bayer mosaic becomes RGB."""
    channels = _CHANNELS.get(frame.encoding, 1)
    shape, strides = (frame.height, frame.width, channels), (frame.step, channels, 1)
    pixels: NDArray[np.uint8] = np.ndarray(shape, np.uint8, frame.data, strides=strides)
    if frame.encoding in _BAYER:
        return np.asarray(cv2.demosaicing(np.ascontiguousarray(pixels), _BAYER[frame.encoding]), dtype=np.uint8)
    return pixels


def _as_rgb(pixels: NDArray[np.uint8], encoding: str) -> NDArray[np.uint8]:
    """Reorder the channels of a resized picture: cheaper than doing it at full size."""
    if encoding == "mono8":
        pixels = np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2)
    elif encoding in ("bgr8", "bgra8"):
        pixels = pixels[..., 2::-1]
    return np.ascontiguousarray(pixels[..., :3])
