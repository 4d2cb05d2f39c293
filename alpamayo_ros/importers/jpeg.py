"""Encode decoded pictures as JPEG files."""

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ArtifactError, ConfigurationError
from alpamayo_ros.importers.foreign_error import sentence_of

QUALITY = 95
"""Quality of OpenCV's JPEG encoder unless another one is asked for."""


def validate_quality(quality: int) -> None:
    """Require a quality that the encoder knows.

    Raises:
        ConfigurationError: It is out of range.
    """
    if not 1 <= quality <= 100:
        raise ConfigurationError(f"JPEG quality is {quality}; expected 1 to 100")


def encode_jpeg(picture: NDArray[np.uint8], quality: int) -> bytes:
    """Return a picture as a JPEG file.

    Args:
        picture: uint8 (height, width, 3), BGR.
        quality: 1 to 100.

    Raises:
        ArtifactError: The encoder refuses the picture.
    """
    try:
        encoded, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    except cv2.error as error:
        raise ArtifactError(
            f"picture of shape {picture.shape} cannot be encoded as JPEG: {sentence_of(error)}"
        ) from error
    if not encoded:
        raise ArtifactError(f"picture of shape {picture.shape} cannot be encoded as JPEG; expected a BGR picture")
    return data.tobytes()


def encoding_sentence(quality: int) -> str:
    """Say how pictures were encoded again, for the bag's tags."""
    return (
        f"Pictures were decoded from the video and encoded again as JPEG of quality {quality} by OpenCV "
        f"{cv2.__version__}: they are not the source's own bytes."
    )
