"""How detectors of two families take pictures and say what they see, as arrays in and arrays out."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import TensorSpecError
from alpamayo_ros.inference.backend import TensorSpec
from alpamayo_ros.perception.picture_file import PictureSize

COCO_KINDS = 80

_LARGEST_EXPONENT = 20.0
"""A box of e^20 strides is larger than any picture; beyond it numbers only overflow."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Everything that a detector says, before it is sifted.

    Attributes:
        boxes: float32 (N, 4): left, top, width, height as shares of the picture.
        scores: float32 (N,).
        kinds: int64 (N,), index of the COCO kind.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    kinds: NDArray[np.int64]


class DetectorForm(Protocol):
    """One family of detectors, for one size of input."""

    def view_size(self, received: PictureSize) -> PictureSize:
        """Return the size that a picture is resized to before ``tensor`` takes it."""

    def tensor(self, view: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the input, float32 (1, 3, height, width), of an RGB picture of the view's size."""

    def candidates(self, output: NDArray[np.float32], view: PictureSize) -> Candidates:
        """Return what an output says.

        Raises:
            TensorSpecError: It has another shape than this form's.
        """


class YoloxForm:
    """YOLOX (Z. Ge et al., 2021) as its own export writes it, without decoding.

    Input: BGR from 0 to 255, scaled into the upper left of a square that is filled with 114. Output: (1, N, 85), N
    cells of the strides 8, 16 and 32 row by row; centre offset and logarithm of the size in strides, objectness and
    the kinds' probabilities.
    """

    strides = (8, 16, 32)
    filling = 114.0

    def __init__(self, height: int, width: int) -> None:
        """Lay out the cells."""
        self._height, self._width = height, width
        cells, strides = [], []
        for stride in self.strides:
            rows, columns = np.mgrid[: height // stride, : width // stride]
            cells.append(np.stack((columns.reshape(-1), rows.reshape(-1)), axis=1))
            strides.append(np.full(rows.size, stride))
        self._cells = np.concatenate(cells).astype(np.float32)
        self._strides = np.concatenate(strides).astype(np.float32)[:, np.newaxis]

    def view_size(self, received: PictureSize) -> PictureSize:
        """Return the largest size of the same shape that fits into the input."""
        scale = min(self._width / received.width, self._height / received.height)
        return PictureSize(max(1, int(received.width * scale)), max(1, int(received.height * scale)))

    def tensor(self, view: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the filled square; see ``DetectorForm.tensor``."""
        tensor = np.full((1, 3, self._height, self._width), self.filling, dtype=np.float32)
        tensor[0, :, : view.shape[0], : view.shape[1]] = view[..., ::-1].transpose(2, 0, 1)
        return tensor

    def candidates(self, output: NDArray[np.float32], view: PictureSize) -> Candidates:
        """Decode the cells; see ``DetectorForm.candidates``."""
        _validate_shape(output, (1, len(self._cells), 5 + COCO_KINDS), "yolox")
        rows = output[0]
        centre = (rows[:, :2] + self._cells) * self._strides
        size = np.exp(np.minimum(rows[:, 2:4], _LARGEST_EXPONENT)) * self._strides
        boxes = np.concatenate((centre - size / 2, size), axis=1) / np.array([view.width, view.height] * 2, np.float32)
        kinds = rows[:, 5:].argmax(axis=1)
        scores = rows[:, 4] * rows[np.arange(len(rows)), 5 + kinds]
        return Candidates(boxes.astype(np.float32), scores, kinds)


class FastestDetForm:
    """FastestDet (X. Ma, 2022) as its ONNX example runs it.

    Input: BGR from 0 to 1, stretched. Output: (1, 85, rows, columns); per cell objectness, centre offset (tanh) in
    cells, size (sigmoid) as share of the picture, the kinds' probabilities. The score is
    ``objectness ** 0.6 * probability ** 0.4``.
    """

    stride = 16

    def __init__(self, height: int, width: int) -> None:
        """Lay out the cells."""
        self._height, self._width = height, width
        self._rows, self._columns = height // self.stride, width // self.stride

    def view_size(self, received: PictureSize) -> PictureSize:  # noqa: ARG002 - every shape is stretched
        """Return the size of the input."""
        return PictureSize(self._width, self._height)

    def tensor(self, view: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the stretched picture; see ``DetectorForm.tensor``."""
        return np.ascontiguousarray(view[..., ::-1].transpose(2, 0, 1)[np.newaxis], dtype=np.float32) / 255.0

    def candidates(self, output: NDArray[np.float32], view: PictureSize) -> Candidates:  # noqa: ARG002
        """Decode the cells; see ``DetectorForm.candidates``."""
        _validate_shape(output, (1, 5 + COCO_KINDS, self._rows, self._columns), "fastestdet")
        rows = output[0].reshape(5 + COCO_KINDS, -1).T
        down, right = np.mgrid[: self._rows, : self._columns]
        centre = np.tanh(rows[:, 1:3]) + np.stack((right.reshape(-1), down.reshape(-1)), axis=1)
        centre /= np.array([self._columns, self._rows])
        size = 1.0 / (1.0 + np.exp(np.clip(-rows[:, 3:5], None, 80.0)))
        kinds = rows[:, 5:].argmax(axis=1)
        certain = np.clip(rows[np.arange(len(rows)), 5 + kinds], 0.0, 1.0)
        scores = np.clip(rows[:, 0], 0.0, 1.0) ** 0.6 * certain**0.4
        boxes = np.concatenate((centre - size / 2, size), axis=1)
        return Candidates(boxes.astype(np.float32), scores.astype(np.float32), kinds)


_FORMS: dict[str, type[YoloxForm] | type[FastestDetForm]] = {"yolox": YoloxForm, "fastestdet": FastestDetForm}


def detector_form(name: str, spec: TensorSpec) -> DetectorForm:
    """Return a form for the input that a detector takes.

    Args:
        name: One of DETECTOR_FORMS.
        spec: Its input.

    Raises:
        TensorSpecError: The input is no float32 picture of a fixed size in whole strides.
    """
    whole = len(spec.shape) == 4 and spec.shape[:2] == (1, 3) and all(n > 0 and n % 32 == 0 for n in spec.shape[2:])
    if spec.dtype != "float32" or not whole:
        raise TensorSpecError(
            f"detector input {spec.name!r} is {spec.dtype} {spec.shape}; expected float32 (1, 3, height, width) with "
            "multiples of 32"
        )
    return _FORMS[name](spec.shape[2], spec.shape[3])


def _validate_shape(output: NDArray[np.float32], expected: tuple[int, ...], form: str) -> None:
    if output.shape != expected or output.dtype != np.float32:
        raise TensorSpecError(
            f"detector output is {output.dtype} {output.shape}; expected float32 {expected} of form {form!r}"
        )
