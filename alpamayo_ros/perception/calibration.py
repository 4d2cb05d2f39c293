"""The calibration document of a rig, and the same calibration from recorded static transforms.

A camera's frame is the ``frame_id`` in the headers of its pictures and CameraInfo. REP 103 makes that the optical
frame: x right, y down, z forward. It is taken at its word; a camera that publishes another frame (its body frame,
x forward) is not turned by a guess, so its calibration looks in the wrong direction and does not match the profile.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from alpamayo_ros.errors import CalibrationError, OutputError
from alpamayo_ros.geometry.transform import compose_poses, invert_pose
from alpamayo_ros.lineage.canonical import document_id
from alpamayo_ros.messages.translator import RIG_FRAME
from alpamayo_ros.params.documents import load_yaml, validate_document
from alpamayo_ros.structs.camera import CameraCalibration, CameraIntrinsics, RigCalibration
from alpamayo_ros.structs.lineage import NONE
from alpamayo_ros.structs.pose import OdometryFrame, Pose

QUATERNION_NORM_TOLERANCE = 1e-3
"""A quaternion whose length is off 1 by more than this is refused; below it is scaled to 1."""

DOCUMENT_VERSION = 1
"""Version of the document's layout."""

_COEFFICIENT_COUNTS = {"": 0, "plumb_bob": 5, "rational_polynomial": 14, "equidistant": 4}
"""Most coefficients of each lens model of sensor_msgs/CameraInfo."""

_ROUNDING = 1e-12
"""A quaternion this close to unit length is left as it is, so that reading what was written changes no digit."""


def load_calibration(path: Path, *, rig_frame: str = RIG_FRAME) -> RigCalibration:
    """Read a calibration document.

    Args:
        path: YAML file after ``config/schema/calibration.schema.json``.
        rig_frame: Frame that the document has to be about.

    Raises:
        CalibrationError: The file cannot be read, is not valid, or is about another frame.
    """
    document = load_yaml(path, "calibration", CalibrationError)
    validate_document(document, "calibration", f"calibration {path}", CalibrationError)
    if document["rig_frame"] != rig_frame:
        raise CalibrationError(
            f"calibration {path} is for rig frame {document['rig_frame']!r}; expected rig frame {rig_frame!r}"
        )
    cameras = {name: _parse_camera(path, name, values) for name, values in document.get("cameras", {}).items()}
    odometry = _parse_odometry(path, document["odometry"], rig_frame) if "odometry" in document else None
    calibration = RigCalibration(cameras=cameras, source=document.get("source", str(path)), odometry=odometry)
    return with_digest(calibration)


def dump_calibration(
    calibration: RigCalibration,
    path: Path,
    *,
    assumptions: Iterable[str] = (),
    rig_frame: str = RIG_FRAME,
) -> None:
    """Write a calibration document to a new file.

    Args:
        calibration: What to write; at least one camera or the odometry's frame.
        path: File that does not exist yet.
        assumptions: What was assumed where the source is silent, one sentence each.
        rig_frame: Frame that the camera poses stand in.

    Raises:
        CalibrationError: The calibration says nothing, or holds numbers that a reader would refuse.
        OutputError: The file exists already or cannot be written.
    """
    texts = {"source": calibration.source, "assumptions": list(assumptions)}
    header = {"version": DOCUMENT_VERSION, "rig_frame": rig_frame, **texts}
    content = _content_document(calibration)
    validate_document({**header, **content}, "calibration", f"calibration {path}", CalibrationError)
    for name, values in content.get("cameras", {}).items():
        _parse_camera(path, name, values)
    if "odometry" in content:
        _parse_odometry(path, content["odometry"], rig_frame)
    try:
        with path.open("x", encoding="utf-8") as file:
            # Sentences stand below each other, the numbers of a matrix beside each other.
            _yaml(flow=False).dump(header, file)
            _yaml(flow=None).dump(content, file)
    except FileExistsError as error:
        raise OutputError(f"calibration {path} exists already; expected a new file") from error
    except OSError as error:
        raise OutputError(f"calibration {path} cannot be written: {error.strerror}") from error


def calibration_digest(calibration: RigCalibration, rig_frame: str = RIG_FRAME) -> str:
    """Return the ``sha256:`` id of what a calibration says, ``none`` when it says nothing.

    The id is that of the document without ``source`` and ``assumptions``, so that the same numbers have the same
    id whether they came from a file or from recorded transforms.

    Raises:
        CalibrationError: A number is not finite.
    """
    content = _content_document(calibration)
    if not content:
        return NONE
    document = {"version": DOCUMENT_VERSION, "rig_frame": rig_frame, **content}
    try:
        return document_id(document)
    except ValueError as error:
        raise CalibrationError(f"calibration of {calibration.source} has no canonical form: {error}") from error


