"""Derive PandaSet's rig: where its frame is, and where the cameras sit in it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ArtifactError
from alpamayo_ros.geometry.interpolation import interpolate_poses
from alpamayo_ros.geometry.rotation import angle_between_rad, invert, multiply, rotate
from alpamayo_ros.geometry.transform import compose_poses, invert_pose, transform_points
from alpamayo_ros.importers.ground import fit_ground
from alpamayo_ros.importers.pandaset_source import PandasetSource, SourceCamera, read_sweep
from alpamayo_ros.params.documents import load_yaml
from alpamayo_ros.structs.camera import CameraCalibration, CameraIntrinsics, RigCalibration
from alpamayo_ros.structs.pose import Pose

BODY_FROM_FORWARD = Pose((0.0, 0.0, 0.0), (0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)))
"""PandaSet's body frame is x right, y forward, z up: turn by +90 degrees about z for x forward, y left."""

STATIC_CALIBRATION = "static_extrinsic_calibration.yaml"


@dataclass(frozen=True, slots=True)
class Spread:
    """How far single estimates are from their mean."""

    position_m: float
    angle_rad: float


@dataclass(frozen=True, slots=True)
class PandasetRig:
    """The rig of one sequence.

    Attributes:
        body_from_rig: Pose of the rig frame in PandaSet's body frame.
        ground_height_m: z of the ground at the body frame's origin, None when no sweep shows it.
        calibration: The cameras in the rig frame.
        spread: By camera id, of the frames' own poses from the mean that was taken.
        assumptions: What was assumed where the source is silent, one sentence each.
    """

    body_from_rig: Pose
    ground_height_m: float | None
    calibration: RigCalibration
    spread: dict[str, Spread]
    assumptions: tuple[str, ...]


def derive_rig(source: PandasetSource, source_name: str) -> PandasetRig:
    """Fit the ground, average the camera poses and say what was assumed.

    Args:
        source: The sequence.
        source_name: Where it comes from, for people.

    Raises:
        ArtifactError: A camera and the body have no common time, or a file is damaged.
    """
    heights_m = _ground_heights(source)
    ground_height_m = round(float(np.median(heights_m)), 3) if heights_m else None
    body_from_rig = Pose((0.0, 0.0, ground_height_m or 0.0), BODY_FROM_FORWARD.quaternion)
    rig_from_body = invert_pose(body_from_rig)
    cameras: dict[str, CameraCalibration] = {}
    body_from_optical: dict[str, Pose] = {}
    spread: dict[str, Spread] = {}
    for camera in source.cameras:
        mean, spread[camera.camera] = _mean_pose(_body_from_optical(source, camera))
        body_from_optical[camera.camera] = mean
        lens = CameraIntrinsics(camera.width, camera.height, camera.k)
        pose = _rounded(compose_poses(rig_from_body, mean))
        cameras[camera.camera] = CameraCalibration(camera.camera, lens, pose)
    assumptions = (
        "The rig frame is PandaSet's body frame (x right, y forward, z up) turned by +90 degrees about z.",
        _ground_sentence(heights_m),
        "The source does not say where the rear axle is: the rig's x and y are those of PandaSet's body frame.",
        _extrinsics_sentence(spread),
        (
            "The stored pictures are taken as free of lens distortion: in sequence 002 LiDAR points fall on their "
            f"objects with k alone, and not with the distortion of the raw lens in {STATIC_CALIBRATION}."
        ),
        *_compare_static_calibration(source.folder / STATIC_CALIBRATION, body_from_optical),
    )
    return PandasetRig(body_from_rig, ground_height_m, RigCalibration(cameras, source=source_name), spread, assumptions)


def _ground_heights(source: PandasetSource) -> list[float]:
    heights_m: list[float] = []
    for index, path in sorted(source.sweeps.items()):
        points_m, spinning = read_sweep(path)
        # The forward LiDAR reads up to 0.15 m too low within 10 m, so only the spinning one counts.
        forward_from_world = invert_pose(compose_poses(source.world_from_body[index], BODY_FROM_FORWARD))
        plane = fit_ground(transform_points(forward_from_world, points_m[spinning]))
        if plane is not None:
            heights_m.append(plane.height_m)
    return heights_m


def _ground_sentence(heights_m: Sequence[float]) -> str:
    if not heights_m:
        return "No LiDAR sweep shows the ground: the rig's origin is that of PandaSet's body frame, above the ground."
    return (
        f"The rig's origin is on the ground, {-float(np.median(heights_m)):.3f} m below the origin of PandaSet's body "
        f"frame: the median of planes fitted to {len(heights_m)} LiDAR sweeps ({-max(heights_m):.3f} to "
        f"{-min(heights_m):.3f} m)."
    )


