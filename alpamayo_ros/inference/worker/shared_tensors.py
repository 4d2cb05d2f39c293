"""Tensors in memory that two processes share: pictures are copied once, and never through a pipe."""

import mmap
import os
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.inference.backend import Tensors

_ALIGNED = 64
"""Bytes that each tensor begins at a multiple of."""


class Place(NamedTuple):
    """Where a tensor lies."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int


class SharedTensors:
    """One block of memory without a name: it is gone with the last process that has it open, however that ends."""

    def __init__(self, descriptor: int | None = None) -> None:
        """Make a block, or take one that another process made.

        Args:
            descriptor: Of the other's block; it stays open until ``close``.
        """
        self.descriptor = os.memfd_create("alpamayo_tensors") if descriptor is None else descriptor
        self._map: mmap.mmap | None = None

    def put(self, tensors: Tensors) -> tuple[Place, ...]:
        """Write tensors from the beginning, and return where they lie."""
        places, offset = [], 0
        for name, tensor in tensors.items():
            places.append(Place(name, tensor.dtype.str, tensor.shape, offset))
            offset += -(-tensor.nbytes // _ALIGNED) * _ALIGNED
        self._require_size(offset)
        for place in places:
            if self._map is not None and 0 not in place.shape:
                self._view(place)[...] = tensors[place.name]
        return tuple(places)

    def get(self, places: tuple[Place, ...]) -> dict[str, NDArray[Any]]:
        """Return copies of the tensors that the other process wrote."""
        last = max((place.offset + _length(place) for place in places), default=0)
        self._require_size(last)
        return {
            place.name: self._view(place).copy()
            if 0 not in place.shape
            else np.empty(place.shape, np.dtype(place.dtype))
            for place in places
        }

    def close(self) -> None:
        """Give the memory back."""
        if self._map is not None:
            self._map.close()
            self._map = None
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _view(self, place: Place) -> NDArray[Any]:
        assert self._map is not None  # noqa: S101 - _require_size has made it
        count = int(np.prod(place.shape, dtype=np.int64))
        return np.frombuffer(self._map, np.dtype(place.dtype), count, place.offset).reshape(place.shape)

    def _require_size(self, size: int) -> None:
        """Map at least so many bytes; the block only grows."""
        if not size or (self._map is not None and len(self._map) >= size):
            return
        if os.fstat(self.descriptor).st_size < size:
            os.ftruncate(self.descriptor, size)
        if self._map is not None:
            self._map.close()
        self._map = mmap.mmap(self.descriptor, os.fstat(self.descriptor).st_size)


def _length(place: Place) -> int:
    return int(np.prod(place.shape, dtype=np.int64)) * np.dtype(place.dtype).itemsize
