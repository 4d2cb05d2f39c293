"""A tiny sequence in PandaSet's layout, made by its own arithmetic."""

import csv
import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.spatial.transform as transform

FRAMES = 6
PERIOD_S = 0.1
GROUND_M = -0.42
CAMERAS = {
    # Pose in the body frame (x right, y forward, z up): yaw of the optical axis left of forward, position, lead in ms.
    "front": (0.0, (0.0, 0.9, 1.7), 50.0),
    "front_left": (58.0, (-0.6, 1.5, 1.5), 61.0),
    "front_right": (-58.0, (0.6, 1.5, 1.5), 39.0),
    "left": (90.0, (-0.6, 0.5, 1.5), 81.0),
    "right": (-90.0, (0.6, 0.5, 1.5), 19.0),
    "back": (180.0, (0.0, -0.3, 1.6), 100.0),
}
WIDTH, HEIGHT = 64, 36
START_S = 1_557_539_956.5
SPEED_MPS = 5.0
HEADING_DEG = 30.0
"""Direction of travel in the world, left of the world's x axis."""

TURN_RADPS = 0.1


def body_pose(time_s):
    """Body in the world at a time: driving along body y at constant speed while turning slowly."""
    yaw_rad = math.radians(HEADING_DEG - 90.0) + TURN_RADPS * time_s
    rotation = transform.Rotation.from_euler("z", yaw_rad)
    heading = math.radians(HEADING_DEG)
    travelled = SPEED_MPS * time_s
    return np.array([travelled * math.cos(heading), travelled * math.sin(heading), 0.0]), rotation


def optical_in_body(yaw_deg):
    """Rotation of an optical frame whose axis is ``yaw_deg`` left of body y."""
    forward = transform.Rotation.from_euler("z", yaw_deg, degrees=True)
    axes = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    return forward * transform.Rotation.from_matrix(axes)


def entry(position, rotation):
    """One pose as in poses.json."""
    x, y, z, w = rotation.as_quat()
    return {
        "position": dict(zip("xyz", map(float, position), strict=True)),
        "heading": {"w": w, "x": x, "y": y, "z": z},
    }


@dataclass
class Sequence:
    """A made sequence and what is true of it."""

    folder: Path
    frames: int = FRAMES
    cameras: dict = field(default_factory=lambda: dict(CAMERAS))
    ground_m: float = GROUND_M
    speed_mps: float = SPEED_MPS

    def path(self, *parts):
        """Path inside the sequence."""
        return self.folder.joinpath(*parts)

    def edit(self, name, change):
        """Read a JSON file, let ``change`` return what to write instead."""
        path = self.path(name)
        path.write_text(json.dumps(change(json.loads(path.read_text()))))


def write_camera(folder, camera):
    """Pictures, stamps, poses and intrinsics of one camera."""
    yaw_deg, position, lead_ms = CAMERAS[camera]
    place = folder / "camera" / f"{camera}_camera"
    place.mkdir(parents=True)
    stamps, poses = [], []
    for index in range(FRAMES):
        time_s = index * PERIOD_S - lead_ms / 1000.0
        stamps.append(round(START_S + time_s, 6))
        origin, body = body_pose(time_s)
        poses.append(entry(origin + body.apply(position), body * optical_in_body(yaw_deg)))
        pixels = np.full((HEIGHT, WIDTH, 3), (40 * index, 20 * len(camera), 128), dtype=np.uint8)
        _, jpeg = cv2.imencode(".jpg", pixels)
        (place / f"{index:02d}.jpg").write_bytes(jpeg.tobytes())
    (place / "timestamps.json").write_text(json.dumps(stamps))
    (place / "poses.json").write_text(json.dumps(poses))
    (place / "intrinsics.json").write_text(json.dumps({"fx": 60.5, "fy": 60.25, "cx": 32.0, "cy": 18.0}))


def write_sweep(path, index):
    """A flat road with a following car and kerb, seen by two LiDARs; the second reads the ground too low."""
    rng = np.random.default_rng(index)
    road = np.column_stack([rng.uniform(-8, 8, 30_000), rng.uniform(-16, 16, 30_000), np.zeros(30_000)])
    road[:, 2] = GROUND_M + rng.normal(0, 0.015, len(road))
    road = road[(np.abs(road[:, 0]) > 1.2) | (np.abs(road[:, 1]) > 3.5)]
    car = np.column_stack([rng.uniform(-1, 1, 4000), rng.uniform(-9, -5, 4000), rng.uniform(0.0, 1.2, 4000)])
    hidden = (np.abs(road[:, 0]) < 1) & (road[:, 1] < -5) & (road[:, 1] > -9)
    low = np.column_stack([rng.uniform(-3, 3, 9000), rng.uniform(-15, 15, 9000), np.full(9000, GROUND_M - 0.2)])
    points = np.concatenate([road[~hidden], car, low, [[np.nan] * 3]])
    device = np.concatenate([np.zeros(len(road[~hidden]) + len(car)), np.ones(len(low)), [0]]).astype(np.uint8)
    origin, body = body_pose(index * PERIOD_S)
    np.savez_compressed(path, xyz=(body.apply(points) + origin).astype(np.float32), device=device)


def write_boxes(path):
    """One car ahead in every frame and a pedestrian in the first two."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        names = ["frame", "uuid", "label", "yaw", "stationary", "position.x", "position.y", "position.z"]
        writer.writerow([*names, "dimensions.x", "dimensions.y", "dimensions.z", "attributes.object_motion"])
        for frame in range(FRAMES):
            if frame < 2:
                writer.writerow([frame, "aaaa", "Pedestrian", 0.5, True, 3, 4, 0.5, 0.6, 0.5, 1.7, "Stopped"])
            yaw = math.radians(HEADING_DEG - 90.0)
            writer.writerow([frame, "bbbb", "Car", yaw, False, 20 + frame, 12, 0.4, 1.9, 4.6, 1.6, "Moving"])


@pytest.fixture
def sequence(tmp_path):
    """A whole tiny sequence."""
    folder = tmp_path / "777"
    for camera in CAMERAS:
        write_camera(folder, camera)
    (folder / "lidar").mkdir()
    stamps = [round(START_S + index * PERIOD_S, 6) for index in range(FRAMES)]
    (folder / "lidar" / "timestamps.json").write_text(json.dumps(stamps))
    poses = [entry(*body_pose(index * PERIOD_S)) for index in range(FRAMES)]
    (folder / "lidar" / "poses.json").write_text(json.dumps(poses))
    write_sweep(folder / "lidar" / "00.npz", 0)
    (folder / "meta").mkdir()
    (folder / "meta" / "timestamps.json").write_text(json.dumps(stamps))
    fixes = [
        {"lat": 37.7 + 1e-6 * index, "long": -122.4, "height": 2.9, "xvel": 0.0, "yvel": 5.0} for index in range(FRAMES)
    ]
    (folder / "meta" / "gps.json").write_text(json.dumps(fixes))
    write_boxes(folder / "cuboids.csv")
    return Sequence(folder)
