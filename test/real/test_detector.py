"""Real pictures: two detectors find the actors that PandaSet's people labelled."""

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from alpamayo_ros.geometry.boxes import overlap
from alpamayo_ros.geometry.rotation import to_matrix
from alpamayo_ros.importers.pandaset_source import PandasetSource, SourceBox, read_picture, read_source
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import CameraSpec, load_profile
from alpamayo_ros.perception.detector import ActorDetector
from alpamayo_ros.perception.images import decode_picture
from alpamayo_ros.pipeline.stages import load_detector
from alpamayo_ros.structs.camera import CameraFrame
from alpamayo_ros.structs.detection import Box, DetectedActor
from alpamayo_ros.structs.observation import FrameReference

VEHICLES = {"Car", "Pickup Truck", "Medium-sized Truck"}
PEOPLE = {"Pedestrian", "Pedestrian with Object"}
FOUND_AS = {label: {"car", "truck", "bus"} for label in VEHICLES} | {label: {"person"} for label in PEOPLE}
"""Which labels count as found; a construction vehicle, a cone and a trailer are no COCO kinds."""

LEAST_PX = 40
"""Smallest height of a labelled box that counts; a vehicle must be as wide, too."""

MOST_HIDDEN = 0.5
"""Largest share of a labelled box that nearer labelled boxes cover."""

ENOUGH = 0.5
"""Overlap (IoU) from which on a labelled box is found; a projected cuboid is larger than its actor."""

COARSE_PX = 8
"""Step of the raster that says what covers what."""

MODELS = {
    "yolox": ("yolox_nano/yolox_nano.onnx", 0.35),
    "fastestdet": ("fastestdet/FastestDet.onnx", 0.5),
}


@dataclass(frozen=True)
class Labelled:
    """One labelled actor in a picture."""

    label: str
    box_px: Box


@pytest.fixture(scope="module")
def source() -> PandasetSource:
    if "ALPAMAYO_DATA" not in os.environ:
        pytest.skip("ALPAMAYO_DATA is not set")
    return read_source(Path(os.environ["ALPAMAYO_DATA"]) / "pandaset_seq002")


@pytest.fixture(scope="module")
def labelled(source: PandasetSource) -> list[list[Labelled]]:
    """Return the labelled actors of each front picture that are large and visible enough."""
    front = next(camera for camera in source.cameras if camera.camera == "front")
    k = np.array(front.k).reshape(3, 3)
    found = []
    for pose, boxes in zip(front.world_from_optical, source.boxes, strict=True):
        rotation = to_matrix(np.array(pose.quaternion))
        corners = [(box, (cuboid(box) - np.array(pose.position)) @ rotation) for box in boxes]
        found.append(visible([(box, points) for box, points in corners if points[:, 2].min() > 0.5], k, (1920, 1080)))
    return found


def cuboid(box: SourceBox) -> NDArray[np.float64]:
    signs = np.array(np.meshgrid((-0.5, 0.5), (-0.5, 0.5), (-0.5, 0.5))).reshape(3, -1).T
    x, y, z = (signs * (box.width_m, box.length_m, box.height_m)).T
    cos, sin = np.cos(box.yaw_rad), np.sin(box.yaw_rad)
    return np.stack((x * cos - y * sin, x * sin + y * cos, z), axis=1) + np.array(box.position_m)


def visible(
    boxes: list[tuple[SourceBox, NDArray[np.float64]]], k: NDArray[np.float64], size: tuple[int, int]
) -> list[Labelled]:
    """Return the boxes that are large enough and not mostly hidden by nearer ones."""
    width, height = size
    covered = np.zeros((height // COARSE_PX, width // COARSE_PX), dtype=np.uint8)
    found = []
    for box, points in sorted(boxes, key=lambda item: float(np.linalg.norm(item[1].mean(axis=0)))):
        pixels = points @ k.T
        pixels = pixels[:, :2] / pixels[:, 2:]
        (left, top), (right, bottom) = np.clip(pixels.min(0), 0, size), np.clip(pixels.max(0), 0, size)
        own = np.zeros_like(covered)
        cv2.fillConvexPoly(own, cv2.convexHull((pixels / COARSE_PX).astype(np.int32)), 1)
        hidden = float((own & covered).sum()) / max(int(own.sum()), 1)
        covered |= own
        narrowest = bottom - top if box.label in PEOPLE else min(right - left, bottom - top)
        # Two LiDARs labelled most actors, each on its own: the nearer label hides the other.
        if narrowest >= LEAST_PX and right > left and hidden <= MOST_HIDDEN and box.label in FOUND_AS:
            found.append(Labelled(box.label, (float(left), float(top), float(right - left), float(bottom - top))))
    return found


@pytest.fixture(scope="module")
def detector_of() -> Callable[[str], ActorDetector]:
    def load(form: str) -> ActorDetector:
        if "ALPAMAYO_DATA" not in os.environ:
            pytest.skip("ALPAMAYO_DATA is not set")
        name, score = MODELS[form]
        path = Path(os.environ["ALPAMAYO_DATA"]) / "models" / name
        params = PerceptionParams(
            detector_model=str(path),
            detector_sha256="sha256:" + hashlib.sha256(path.read_bytes()).hexdigest(),
            detector_form=form,
            detector_min_score=score,
        )
        detector = load_detector(replace(load_profile("kinematic"), cameras=(CameraSpec("front"),)), params)
        assert detector is not None
        return detector

    return load


def detections(detector: ActorDetector, data: bytes) -> tuple[DetectedActor, ...]:
    picture = decode_picture(CameraFrame("front", 0, "jpeg", data))
    view = picture.viewed(detector.view_size(picture.size))
    return detector.detect(view, FrameReference("front", 0, "", picture.size.width, picture.size.height))


def found(actor: Labelled, actors: tuple[DetectedActor, ...]) -> bool:
    wanted = FOUND_AS[actor.label]
    return any(overlap(actor.box_px, other.box_px) >= ENOUGH for other in actors if other.label in wanted)


@pytest.mark.parametrize(("form", "least"), [("yolox", 0.74), ("fastestdet", 0.65)])
def test_labelled_vehicles_over_40_px_are_found(
    form: str,
    least: float,
    source: PandasetSource,
    labelled: list[list[Labelled]],
    detector_of: Callable[[str], ActorDetector],
) -> None:
    """Recall as in docs/perception.md; the gates stand 0.05 below it. People are counted, but not judged."""
    detector = detector_of(form)
    front = next(camera for camera in source.cameras if camera.camera == "front")
    hits: dict[str, list[bool]] = {"vehicles": [], "people": []}
    vehicles = []
    for index, actors in enumerate(labelled):
        seen = detections(detector, read_picture(front, index))
        vehicles.append(sum(actor.label in FOUND_AS["Car"] for actor in seen))
        for actor in actors:
            hits["people" if actor.label in PEOPLE else "vehicles"].append(found(actor, seen))
    report = ", ".join(f"{kind} {sum(values)} of {len(values)}" for kind, values in hits.items())
    sys.stdout.write(f"{form}: found {report}; {mean(vehicles):.1f} vehicles a picture, at least {min(vehicles)}\n")
    assert mean(hits["vehicles"]) >= least


def test_there_are_enough_labels_to_judge_by(labelled: list[list[Labelled]]) -> None:
    kinds = Counter(actor.label for actors in labelled for actor in actors)
    assert len(labelled) == 80
    assert kinds["Car"] > 400, kinds
