"""Find actors in pictures with a detector of the 80 COCO kinds."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import BackendError, ParameterError, TensorSpecError, expected_one_of
from alpamayo_ros.inference.backend import Session
from alpamayo_ros.params.detector import DetectorParams
from alpamayo_ros.perception.detector_forms import detector_form
from alpamayo_ros.perception.picture_file import PictureSize
from alpamayo_ros.structs.detection import DetectedActor
from alpamayo_ros.structs.observation import FrameReference, Observation

ROAD_KINDS = {
    0: "person",
    1: "bicycle",
    2: "car",
    3: "motorcycle",
    5: "bus",
    6: "train",
    7: "truck",
    9: "traffic_light",
    11: "stop_sign",
    15: "animal",
    16: "animal",
    17: "animal",
    18: "animal",
    19: "animal",
}
"""Label by COCO kind of what matters on a road; the other kinds are left out."""

MAX_ACTORS = 200
"""Most actors of one picture, the surest first."""


class ActorDetector:
    """A loaded detector. Calls are serialised by the caller."""

    def __init__(self, session: Session, params: DetectorParams, cameras: tuple[str, ...]) -> None:
        """Take a session that runs the detector's file.

        Args:
            session: One input and one output, as the form says.
            params: Form, limits and cameras.
            cameras: Camera ids of the profile.

        Raises:
            ParameterError: A camera that it shall look at is not in the profile.
            TensorSpecError: The file has other inputs or outputs than the form.
        """
        for camera in params.detector_cameras:
            if camera not in cameras:
                raise ParameterError(expected_one_of("parameter perception.detector_cameras", camera, cameras))
        if len(session.input_specs) != 1 or len(session.output_specs) != 1:
            raise TensorSpecError(
                f"detector has {len(session.input_specs)} inputs and {len(session.output_specs)} outputs; expected one "
                "of each"
            )
        self.cameras = params.detector_cameras or cameras
        self._session = session
        self._form = detector_form(params.detector_form, session.input_specs[0])
        self._input, self._output = session.input_specs[0].name, session.output_specs[0].name
        self._min_score, self._max_overlap = params.detector_min_score, params.detector_max_overlap
        # A wrong form is refused before the first tick, not at it.
        self.detect(np.zeros((8, 8, 3), dtype=np.uint8), FrameReference("", 0, "", 8, 8))

    def view_size(self, received: PictureSize) -> PictureSize:
        """Return the size that a picture must have for ``detect``."""
        return self._form.view_size(received)

    def add_actors(self, observation: Observation) -> Observation:
        """Return an observation with what is in its views, in place of them.

        Raises:
            BackendError: A run did not succeed.
        """
        newest = {reference.camera: reference for reference in observation.frames}
        actors = [actor for camera, view in observation.views.items() for actor in self.detect(view, newest[camera])]
        return replace(observation, views={}, actors=tuple(actors))

    def detect(self, view: NDArray[np.uint8], reference: FrameReference) -> tuple[DetectedActor, ...]:
        """Find the actors in one picture, the surest first.

        Args:
            view: uint8 (H, W, 3), RGB, of the view's size.
            reference: Names the camera and the size of the picture as received, which the boxes are given in.

        Raises:
            BackendError: The run did not succeed, or gave numbers that are not finite.
        """
        size = PictureSize(view.shape[1], view.shape[0])
        if size != self._form.view_size(size):
            view = np.asarray(_stretched(view, self._form.view_size(size)), dtype=np.uint8)
            size = PictureSize(view.shape[1], view.shape[0])
        output = self._session.infer({self._input: self._form.tensor(view)}, 0)[self._output]
        if not np.isfinite(output).all():
            raise BackendError("detector gave numbers that are not finite; expected a sound model")
        found = self._form.candidates(output, size)
        likely = np.flatnonzero((found.scores >= self._min_score) & np.isin(found.kinds, list(ROAD_KINDS)))
        # Parts outside the picture are cut off; what lies outside altogether is no actor.
        upper_left = np.clip(found.boxes[likely, :2], 0.0, 1.0)
        lower_right = np.clip(found.boxes[likely, :2] + found.boxes[likely, 2:], 0.0, 1.0)
        scale = np.array([reference.width, reference.height], dtype=np.float32)
        boxes = np.concatenate((upper_left * scale, (lower_right - upper_left) * scale), axis=1)
        inside = (boxes[:, 2:] > 0.0).all(axis=1)
        likely, boxes = likely[inside], boxes[inside]
        labels = [ROAD_KINDS[int(kind)] for kind in found.kinds[likely]]
        kept = self._sifted(boxes, found.scores[likely], labels)
        return tuple(
            DetectedActor(
                labels[index],
                float(found.scores[likely[index]]),
                reference.camera,
                (float(boxes[index, 0]), float(boxes[index, 1]), float(boxes[index, 2]), float(boxes[index, 3])),
                f"{reference.camera}/{number}",
            )
            for number, index in enumerate(kept)
        )

    def close(self) -> None:
        """Release the engine."""
        self._session.close()

    def _sifted(self, boxes: NDArray[np.float32], scores: NDArray[np.float32], labels: list[str]) -> list[int]:
        """Return the indices of the boxes that stay, by falling score, equal ones by place."""
        if not labels:
            return []
        kinds = {label: number for number, label in enumerate(sorted(set(labels)))}
        kept = cv2.dnn.NMSBoxesBatched(
            boxes.tolist(), scores.tolist(), [kinds[label] for label in labels], self._min_score, self._max_overlap
        )
        return sorted((int(index) for index in kept), key=lambda index: (-scores[index], index))[:MAX_ACTORS]


def _stretched(view: NDArray[np.uint8], size: PictureSize) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(view, (size.width, size.height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
