"""Decoded pictures of one camera, each decoded once for all the observations that use it."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.perception.images import decode_picture
from alpamayo_ros.perception.picture_file import PictureError, PictureSize
from alpamayo_ros.structs.camera import CameraFrame
from alpamayo_ros.structs.observation import FrameReference


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture.

    Attributes:
        rgb: uint8 (height, width, 3) at the model's size.
        reference: Which recorded picture it is.
        view: uint8 (height, width, 3), the picture at the detector's size; None for a camera without a detector.
    """

    rgb: NDArray[np.uint8]
    reference: FrameReference
    view: NDArray[np.uint8] | None = None


class PictureCache:
    """Pictures by stamp; a picture that cannot be read is remembered by its reason."""

    def __init__(self, size: PictureSize, view_size: Callable[[PictureSize], PictureSize] | None = None) -> None:
        """Start empty.

        Args:
            size: The model's size.
            view_size: Gives the detector's size for the size of a picture as received; None without a detector.
        """
        self._size = size
        self._view_size = view_size
        self._entries: dict[int, Picture | str] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def read(self, frame: CameraFrame, calibrated: Sequence[tuple[str, PictureSize]]) -> Picture | str:
        """Return the picture of a frame, or why it cannot be read; see ``decode_picture``."""
        entry = self._entries.get(frame.stamp_ns)
        if entry is None:
            try:
                decoded = decode_picture(frame, calibrated)
                rgb = decoded.resized(self._size)
                view = None if self._view_size is None else decoded.viewed(self._view_size(decoded.size))
            except PictureError as error:
                entry = str(error)
            else:
                digest = hashlib.sha256(frame.data).hexdigest()
                size = decoded.size
                reference = FrameReference(frame.camera, frame.stamp_ns, digest, size.width, size.height)
                entry = Picture(rgb, reference, view)
            self._entries[frame.stamp_ns] = entry
        return entry

    def keep_only(self, stamps_ns: Collection[int]) -> None:
        """Forget every picture but those of some stamps."""
        for stamp_ns in [stamp_ns for stamp_ns in self._entries if stamp_ns not in stamps_ns]:
            del self._entries[stamp_ns]

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
