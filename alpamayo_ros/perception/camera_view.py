"""One camera of an observation: choose its frames on the grid, judge them, decode them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.monitoring.camera_health import CameraWatch
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import CameraSpec, Profile
from alpamayo_ros.perception.camera_match import CameraMatch
from alpamayo_ros.perception.frame_buffer import FrameBuffer
from alpamayo_ros.perception.picture_cache import Picture, PictureCache
from alpamayo_ros.perception.picture_file import PictureSize
from alpamayo_ros.perception.wording import grid_time, milliseconds, rejection
from alpamayo_ros.structs.camera import CameraCalibration, CameraFrame, CameraIntrinsics
from alpamayo_ros.structs.camera_health import CameraHealth, SightState
from alpamayo_ros.structs.tick import Rejection, TickOutcome

FRAMES_AHEAD_NS = 50_000_000
"""Frames up to this much after t0 decide an outcome; so later frames, whenever they arrive, change nothing."""


class CameraView:
    """Frames of one camera and what they show at a model time."""

    def __init__(
        self,
        spec: CameraSpec,
        profile: Profile,
        params: PerceptionParams,
        calibration: CameraCalibration | None,
        view_size: Callable[[PictureSize], PictureSize] | None = None,
    ) -> None:
        """Lay out the grid; ``view_size`` is the detector's, where it looks at this camera."""
        period_ns = profile.period_ms * 1_000_000
        self._id = spec.id
        self._offsets_ns = tuple(-back * period_ns for back in reversed(range(profile.frames_per_camera)))
        self._max_age_ns = params.max_camera_age_ms * 1_000_000
        self._max_skew_ns = params.max_camera_skew_ms * 1_000_000
        self._ahead_ns = max(FRAMES_AHEAD_NS, self._max_skew_ns)
        self._match = CameraMatch(spec, calibration, params)
        self._watch = CameraWatch(spec.id, params)
        self._shows = True
        self._reject_error = params.reject_camera_error
        self._frames = FrameBuffer()
        self._pictures = PictureCache(PictureSize(profile.image_width, profile.image_height), view_size)

    def add_frame(self, frame: CameraFrame) -> None:
        """Store a frame, not decoded."""
        self._frames.add(frame)

    def set_camera_info(self, intrinsics: CameraIntrinsics) -> None:
        """Take a CameraInfo, which replaces an earlier one."""
        if self._match.set_camera_info(intrinsics):
            # Decoded pictures were compared with the sizes known before.
            self._pictures.clear()

    def clear(self) -> None:
        """Forget all frames; what is known about the camera stays."""
        self._frames.clear()
        self._pictures.clear()
        self._watch.clear()

    @property
    def health(self) -> CameraHealth | None:
        """Return how well the camera saw when it was last judged; None before, and once a tick lacked its pictures."""
        return self._watch.health if self._shows else None

    def forget_before(self, t0_ns: int) -> None:
        """Forget frames that no observation at or after a model time uses."""
        self._frames.forget_before(t0_ns + self._offsets_ns[0])

    def forget_older_than(self, age_ns: int) -> None:
        """Forget frames older than the newest one by more than an age and the grid."""
        self._frames.forget_older_than(age_ns - self._offsets_ns[0])

    def look(self, t0_ns: int, images: NDArray[np.uint8]) -> list[Picture] | Rejection:
        """Return the pictures at the grid times, oldest first, or the first reason against them.

        Args:
            t0_ns: Model time in ns; frames more than 50 ms after it are not looked at.
            images: uint8 (F, height, width, 3), filled with the pictures.
        """
        pictures = self._look(t0_ns, images)
        self._shows = not isinstance(pictures, Rejection)
        return pictures

    def _look(self, t0_ns: int, images: NDArray[np.uint8]) -> list[Picture] | Rejection:
        chosen = self._choose(t0_ns)
        if isinstance(chosen, Rejection):
            return chosen
        self._pictures.keep_only({frame.stamp_ns for frame in chosen})
        pictures = []
        for row, (offset_ns, frame) in enumerate(zip(self._offsets_ns, chosen, strict=True)):
            picture = self._pictures.read(frame, self._match.sizes)
            if isinstance(picture, str):
                return self._reject(
                    TickOutcome.IMAGE_INVALID, f"frame at {frame.stamp_ns} ns for {grid_time(offset_ns)}: {picture}"
                )
            images[row] = picture.rgb
            pictures.append(picture)
        if self._match.mismatch is not None:
            return self._reject(TickOutcome.CAMERA_MISMATCH, self._match.mismatch)
        return pictures

    def judge(self, picture: Picture, position_m: NDArray[np.float64]) -> CameraHealth | Rejection:
        """Judge how well the camera sees, or reject a tick for it where the parameters say so.

        Args:
            picture: The newest of the tick's.
            position_m: float64 (3,), where the rig is at t0, in the odometry frame.
        """
        reference = picture.reference
        health = self._watch.judge(reference.stamp_ns, reference.payload_sha256, picture.rgb, position_m)
        if self._reject_error and health.state is SightState.ERROR:
            return self._reject(TickOutcome.CAMERA_UNHEALTHY, health.text)
        return health

    @staticmethod
    def skew_ns(t0_ns: int, pictures: list[Picture]) -> int:
        """Return the distance of the last picture from t0."""
        return abs(pictures[-1].reference.stamp_ns - t0_ns)

    def _choose(self, t0_ns: int) -> list[CameraFrame] | Rejection:
        last_ns = t0_ns + self._ahead_ns
        newest = self._frames.newest(last_ns)
        if newest is None:
            return self._reject(
                TickOutcome.CAMERA_MISSING, f"no frame up to {milliseconds(self._ahead_ns)} after t0; expected frames"
            )
        if newest.stamp_ns < t0_ns - self._max_age_ns:
            return self._reject(
                TickOutcome.CAMERA_STALE,
                f"newest frame at {newest.stamp_ns} ns is {milliseconds(t0_ns - newest.stamp_ns)} before t0; "
                f"allowed {self._max_age_ns // 1_000_000} ms",
            )
        chosen = []
        # t0 is judged first: a camera that is off there is off in another way than one that skipped a frame.
        for offset_ns in reversed(self._offsets_ns):
            frame = self._frames.nearest(t0_ns + offset_ns, last_ns)
            skew_ns = frame.stamp_ns - t0_ns - offset_ns
            if abs(skew_ns) > self._max_skew_ns:
                return self._reject(
                    TickOutcome.CAMERA_OFF_GRID if offset_ns else TickOutcome.CAMERA_SKEWED,
                    f"nearest frame at {frame.stamp_ns} ns is {milliseconds(abs(skew_ns))} "
                    f"{'after' if skew_ns > 0 else 'before'} {grid_time(offset_ns)}; "
                    f"allowed {self._max_skew_ns // 1_000_000} ms",
                )
            chosen.append(frame)
        chosen.reverse()
        return chosen

    def _reject(self, outcome: TickOutcome, text: str) -> Rejection:
        return rejection(outcome, f"{self._id}: {text}")