def with_digest(calibration: RigCalibration) -> RigCalibration:
    """Return the calibration with its digest; see ``calibration_digest``."""
    return replace(calibration, digest=calibration_digest(calibration))


def calibration_from_transforms(
    camera_frames: Mapping[str, str],
    transforms: Iterable[tuple[str, str, Pose]],
    *,
    rig_frame: str = RIG_FRAME,
    intrinsics: Mapping[str, CameraIntrinsics] | None = None,
    source: str = "/tf_static",
) -> RigCalibration:
    """Calibrate a rig from recorded static transforms and camera infos.

    Args:
        camera_frames: Camera id to the optical frame that its headers name; empty when they name none.
        transforms: Parent frame, child frame and the child's pose in the parent, as in ``/tf_static``.
        rig_frame: Frame that the camera poses shall stand in.
        intrinsics: By camera id, as far as known.
        source: Where the transforms come from, for people.

    Returns:
        Cameras by id. The pose of a camera is None where no chain of transforms connects it with the rig, or where
        its headers name no frame or the rig's, which is not an optical one. Cameras of which nothing is known are
        left out.

    Raises:
        CalibrationError: A chain that is needed loops, has a frame with two parents or holds an unusable pose, or
            intrinsics are unusable.
    """
    tree = _StaticTree(transforms)
    known = dict(intrinsics or {})
    cameras: dict[str, CameraCalibration] = {}
    for name in sorted({*camera_frames, *known}):
        frame = camera_frames.get(name, "")
        pose = tree.pose(rig_frame, frame) if frame not in ("", rig_frame) else None
        lens = known.get(name)
        if lens is not None:
            _validate_intrinsics(f"{source}: camera {name}", lens)
        if pose is not None or lens is not None:
            cameras[name] = CameraCalibration(name, lens, pose)
    calibration = RigCalibration(cameras=cameras, source=source if cameras else NONE)
    return replace(calibration, digest=calibration_digest(calibration, rig_frame))


def static_transform(transforms: Iterable[tuple[str, str, Pose]], parent: str, child: str) -> Pose | None:
    """Return the pose of frame ``child`` in frame ``parent``, None when no chain of transforms connects them.

    Raises:
        CalibrationError: The chain loops, has a frame with two parents or holds an unusable pose.
    """
    return _StaticTree(transforms).pose(parent, child)


class _StaticTree:
    """Static transforms by child frame; only what a chain really uses has to be well formed."""

    def __init__(self, transforms: Iterable[tuple[str, str, Pose]]) -> None:
        self._edges: dict[str, list[tuple[str, Pose]]] = {}
        for parent, child, pose in transforms:
            edges = self._edges.setdefault(child, [])
            if (parent, pose) not in edges:
                edges.append((parent, pose))

    def pose(self, parent: str, child: str) -> Pose | None:
        """Return the pose of ``child`` in ``parent`` through their nearest common ancestor."""
        if parent == child:
            return Pose()
        above_parent = dict(self._ancestors(parent))
        for frame, pose in self._ancestors(child):
            if frame in above_parent:
                return compose_poses(invert_pose(above_parent[frame]), pose)
        return None

    def _ancestors(self, frame: str) -> list[tuple[str, Pose]]:
        """Return the frame and everything above it, each with the frame's pose in it."""
        chain = [(frame, Pose())]
        seen = {frame}
        while (edge := self._parent(chain[-1][0])) is not None:
            parent, pose = edge
            if parent in seen:
                names = " -> ".join([*(name for name, _ in chain), parent])
                raise CalibrationError(f"static transforms {names} loop; expected a tree")
            seen.add(parent)
            chain.append((parent, compose_poses(pose, chain[-1][1])))
        return chain

    def _parent(self, frame: str) -> tuple[str, Pose] | None:
        edges = self._edges.get(frame, [])
        if not edges:
            return None
        parents = sorted({parent for parent, _ in edges})
        if len(parents) > 1:
            raise CalibrationError(f"frame {frame!r} has the parents {', '.join(parents)}; expected one parent")
        poses = [_validated_pose(f"static transform {parents[0]} -> {frame}", pose) for _, pose in edges]
        if any(not _same(poses[0], pose) for pose in poses[1:]):
            raise CalibrationError(
                f"static transform {parents[0]} -> {frame} is given {len(poses)} times with different values; "
                "expected one value"
            )
        return parents[0], poses[0]


def _yaml(flow: bool | None) -> Any:
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = flow
    yaml.sort_base_mapping_type_on_output = False
    yaml.width = 120
    return yaml


def _content_document(calibration: RigCalibration) -> dict[str, dict[str, Any]]:
    """Return what a calibration says, without version, frame and wording; empty when it says nothing."""
    content: dict[str, dict[str, Any]] = {}
    if calibration.cameras:
        content["cameras"] = {name: _camera_document(camera) for name, camera in sorted(calibration.cameras.items())}
    if calibration.odometry is not None:
        frame = calibration.odometry
        content["odometry"] = {"child_frame": frame.child_frame, "rig_in_child": _pose_document(frame.rig_in_child)}
    return content


