"""Read one sequence folder in PandaSet's layout, strictly; pictures stay on disk until they are asked for."""

import csv
import json
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ArtifactError, ConfigurationError
from alpamayo_ros.perception.picture_file import PictureError, PictureSize, inspect_picture
from alpamayo_ros.structs.pose import Pose

CAMERAS = ("front", "front_left", "front_right", "left", "right", "back")
"""Camera ids; the folders are ``camera/<id>_camera``."""

QUATERNION_NORM_TOLERANCE = 1e-3
"""A quaternion whose length is off 1 by more than this is refused."""

_JPEG_MAGIC = b"\xff\xd8\xff"

_MAX_STAMP_NS = (2**31 - 1) * 1_000_000_000
"""Seconds of a ROS stamp are 32-bit signed."""


@dataclass(frozen=True, slots=True)
class SourceCamera:
    """One camera of a sequence.

    Attributes:
        camera: Camera id.
        pictures: JPEG files in time order.
        stamps_ns: One per picture.
        world_from_optical: One per picture, at its stamp.
        k: Row-major 3x3 camera matrix, px.
        width: px.
        height: px.
    """

    camera: str
    pictures: tuple[Path, ...]
    stamps_ns: tuple[int, ...]
    world_from_optical: tuple[Pose, ...]
    k: tuple[float, float, float, float, float, float, float, float, float]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class SourceFix:
    """One GNSS position in degrees."""

    stamp_ns: int
    latitude_deg: float
    longitude_deg: float


@dataclass(frozen=True, slots=True)
class SourceBox:
    """One labelled box in world coordinates.

    Attributes:
        uuid: Of the actor; the same in every frame.
        label: Kind of actor.
        yaw_rad: Rotation about z of the box's length from the world's y axis, left positive.
        position_m: Middle of the box.
        width_m: Across.
        length_m: Along.
        height_m: Up.
    """

    uuid: str
    label: str
    yaw_rad: float
    position_m: tuple[float, float, float]
    width_m: float
    length_m: float
    height_m: float


@dataclass(frozen=True, slots=True)
class PandasetSource:
    """One sequence.

    Attributes:
        folder: Where it lies.
        stamps_ns: LiDAR frame times; body poses and labels stand at these.
        world_from_body: One per LiDAR frame; body is x right, y forward, z up.
        cameras: In the order of CAMERAS.
        fixes: GNSS positions; empty when the sequence has none.
        boxes: Labelled boxes of each LiDAR frame; empty when the sequence has none.
        sweeps: LiDAR sweeps as ``.npz`` by frame index; empty when the sequence has none.
        absent: What the sequence does not have, one sentence each.
    """

    folder: Path
    stamps_ns: tuple[int, ...]
    world_from_body: tuple[Pose, ...]
    cameras: tuple[SourceCamera, ...]
    fixes: tuple[SourceFix, ...]
    boxes: tuple[tuple[SourceBox, ...], ...]
    sweeps: Mapping[int, Path]
    absent: tuple[str, ...]


