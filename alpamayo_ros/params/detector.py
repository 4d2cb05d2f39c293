"""Parameters of the optional detector: which file finds actors in the pictures, and how sure it must be."""

from dataclasses import dataclass

from alpamayo_ros.params.camera_health import CameraHealthParams
from alpamayo_ros.params.parameter import parameter

DETECTOR_FORMS = ("yolox", "fastestdet")
"""Forms of detectors whose inputs and outputs are known; see ``perception/detector_forms.py``."""


@dataclass(frozen=True, slots=True)
class DetectorParams(CameraHealthParams):
    """What finds actors; without a model nothing does."""

    detector_model: str = parameter(
        "", "ONNX file of a detector of the 80 COCO kinds, empty for none.", behavioural=False
    )
    detector_sha256: str = parameter(
        "",
        "Digest of that file, sha256:<64 hex>; it names the detector in the lineage, so it is needed with the file.",
    )
    detector_form: str = parameter("yolox", "Form of its inputs and outputs.", choices=DETECTOR_FORMS)
    detector_cameras: tuple[str, ...] = parameter((), "Cameras whose newest pictures it looks at, empty for all.")
    detector_min_score: float = parameter(0.35, "Least score of an actor.", minimum=0.01, maximum=1.0)
    detector_max_overlap: float = parameter(
        0.5,
        "Of two actors of one kind whose boxes overlap more than this (IoU), the surer one stays.",
        minimum=0.0,
        maximum=1.0,
    )
    detector_threads: int = parameter(1, "Threads that one run is pinned to.", minimum=1, maximum=64)