def _pose_document(pose: Pose) -> dict[str, list[float]]:
    return {
        "position_m": [float(value) for value in pose.position],
        "quaternion_xyzw": [float(value) for value in pose.quaternion],
    }


def _camera_document(camera: CameraCalibration) -> dict[str, Any]:
    document: dict[str, Any] = {}
    lens, pose = camera.intrinsics, camera.rig_from_optical
    if lens is not None:
        document.update(width=lens.width, height=lens.height, k=[float(value) for value in lens.k])
        document.update(distortion_model=lens.distortion_model, d=[float(value) for value in lens.d])
    if pose is not None:
        document["rig_from_optical"] = _pose_document(pose)
    return document


def _parse_camera(path: Path, name: str, values: Mapping[str, Any]) -> CameraCalibration:
    what = f"calibration {path}: camera {name}"
    lens: CameraIntrinsics | None = None
    if "width" in values:
        k = tuple(map(float, values["k"]))
        lens = CameraIntrinsics(
            int(values["width"]),
            int(values["height"]),
            (k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7], k[8]),
            values["distortion_model"],
            tuple(map(float, values["d"])),
        )
        _validate_intrinsics(what, lens)
    pose: Pose | None = None
    if "rig_from_optical" in values:
        pose = _parse_pose(f"{what}: rig_from_optical", values["rig_from_optical"])
    return CameraCalibration(name, lens, pose)


def _parse_odometry(path: Path, values: Mapping[str, Any], rig_frame: str) -> OdometryFrame:
    what = f"calibration {path}: odometry"
    child_frame = values["child_frame"]
    if child_frame == rig_frame:
        raise CalibrationError(
            f"{what}: child_frame {child_frame!r} is the rig frame itself; expected another frame, or no odometry"
        )
    return OdometryFrame(child_frame, _parse_pose(f"{what}: rig_in_child", values["rig_in_child"]))


def _parse_pose(what: str, values: Mapping[str, Any]) -> Pose:
    x, y, z = map(float, values["position_m"])
    qx, qy, qz, qw = map(float, values["quaternion_xyzw"])
    return _validated_pose(what, Pose((x, y, z), (qx, qy, qz, qw)))


def _validate_intrinsics(what: str, lens: CameraIntrinsics) -> None:
    if lens.width < 1 or lens.height < 1:
        raise CalibrationError(f"{what}: size {lens.width} x {lens.height} px is empty; expected at least 1 x 1 px")
    if len(lens.k) != 9 or not all(map(math.isfinite, lens.k)) or lens.k[0] <= 0.0 or lens.k[4] <= 0.0:
        raise CalibrationError(
            f"{what}: k {list(lens.k)} is not a camera matrix; expected 9 finite numbers and focal lengths above 0 px"
        )
    if lens.k[3] != 0.0 or tuple(lens.k[6:]) != (0.0, 0.0, 1.0):
        raise CalibrationError(
            f"{what}: k {list(lens.k)} is not upper triangular; expected [fx, s, cx, 0, fy, cy, 0, 0, 1]"
        )
    most = _COEFFICIENT_COUNTS.get(lens.distortion_model)
    if most is None:
        allowed = ", ".join(repr(model) for model in _COEFFICIENT_COUNTS)
        raise CalibrationError(
            f"{what}: distortion model {lens.distortion_model!r} is not known; expected one of: {allowed}"
        )
    if len(lens.d) > most or not all(map(math.isfinite, lens.d)):
        raise CalibrationError(
            f"{what}: d {list(lens.d)} does not fit distortion model {lens.distortion_model!r}; "
            f"expected at most {most} finite numbers"
        )


def _validated_pose(what: str, pose: Pose) -> Pose:
    norm = math.hypot(*pose.quaternion)
    if not all(map(math.isfinite, pose.position)):
        raise CalibrationError(f"{what}: position {list(pose.position)} m is not finite; expected finite numbers")
    if not abs(norm - 1.0) <= QUATERNION_NORM_TOLERANCE:
        raise CalibrationError(
            f"{what}: quaternion {list(pose.quaternion)} (xyzw) has length {norm:g}; expected 1 within "
            f"{QUATERNION_NORM_TOLERANCE:g}"
        )
    if abs(norm - 1.0) <= _ROUNDING:
        return pose
    x, y, z, w = pose.quaternion
    return Pose(pose.position, (x / norm, y / norm, z / norm, w / norm))


def _same(one: Pose, other: Pose) -> bool:
    """Whether two poses are equal within 1 nm and 1 nrad; q and -q are one rotation."""
    cosine = abs(sum(a * b for a, b in zip(one.quaternion, other.quaternion, strict=True)))
    return math.dist(one.position, other.position) <= 1e-9 and 1.0 - cosine <= 1e-12
