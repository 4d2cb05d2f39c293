"""Put one time-aligned model input together, or say why there is none.

An outcome looks only at frames up to t0 + 50 ms and odometry up to t0 + 150 ms, so it depends on the stamps and not on
the order of arrival. Limits above these, set by parameters, move the two bounds with them.
"""

from collections.abc import Mapping

import numpy as np

from alpamayo_ros.errors import ProfileError, expected_one_of
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.perception.camera_view import CameraView
from alpamayo_ros.perception.detector import ActorDetector
from alpamayo_ros.perception.ego_history import EgoHistoryBuilder
from alpamayo_ros.perception.navigation_buffer import NavigationBuffer
from alpamayo_ros.perception.odometry_buffer import OdometryBuffer
from alpamayo_ros.perception.picture_cache import Picture
from alpamayo_ros.structs.camera import CameraFrame, CameraIntrinsics, RigCalibration
from alpamayo_ros.structs.camera_health import CameraHealth
from alpamayo_ros.structs.navigation import NavigationCommand
from alpamayo_ros.structs.observation import EgoHistory, FrameReference, Observation
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.structs.tick import Rejection


class ObservationAssembler:
    """Store a profile's inputs and assemble observations from them.

    Messages come in per topic with strictly increasing stamps: the tick rule drops the others.
    """

    def __init__(
        self,
        profile: Profile,
        params: PerceptionParams,
        calibration: RigCalibration | None = None,
        detector: ActorDetector | None = None,
    ) -> None:
        """Lay out the grid of a profile.

        Args:
            profile: Names the cameras and the grid.
            params: Limits.
            calibration: The rig's calibration, for cameras.
            detector: Says which cameras it looks at, and at what size; it is not run here.

        Raises:
            ProfileError: The profile has no grid: a count, a size or the period is below 1.
        """
        _validate_grid(profile)
        calibrations = calibration.cameras if calibration else {}
        self._history = EgoHistoryBuilder(profile, params)
        self._odometry = OdometryBuffer()
        self._navigation = NavigationBuffer(params.navigation_max_age_ms * 1_000_000)
        self._cameras: Mapping[str, CameraView] = {
            spec.id: CameraView(
                spec,
                profile,
                params,
                calibrations.get(spec.id),
                detector.view_size if detector is not None and spec.id in detector.cameras else None,
            )
            for spec in profile.cameras
        }
        self._shape = (
            len(profile.cameras),
            profile.frames_per_camera,
            profile.image_height,
            profile.image_width,
            3,
        )

    def add_odometry(self, sample: OdometrySample, keep_ns: int | None = None) -> None:
        """Store a pose of the rig.

        Args:
            sample: The pose.
            keep_ns: Forget what is older than it by more than this and the history, in ns; None forgets nothing. It
                bounds the buffer while the trigger is silent, by this topic's own stamps: what is kept must not depend
                on the order in which topics overtake each other.

        Raises:
            ValueError: It is not newer than the last one.
        """
        self._odometry.add(sample)
        if keep_ns is not None:
            self._odometry.forget_older_than(keep_ns + self._history.span_ns)

    def add_frame(self, frame: CameraFrame, keep_ns: int | None = None) -> None:
        """Store a picture, not decoded.

        Args:
            frame: The picture.
            keep_ns: As in ``add_odometry``, with the grid of the camera in place of the history.

        Raises:
            ValueError: The camera is not the profile's, or the frame is not newer than its last one.
        """
        camera = self._camera(frame.camera)
        camera.add_frame(frame)
        if keep_ns is not None:
            camera.forget_older_than(keep_ns)

    def add_camera_info(self, camera: str, intrinsics: CameraIntrinsics) -> None:
        """Take a CameraInfo; it replaces the camera's earlier one and stays valid over epochs.

        It has no part in the tick rule, so it counts from its arrival on; the calibration document counts from the
        start, and pictures must fit both.

        Raises:
            ValueError: The camera is not the profile's.
        """
        self._camera(camera).set_camera_info(intrinsics)

    def add_navigation(self, command: NavigationCommand) -> bool:
        """Store a navigation command; return False for one whose stamp there was already."""
        return self._navigation.add(command)

    def clear(self) -> None:
        """Forget all odometry, commands and frames, for a new epoch."""
        self._odometry.clear()
        self._navigation.clear()
        for camera in self._cameras.values():
            camera.clear()

    def forget_before(self, t0_ns: int) -> None:
        """Forget what no observation at or after a model time uses."""
        self._odometry.forget_before(t0_ns - self._history.span_ns)
        self._navigation.forget_before(t0_ns)
        for camera in self._cameras.values():
            camera.forget_before(t0_ns)

    def assemble(self, t0_ns: int, epoch: int) -> Observation | Rejection:
        """Return the observation at a model time, or the first reason against it.

        Args:
            t0_ns: Model time in ns.
            epoch: Passed on to the observation.
        """
        history = self._history.build(self._odometry, t0_ns)
        if isinstance(history, Rejection):
            return history
        if not self._cameras:
            return Observation(t0_ns, epoch, history, navigation=self._navigation.at(t0_ns))
        return self._with_pictures(t0_ns, epoch, history)

    def _with_pictures(self, t0_ns: int, epoch: int, history: EgoHistory) -> Observation | Rejection:
        images = np.empty(self._shape, dtype=np.uint8)
        references: list[FrameReference] = []
        newest: list[tuple[CameraView, Picture]] = []
        worst_skew_ns = 0
        for index, camera in enumerate(self._cameras.values()):
            pictures = camera.look(t0_ns, images[index])
            if isinstance(pictures, Rejection):
                return pictures
            references.extend(picture.reference for picture in pictures)
            newest.append((camera, pictures[-1]))
            worst_skew_ns = max(worst_skew_ns, camera.skew_ns(t0_ns, pictures))
        images.flags.writeable = False
        # Every camera is judged before a tick is rejected for one: each needs its pictures of every tick.
        judged = [camera.judge(picture, history.odom_from_rig_position_m) for camera, picture in newest]
        rejections = [result for result in judged if isinstance(result, Rejection)]
        if rejections:
            return rejections[0]
        health = tuple(result for result in judged if isinstance(result, CameraHealth))
        return Observation(
            t0_ns,
            epoch,
            history,
            tuple(references),
            images,
            worst_skew_ns,
            navigation=self._navigation.at(t0_ns),
            camera_health=health,
            views={picture.reference.camera: picture.view for _, picture in newest if picture.view is not None},
        )

    @property
    def camera_health(self) -> tuple[CameraHealth, ...]:
        """How well each camera saw when it was last judged, in profile order; those not yet judged are left out."""
        return tuple(camera.health for camera in self._cameras.values() if camera.health is not None)

    def _camera(self, camera: str) -> CameraView:
        view = self._cameras.get(camera)
        if view is None:
            raise ValueError(expected_one_of("camera", camera, tuple(self._cameras)))
        return view


def _validate_grid(profile: Profile) -> None:
    values = {"period_ms": profile.period_ms, "history_length": profile.history_length}
    if profile.cameras:
        values["frames_per_camera"] = profile.frames_per_camera
        values["image_height"] = profile.image_height
        values["image_width"] = profile.image_width
    for name, value in values.items():
        if value < 1:
            raise ProfileError(f"profile {profile.name}: {name} {value} is too small; expected at least 1")