def _extrinsics_sentence(spread: dict[str, Spread]) -> str:
    position_m = max(value.position_m for value in spread.values())
    angle_rad = max(value.angle_rad for value in spread.values())
    return (
        "Camera poses in the rig are means over the frames of camera pose against body pose at the camera's stamp; "
        f"single frames are at most {position_m:.3f} m and {math.degrees(angle_rad):.3f} degrees off."
    )


def _body_from_optical(source: PandasetSource, camera: SourceCamera) -> list[Pose]:
    """Pose of the camera in the body at each of its stamps that lies between body stamps."""
    body_stamps = np.array(source.stamps_ns, dtype=np.int64)
    stamps = np.array(camera.stamps_ns, dtype=np.int64)
    inside = np.flatnonzero((stamps >= body_stamps[0]) & (stamps <= body_stamps[-1]))
    if not len(inside):
        raise ArtifactError(
            f"camera {camera.camera} has no picture between the first and last LiDAR pose; expected overlapping times"
        )
    positions, quaternions = _arrays(source.world_from_body)
    body_position, body_quaternion = interpolate_poses(body_stamps, positions, quaternions, stamps[inside])
    position, quaternion = _arrays([camera.world_from_optical[index] for index in inside])
    to_body = invert(body_quaternion)
    return _poses(rotate(to_body, position - body_position), multiply(to_body, quaternion))


def _mean_pose(poses: Sequence[Pose]) -> tuple[Pose, Spread]:
    """Return the mean and how far the poses are from it.

    The mean rotation is the eigenvector of the largest eigenvalue of the sum of q q^T (F. L. Markley et al.,
    "Averaging quaternions", 2007), for which q and -q are one.
    """
    positions, quaternions = _arrays(poses)
    position = positions.mean(axis=0)
    _, vectors = np.linalg.eigh(quaternions.T @ quaternions)
    quaternion = vectors[:, -1]
    if quaternion[np.argmax(np.abs(quaternion))] < 0.0:
        quaternion = -quaternion
    spread = Spread(
        float(np.linalg.norm(positions - position, axis=1).max()),
        float(angle_between_rad(quaternions, np.broadcast_to(quaternion, quaternions.shape)).max()),
    )
    return _poses(position[np.newaxis], quaternion[np.newaxis])[0], spread


def _rounded(pose: Pose) -> Pose:
    """Round to 1 um and 1 nrad, so that another linear algebra library gives the same calibration."""
    x, y, z = (round(value, 6) for value in pose.position)
    quaternion = [round(value, 9) for value in pose.quaternion]
    norm = math.sqrt(sum(value * value for value in quaternion))
    qx, qy, qz, qw = (value / norm for value in quaternion)
    return Pose((x, y, z), (qx, qy, qz, qw))


def _compare_static_calibration(path: Path, body_from_optical: dict[str, Pose]) -> tuple[str, ...]:
    """Say how far the source's own static calibration is from the poses that were taken.

    The file gives each camera against the spinning LiDAR, whose place in the body it does not give. Every camera
    therefore yields one estimate of that place; a calibration that agrees yields the same one for all.
    """
    if not path.exists():
        return ()
    document = load_yaml(path, "file", ArtifactError)
    estimates: list[Pose] = []
    for camera, pose in body_from_optical.items():
        entry = document.get(f"{camera}_camera") if isinstance(document, dict) else None
        if entry is not None:
            estimates.append(compose_poses(pose, _parse_static(f"file {path}: {camera}_camera", entry)))
    if len(estimates) < 2:
        return ()
    _, spread = _mean_pose(estimates)
    sentence = (
        f"{STATIC_CALIBRATION} places the {len(estimates)} cameras against each other within {spread.position_m:.3f} m "
        f"and {math.degrees(spread.angle_rad):.3f} degrees of these poses; it was not used."
    )
    return (sentence,)


def _parse_static(what: str, entry: Any) -> Pose:
    """Parse optical_from_lidar of one camera."""
    try:
        transform = entry["extrinsic"]["transform"]
        x, y, z = (float(transform["translation"][name]) for name in ("x", "y", "z"))
        qx, qy, qz, qw = (float(transform["rotation"][name]) for name in ("x", "y", "z", "w"))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ArtifactError(f"{what} has no extrinsic transform; expected translation and rotation") from error
    norm = math.hypot(qx, qy, qz, qw)
    if not all(map(math.isfinite, (x, y, z))) or not abs(norm - 1.0) <= 1e-3:
        raise ArtifactError(f"{what} has an unusable transform; expected finite numbers and a unit quaternion")
    return Pose((x, y, z), (qx / norm, qy / norm, qz / norm, qw / norm))


def _arrays(poses: Sequence[Pose]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.array([pose.position for pose in poses]), np.array([pose.quaternion for pose in poses])


def _poses(positions: NDArray[np.float64], quaternions: NDArray[np.float64]) -> list[Pose]:
    return [
        Pose((float(x), float(y), float(z)), (float(qx), float(qy), float(qz), float(qw)))
        for (x, y, z), (qx, qy, qz, qw) in zip(positions, quaternions, strict=True)
    ]