def read_source(folder: Path) -> PandasetSource:
    """Read everything of a sequence but its pictures and sweeps.

    Raises:
        ConfigurationError: The folder is missing or is not a PandaSet sequence.
        ArtifactError: It is one, but a part is missing, damaged or contradicts another.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"source {folder} is not a folder; expected a PandaSet sequence")
    if not (folder / "camera").is_dir() or not (folder / "lidar").is_dir():
        raise ConfigurationError(f"source {folder} has no camera/ and lidar/; expected a PandaSet sequence")
    stamps_ns = _read_stamps(folder / "lidar" / "timestamps.json")
    world_from_body = _read_poses(folder / "lidar" / "poses.json", len(stamps_ns))
    cameras = tuple(_read_camera(folder, camera) for camera in CAMERAS)
    counts = {camera.camera: len(camera.pictures) for camera in cameras}
    if set(counts.values()) != {len(stamps_ns)}:
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise ArtifactError(
            f"source {folder} has unequal counts of pictures ({listed}) and LiDAR poses ({len(stamps_ns)}); "
            "expected equal counts"
        )
    absent: list[str] = []
    fixes = _read_fixes(folder, absent)
    boxes = _read_boxes(folder / "cuboids.csv", len(stamps_ns), absent)
    sweeps = _find_sweeps(folder / "lidar", len(stamps_ns), absent)
    return PandasetSource(folder, stamps_ns, world_from_body, cameras, fixes, boxes, sweeps, tuple(absent))


def read_picture(camera: SourceCamera, index: int) -> bytes:
    """Return the bytes of one picture as they are.

    Raises:
        ArtifactError: It cannot be read, is not a whole JPEG file, or has another size than the camera's first.
    """
    data, size = _read_jpeg(camera.pictures[index])
    expected = PictureSize(camera.width, camera.height)
    if size != expected:
        raise ArtifactError(
            f"picture {camera.pictures[index]} has {size}; expected {expected} as in the camera's first picture"
        )
    return data


def read_sweep(path: Path) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Read one LiDAR sweep.

    Returns:
        Points as float64 (N, 3) in world coordinates in m, only finite ones; and bool (N,): which come from the
        spinning LiDAR.

    Raises:
        ArtifactError: The file cannot be read or does not hold ``xyz`` and ``device``.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            xyz, device = np.asarray(arrays["xyz"], dtype=np.float64), np.asarray(arrays["device"])
    except (OSError, ValueError, KeyError, EOFError, MemoryError, NotImplementedError, BadZipFile, zlib.error) as error:
        raise ArtifactError(f"LiDAR sweep {path} cannot be read: {error}") from error
    if xyz.ndim != 2 or xyz.shape[1] != 3 or device.shape != (len(xyz),):
        raise ArtifactError(f"LiDAR sweep {path} has shapes {xyz.shape} and {device.shape}; expected (N, 3) and (N,)")
    finite = np.isfinite(xyz).all(axis=1)
    return xyz[finite], np.asarray(device[finite] == 0)


def _read_camera(folder: Path, camera: str) -> SourceCamera:
    place = folder / "camera" / f"{camera}_camera"
    if not place.is_dir():
        raise ArtifactError(f"camera folder {place} is missing; expected the cameras {', '.join(CAMERAS)}")
    stamps_ns = _read_stamps(place / "timestamps.json")
    pictures = tuple(sorted(place.glob("*.jpg"), key=lambda file: (len(file.stem), file.stem)))
    if len(pictures) != len(stamps_ns):
        raise ArtifactError(
            f"camera folder {place} has {len(pictures)} pictures and {len(stamps_ns)} stamps; expected equal counts"
        )
    for index, file in enumerate(pictures):
        if not file.stem.isdecimal() or int(file.stem) != index:
            raise ArtifactError(f"camera folder {place} has {file.name} as picture {index}; expected {index:02d}.jpg")
    _, size = _read_jpeg(pictures[0])
    return SourceCamera(
        camera,
        pictures,
        stamps_ns,
        _read_poses(place / "poses.json", len(stamps_ns)),
        _read_matrix(place / "intrinsics.json"),
        size.width,
        size.height,
    )


def _read_jpeg(path: Path) -> tuple[bytes, PictureSize]:
    try:
        data = path.read_bytes()
        size = inspect_picture(data)
    except OSError as error:
        raise ArtifactError(f"picture {path} cannot be read: {error.strerror}") from error
    except PictureError as error:
        raise ArtifactError(f"picture {path}: {error}") from error
    if not data.startswith(_JPEG_MAGIC):
        raise ArtifactError(f"picture {path} is not a JPEG file; expected one")
    return data, size


def _read_json(path: Path, parse_float: Callable[[str], Any] = float) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_float=parse_float)
    except OSError as error:
        raise ArtifactError(f"file {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"file {path} is not well-formed JSON: {error}") from error


def _read_list(path: Path, parse_float: Callable[[str], Any] = float) -> list[Any]:
    value = _read_json(path, parse_float)
    if not isinstance(value, list) or not value:
        raise ArtifactError(f"file {path} does not hold a list with entries; expected one entry per frame")
    return value


def _read_stamps(path: Path) -> tuple[int, ...]:
    """Read stamps in s, exactly: a double holds the present time only to 240 ns."""
    stamps_ns: list[int] = []
    for index, value in enumerate(_read_list(path, Decimal)):
        if isinstance(value, bool) or not isinstance(value, (int, Decimal, float)) or not math.isfinite(value):
            raise ArtifactError(f"file {path}: stamp {index} is {value!r}; expected seconds since 1970")
        stamp_ns = int((Decimal(value) * 1_000_000_000).to_integral_value())
        if not 0 <= stamp_ns <= _MAX_STAMP_NS:
            raise ArtifactError(f"file {path}: stamp {index} is {value} s; expected seconds from 0 to 2^31")
        if stamps_ns and stamp_ns <= stamps_ns[-1]:
            raise ArtifactError(f"file {path}: stamp {index} is not later than the one before; expected rising stamps")
        stamps_ns.append(stamp_ns)
    return tuple(stamps_ns)


def _read_poses(path: Path, count: int) -> tuple[Pose, ...]:
    entries = _read_list(path)
    if len(entries) != count:
        raise ArtifactError(f"file {path} has {len(entries)} poses for {count} stamps; expected equal counts")
    return tuple(_parse_pose(f"file {path}: pose {index}", entry) for index, entry in enumerate(entries))


def _parse_pose(what: str, entry: Any) -> Pose:
    x, y, z = _numbers(what, entry, "position", ("x", "y", "z"))
    qx, qy, qz, qw = _numbers(what, entry, "heading", ("x", "y", "z", "w"))
    norm = math.hypot(qx, qy, qz, qw)
    if abs(norm - 1.0) > QUATERNION_NORM_TOLERANCE:
        raise ArtifactError(f"{what} has a heading of length {norm:g}; expected 1 within {QUATERNION_NORM_TOLERANCE:g}")
    return Pose((x, y, z), (qx / norm, qy / norm, qz / norm, qw / norm))


def _numbers(what: str, entry: Any, key: str, names: tuple[str, ...]) -> tuple[float, ...]:
    group = entry.get(key) if key and isinstance(entry, dict) else entry
    thing = f"{what} {key}".rstrip()
    if not isinstance(group, dict) or not set(names) <= set(group):
        raise ArtifactError(f"{thing} has not all of {', '.join(names)}; expected them as numbers")
    values: list[float] = []
    for name in names:
        value = group[name]
        usable = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300
        if not usable:
            raise ArtifactError(f"{thing}.{name} is {value!r}; expected a finite number")
        values.append(float(value))
    return tuple(values)


def _read_matrix(path: Path) -> tuple[float, float, float, float, float, float, float, float, float]:
    fx, fy, cx, cy = _numbers(f"file {path}", _read_json(path), "", ("fx", "fy", "cx", "cy"))
    if fx <= 0.0 or fy <= 0.0:
        raise ArtifactError(f"file {path} has focal lengths {fx} and {fy} px; expected more than 0")
    return (fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0)


def _read_fixes(folder: Path, absent: list[str]) -> tuple[SourceFix, ...]:
    path = folder / "meta" / "gps.json"
    if not path.exists():
        absent.append("GNSS positions: the source has no meta/gps.json")
        return ()
    stamps_ns = _read_stamps(folder / "meta" / "timestamps.json")
    entries = _read_list(path)
    if len(entries) != len(stamps_ns):
        raise ArtifactError(
            f"file {path} has {len(entries)} positions for {len(stamps_ns)} stamps; expected equal counts"
        )
    fixes: list[SourceFix] = []
    for index, (stamp_ns, entry) in enumerate(zip(stamps_ns, entries, strict=True)):
        what = f"file {path}: position {index}"
        latitude_deg, longitude_deg = _numbers(what, entry, "", ("lat", "long"))
        if abs(latitude_deg) > 90.0 or abs(longitude_deg) > 180.0:
            raise ArtifactError(
                f"{what} is {latitude_deg}, {longitude_deg} degrees; expected at most 90 and 180 in size"
            )
        fixes.append(SourceFix(stamp_ns, latitude_deg, longitude_deg))
    return tuple(fixes)


def _read_boxes(path: Path, count: int, absent: list[str]) -> tuple[tuple[SourceBox, ...], ...]:
    if not path.exists():
        absent.append("labelled actors: the source has no cuboids.csv (pickled annotations are not read)")
        return ()
    frames: list[list[SourceBox]] = [[] for _ in range(count)]
    seen: set[tuple[int, str]] = set()
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                frame, box = _parse_box(f"file {path}: row {len(seen) + 1}", row, count)
                if (frame, box.uuid) in seen:
                    raise ArtifactError(f"file {path} has actor {box.uuid} twice in frame {frame}; expected once")
                seen.add((frame, box.uuid))
                frames[frame].append(box)
    except OSError as error:
        raise ArtifactError(f"file {path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ArtifactError(f"file {path} is not a CSV file: {error}") from error
    if not seen:
        raise ArtifactError(f"file {path} has no rows; expected labelled boxes")
    return tuple(tuple(boxes) for boxes in frames)


def _parse_box(what: str, row: Mapping[str, Any], count: int) -> tuple[int, SourceBox]:
    names = ("position.x", "position.y", "position.z", "dimensions.x", "dimensions.y", "dimensions.z", "yaw")
    try:
        x, y, z, width_m, length_m, height_m, yaw_rad = (float(row[name]) for name in names)
        frame, uuid, label = int(row["frame"]), str(row["uuid"]), str(row["label"])
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"{what} cannot be read ({error}); expected frame, uuid, label, {', '.join(names)}"
        ) from error
    if not all(map(math.isfinite, (x, y, z, width_m, length_m, height_m, yaw_rad))):
        raise ArtifactError(f"{what} holds a number that is not finite; expected finite numbers")
    if min(width_m, length_m, height_m) <= 0.0:
        raise ArtifactError(f"{what} has size {width_m} x {length_m} x {height_m} m; expected more than 0")
    if not 0 <= frame < count:
        raise ArtifactError(f"{what} is of frame {frame}; expected 0 to {count - 1}")
    return frame, SourceBox(uuid, label, yaw_rad, (x, y, z), width_m, length_m, height_m)


def _find_sweeps(folder: Path, count: int, absent: list[str]) -> dict[int, Path]:
    sweeps = {int(file.stem): file for file in sorted(folder.glob("*.npz")) if file.stem.isdecimal()}
    sweeps = {index: file for index, file in sweeps.items() if index < count}
    if not sweeps:
        absent.append("height of the ground: the source has no lidar/*.npz (pickled sweeps are not read)")
    return sweeps
