"""Judge how well one camera sees, tick after tick.

Exposure, contrast, blur and glare are judged in the picture at t0 alone. Repetition and occlusion need the pictures of
the ticks before: a run that begins at a later tick begins without that memory.
"""

import math

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.monitoring.lens_cover import LensCover
from alpamayo_ros.monitoring.picture_measures import PictureMeasures, measure_picture
from alpamayo_ros.params.camera_health import CameraHealthParams
from alpamayo_ros.structs.camera_health import FINDINGS, CameraHealth, SightFinding


class CameraWatch:
    """Memory and judgement of one camera."""

    def __init__(self, camera: str, params: CameraHealthParams) -> None:
        """Start with nothing seen."""
        self._camera = camera
        self._limits = {
            name: (float(getattr(params, f"{name}_warn")), float(getattr(params, f"{name}_error"))) for name in FINDINGS
        }
        self._same_up_to = params.frozen_difference
        self._frozen_motion_m = params.frozen_motion_m
        self._cover_distance_m = params.occlusion_distance_m
        self.clear()

    def clear(self) -> None:
        """Forget everything, for a new epoch."""
        self._cover = LensCover(self._cover_distance_m)
        self._stamp_ns = -1
        self._digest = ""
        self._grey: NDArray[np.uint8] | None = None
        self._position_m: NDArray[np.float64] | None = None
        self._repeated, self._unseen_m = 0, 0.0
        self._health: CameraHealth | None = None

    @property
    def health(self) -> CameraHealth | None:
        """Return the last judgement, None before the first."""
        return self._health

    def judge(
        self, stamp_ns: int, payload_digest: str, rgb: NDArray[np.uint8], position_m: NDArray[np.float64]
    ) -> CameraHealth:
        """Judge the camera's picture of a tick.

        Args:
            stamp_ns: The picture's stamp; one that was judged last is not looked at again.
            payload_digest: Digest of the picture's bytes as recorded.
            rgb: uint8 (H, W, 3) at the model's size.
            position_m: float64 (3,), where the rig is, in a fixed frame.
        """
        if self._health is not None and stamp_ns == self._stamp_ns:
            return self._health
        measures = measure_picture(rgb)
        self._follow(payload_digest, measures.grey, position_m)
        self._stamp_ns, self._digest, self._grey = stamp_ns, payload_digest, measures.grey
        self._position_m = position_m
        scores = self._scores(measures)
        findings = tuple(SightFinding(name, scores[name], *self._limits[name]) for name in FINDINGS)
        self._health = CameraHealth(self._camera, findings)
        return self._health

    def _follow(self, digest: str, grey: NDArray[np.uint8], position_m: NDArray[np.float64]) -> None:
        """Compare with the picture before."""
        moved_m = 0.0 if self._position_m is None else math.dist(position_m, self._position_m)
        if not self._repeats(digest, grey):
            self._repeated, self._unseen_m = 0, 0.0
            self._cover.add(grey, moved_m)
            return
        # At a standstill a quiet scene looks the same, so repetitions there neither count nor end a count.
        self._unseen_m += moved_m
        if self._unseen_m >= self._frozen_motion_m:
            self._repeated, self._unseen_m = self._repeated + 1, 0.0

    def _repeats(self, digest: str, grey: NDArray[np.uint8]) -> bool:
        if self._grey is None or self._grey.shape != grey.shape:
            return False
        if digest == self._digest:
            return True
        difference = np.abs(grey.astype(np.int16) - self._grey)
        return float(difference.mean()) <= self._same_up_to

    def _scores(self, measures: PictureMeasures) -> dict[str, float]:
        return {
            "too_dark": measures.dark_share,
            "too_bright": measures.clipped_share,
            "blackout": measures.emptiness,
            "blur": measures.blur,
            "frozen": float(self._repeated),
            "occlusion": self._cover.share,
            "glare": measures.glare_share,
        }
