"""Import of a clip of PhysicalAI-Autonomous-Vehicles, made in the data set's layout.

The layout is written once. NVIDIA's devkit reads it where it is installed; elsewhere a devkit of the same interface
does, for which the tables are JSON instead of Parquet.
"""

import csv
import importlib.util
import io
import json
import math
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from alpamayo_ros.errors import ArtifactError, BagWriteError, ConfigurationError, OutputError
from alpamayo_ros.importers import physical_ai_av_source
from alpamayo_ros.importers.physical_ai_av import import_physical_ai_av
from alpamayo_ros.importers.physical_ai_av_devkit import LOCAL_COPY, OpenedDataset, open_dataset
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.perception.calibration import load_calibration
from alpamayo_ros.perception.picture_file import inspect_picture
from alpamayo_ros.storage.reader import open_bag

CLIP = "030c760c-ae38-49aa-9ad8-f5650a545d26"
OTHER = "25cd4769-5dcf-4b53-a351-bf2c5deb6124"
CHUNK = 7
FRONT, LEFT, TELE = "camera_front_wide_120fov", "camera_cross_left_120fov", "camera_front_tele_30fov"
CAMERAS = {FRONT: 0.0, LEFT: 60.0}
"""Yaw of each optical axis left of forward, degrees."""

WIDTH, HEIGHT, FRAMES = 64, 48, 20
FRAME_US, POSE_US = 33_333, 10_000
FIRST_POSE_US, POSES = -150_000, 100
SPEED_MPS, TURN_RADPS = 8.0, 0.2
FW_POLY = (0.0, 40.0, 0.5, -0.25, 0.125)
CLIP_START_NS = 1_000_000_000
"""The first whole second that leaves no stamp below 0: ego motion begins 0.15 s before the clip."""

REAL = importlib.util.find_spec("physical_ai_av") is not None


def pose_at(time_us):
    """Rig in the anchor frame on a circle to the left, at the clip's start in its origin."""
    yaw = TURN_RADPS * time_us / 1e6
    radius = SPEED_MPS / TURN_RADPS
    position = (radius * math.sin(yaw), radius * (1.0 - math.cos(yaw)), 0.01)
    return position, Rotation.from_euler("z", yaw), (SPEED_MPS * math.cos(yaw), SPEED_MPS * math.sin(yaw), 0.0)


def optical_in_rig(yaw_deg):
    return Rotation.from_euler("z", yaw_deg, degrees=True) * Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])


def grey(camera, index):
    return 10 * index + (30 if camera == LEFT else 0)


def ego_columns():
    times = [FIRST_POSE_US + index * POSE_US for index in range(POSES)]
    columns = defaultdict(list)
    for time_us in times:
        position, rotation, velocity = pose_at(time_us)
        row = dict(zip(("qx", "qy", "qz", "qw"), rotation.as_quat(), strict=True))
        row |= dict(zip(("x", "y", "z"), position, strict=True)) | dict(zip(("vx", "vy", "vz"), velocity, strict=True))
        row |= {"ax": 0.0, "ay": 0.0, "az": 0.0, "curvature": TURN_RADPS / SPEED_MPS}
        for name, value in row.items():
            columns[name].append(float(value))
    return {"timestamp": times, **columns}


def frame_times(camera):
    return [5_000 * (camera == LEFT) + index * FRAME_US for index in range(FRAMES)]


def video_bytes(folder, camera):
    path = folder / "made.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 30.0, (WIDTH, HEIGHT))
    for index in range(FRAMES):
        writer.write(np.full((HEIGHT, WIDTH, 3), grey(camera, index), dtype=np.uint8))
    writer.release()
    return path.read_bytes()


def write_parquet(columns, index):
    pandas = importlib.import_module("pandas")
    buffer = io.BytesIO()
    # Pairs of clip and sensor become an index of two levels.
    pandas.DataFrame(columns, index=pandas.Index(index) if index else None).to_parquet(buffer)
    return buffer.getvalue()


def write_json(columns, index):
    return json.dumps({"columns": columns, "index": index}).encode()


@dataclass
class Layout:
    """A local copy of the data set with one clip; every part can be changed before it is written."""

    root: Path
    table: object
    cameras: dict = field(default_factory=lambda: dict(CAMERAS))
    ego: dict = field(default_factory=ego_columns)
    times: dict = field(default_factory=lambda: {camera: frame_times(camera) for camera in CAMERAS})
    videos: dict = field(default_factory=dict)
    absent: set = field(default_factory=set)
    valid: bool = True
    intrinsics: dict = field(default_factory=dict)
    real: bool = False

    def write(self):
        features = ["egomotion", *sorted({*self.cameras, TELE}), "camera_intrinsics", "sensor_extrinsics"]
        self._write_features(features)
        self._put("clip_index.parquet", self.table({"clip_is_valid": [self.valid], "chunk": [CHUNK]}, [CLIP]))
        presence = {name: [name not in {TELE, *self.absent}] for name in features[:-2]}
        self._put("metadata/feature_presence.parquet", self.table(presence, [CLIP]))
        self._put("metadata/data_collection.parquet", self.table({"country": ["Germany"]}, [CLIP]))
        self._zip("labels", "egomotion", {f"{CLIP}.egomotion.parquet": self.table(self.ego, None)})
        for camera in self.cameras:
            video = self.videos.get(camera) or video_bytes(self.root, camera)
            times = self.table({"timestamp": self.times[camera]}, None)
            self._zip("camera", camera, {f"{CLIP}.{camera}.mp4": video, f"{CLIP}.{camera}.timestamps.parquet": times})
        rows = [(CLIP, camera) for camera in self.cameras]
        lens = {"width": WIDTH, "height": HEIGHT, "cx": 32.5, "cy": 23.5, **self.intrinsics}
        for prefix in ("fw", "bw"):
            lens = {**{f"{prefix}_poly_{power}": value for power, value in enumerate(FW_POLY)}, **lens}
        self._calibration("camera_intrinsics", {name: [value] * len(rows) for name, value in lens.items()}, rows)
        poses = defaultdict(list)
        for yaw_deg in self.cameras.values():
            quaternion = optical_in_rig(yaw_deg).as_quat()
            for name, value in zip(("qx", "qy", "qz", "qw", "x", "y", "z"), [*quaternion, 1.7, 0.1, 1.4], strict=True):
                poses[name].append(float(value))
        self._calibration("sensor_extrinsics", dict(poses), rows)
        return self.root

    def chunk(self, directory, feature, suffix="zip"):
        return self.root / directory / feature / f"{feature}.chunk_{CHUNK:04d}.{suffix}"

    def _put(self, name, data):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def _zip(self, directory, feature, members):
        path = self.chunk(directory, feature)
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)

    def _calibration(self, feature, columns, rows):
        self._put(f"calibration/{feature}/{feature}.chunk_{CHUNK:04d}.parquet", self.table(columns, rows))

    def _write_features(self, features):
        with (self.root / "features.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["feature", "directory", "chunk_path", "clip_files_in_zip"])
            for feature in features:
                if feature.startswith("camera_") and "fov" in feature:
                    names = {"video": "mp4", "frame_timestamps": "timestamps.parquet"}
                    members = {key: f"{{clip_id}}.{feature}.{suffix}" for key, suffix in names.items()}
                    directory, suffix = "camera", "zip"
                elif feature == "egomotion":
                    members, directory, suffix = {"egomotion": "{clip_id}.egomotion.parquet"}, "labels", "zip"
                else:
                    members, directory, suffix = None, "calibration", "parquet"
                chunk = f"{directory}/{feature}/{feature}.chunk_{{chunk_id:04d}}.{suffix}"
                writer.writerow([feature, directory, chunk, json.dumps(members) if members else ""])


class Table:
    """As much of a data frame as is used."""

    def __init__(self, data):
        document = json.loads(data)
        self.values, self.index = document["columns"], document["index"] or []
        self.columns = list(self.values)

    @property
    def at(self):
        return self

    def __getitem__(self, key):
        row, column = key
        return self.values[column][self.index.index(row)]


class StandInDevkit:
    """Reads the same layout behind the same interface as NVIDIA's devkit."""

    def __init__(self, root):
        self.root = root
        self.clip_index = Table((root / "clip_index.parquet").read_bytes())
        self.feature_presence = Table((root / "metadata/feature_presence.parquet").read_bytes())
        with (root / "features.csv").open(newline="") as file:
            self.rows = {row["feature"]: row for row in csv.DictReader(file)}
        self.features = SimpleNamespace(ALL=set(self.rows))

    def get_clip_feature(self, clip_id, feature, maybe_stream=False):
        assert maybe_stream is False
        row = self.rows[feature]
        path = self.root / row["chunk_path"].format(chunk_id=self.clip_index.at[clip_id, "chunk"])
        data = path.read_bytes()
        if not row["clip_files_in_zip"]:
            return self._calibration(clip_id, feature, Table(data))
        members = {key: name.format(clip_id=clip_id) for key, name in json.loads(row["clip_files_in_zip"]).items()}
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            read = {key: archive.read(name) for key, name in members.items()}
        if feature == "egomotion":
            return self._ego_motion(Table(read["egomotion"]).values)
        path = self.root / "extracted.mp4"
        path.write_bytes(read["video"])
        return StandInVideo(path, np.array(Table(read["frame_timestamps"]).values["timestamp"]))

    @staticmethod
    def _ego_motion(values):
        def block(*names):
            return np.column_stack([values[name] for name in names])

        pose = SimpleNamespace(
            rotation=Rotation.from_quat(block("qx", "qy", "qz", "qw")), translation=block("x", "y", "z")
        )
        state = SimpleNamespace(pose=pose, velocity=block("vx", "vy", "vz"))
        return SimpleNamespace(timestamps=np.array(values["timestamp"]), values=state)

    @staticmethod
    def _calibration(clip_id, feature, table):
        rows = {
            sensor: {name: table.values[name][number] for name in table.columns}
            for number, (clip, sensor) in enumerate(table.index)
            if clip == clip_id
        }
        if feature == "sensor_extrinsics":
            poses = {
                sensor: SimpleNamespace(
                    rotation=Rotation.from_quat([row[name] for name in ("qx", "qy", "qz", "qw")]),
                    translation=np.array([row[name] for name in ("x", "y", "z")]),
                )
                for sensor, row in rows.items()
            }
            return SimpleNamespace(sensor_poses=poses)
        models = {
            sensor: SimpleNamespace(
                width=row["width"],
                height=row["height"],
                principal_point=np.array([row["cx"], row["cy"]]),
                th2r=np.polynomial.Polynomial([row[f"fw_poly_{power}"] for power in range(5)]),
                r2th=np.polynomial.Polynomial([row[f"bw_poly_{power}"] for power in range(5)]),
            )
            for sensor, row in rows.items()
        }
        return SimpleNamespace(camera_models=models)


class StandInVideo:
    """Reads pictures as the devkit's reader does: RGB, by index, an error for an index without a picture."""

    def __init__(self, path, timestamps):
        if np.diff(timestamps).min() <= 0:
            raise ValueError("Timestamps must be strictly increasing")
        self.timestamps = timestamps
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        self.pictures = []
        while (read := capture.read())[0]:
            self.pictures.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
        if not self.pictures:
            raise ValueError("Invalid data found when processing input")
        self.asked = []

    def decode_images_from_frame_indices(self, frame_indices):
        assert frame_indices.dtype == np.int64
        self.asked.append(len(frame_indices))
        if frame_indices.max() >= len(self.pictures):
            raise ValueError("Some requested frame numbers are not decoded.")
        return np.stack([self.pictures[index] for index in frame_indices])

    def close(self):
        self.pictures = []


def open_stand_in(root):
    return OpenedDataset(StandInDevkit(root), False, LOCAL_COPY, "stand-in")


@pytest.fixture(params=["stand-in", "devkit"] if REAL else ["stand-in"])
def layout(request, tmp_path):
    """A local copy for one of the two devkits; without NVIDIA's one skipped test tells it, not every one."""
    real = request.param == "devkit"
    (tmp_path / "copy").mkdir()
    return Layout(tmp_path / "copy", write_parquet if real else write_json, real=real)


def run_import(layout, destination, **options):
    layout.write()
    return import_written(layout, destination, **options)


def import_written(layout, destination, clip=CLIP, **options):
    if not layout.real:
        return import_physical_ai_av(open_stand_in(layout.root), clip, destination, **options)
    with open_dataset(layout.root) as dataset:
        return import_physical_ai_av(dataset, clip, destination, **options)


def read(bag):
    messages = defaultdict(list)
    with open_bag(bag) as reader:
        for message in reader.messages():
            messages[message.topic].append((message.receive_ns, deserialize(message.payload, message.type_name)))
    return messages


def tags_of(bag):
    with open_bag(bag) as reader:
        return reader.custom_data


def topic_of(camera):
    return f"/camera/{camera}/image/compressed"


def test_pictures_stand_at_the_times_of_the_clip(layout, tmp_path):
    summary = run_import(layout, tmp_path / "bag")
    messages = read(tmp_path / "bag")
    for camera in CAMERAS:
        rows = messages[topic_of(camera)]
        assert [stamp for stamp, _ in rows] == [CLIP_START_NS + 1000 * time_us for time_us in frame_times(camera)]
        for index, (stamp, message) in enumerate(rows):
            assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == stamp
            assert (message.format, message.header.frame_id) == ("jpeg", f"camera_{camera}_optical")
            size = inspect_picture(message.data.tobytes())
            assert (size.width, size.height) == (WIDTH, HEIGHT)
            picture = cv2.imdecode(message.data, cv2.IMREAD_COLOR)
            assert picture.mean() == pytest.approx(grey(camera, index), abs=4)
    assert summary.topics == {**{topic_of(camera): FRAMES for camera in CAMERAS}, "/odometry": POSES, "/tf_static": 1}
    assert (summary.start_ns, summary.warnings) == (CLIP_START_NS + 1000 * FIRST_POSE_US, ())


def test_red_stays_red(layout, tmp_path):
    path = tmp_path / "red.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 30.0, (WIDTH, HEIGHT))
    for _ in range(FRAMES):
        writer.write(np.full((HEIGHT, WIDTH, 3), (0, 0, 250), dtype=np.uint8))
    writer.release()
    layout.videos[FRONT] = path.read_bytes()
    run_import(layout, tmp_path / "bag", cameras=[FRONT])
    picture = cv2.imdecode(read(tmp_path / "bag")[topic_of(FRONT)][0][1].data, cv2.IMREAD_COLOR)
    blue, _, red = picture.mean(axis=(0, 1))
    assert red > 200 > 50 > blue


def test_odometry_is_the_ego_motion_with_its_velocity_in_the_rig(layout, tmp_path):
    run_import(layout, tmp_path / "bag")
    rows = read(tmp_path / "bag")["/odometry"]
    for (stamp, message), time_us in zip(rows, layout.ego["timestamp"], strict=True):
        position, rotation, _ = pose_at(time_us)
        assert stamp == CLIP_START_NS + 1000 * time_us
        assert (message.header.frame_id, message.child_frame_id) == ("odom", "base_link")
        found, q = message.pose.pose.position, message.pose.pose.orientation
        assert (found.x, found.y, found.z) == pytest.approx(position, abs=1e-9)
        assert (Rotation.from_quat([q.x, q.y, q.z, q.w]) * rotation.inv()).magnitude() < 1e-9
        twist = message.twist.twist
        assert (twist.linear.x, twist.linear.y, twist.linear.z) == pytest.approx((SPEED_MPS, 0.0, 0.0), abs=1e-9)
        assert np.diag(message.twist.covariance.reshape(6, 6)).tolist() == [0.0, 0.0, 0.0, -1.0, -1.0, -1.0]


def test_cameras_are_placed_and_their_lenses_stand_beside(layout, tmp_path):
    summary = run_import(layout, tmp_path / "bag")
    calibration = load_calibration(tmp_path / "bag" / "calibration.yaml")
    assert calibration.digest == summary.calibration_digest
    assert set(calibration.cameras) == set(CAMERAS)
    for camera, yaw_deg in CAMERAS.items():
        found = calibration.cameras[camera]
        assert found.intrinsics is None
        assert found.rig_from_optical.position == pytest.approx((1.7, 0.1, 1.4))
        forward = Rotation.from_quat(found.rig_from_optical.quaternion).apply([0.0, 0.0, 1.0])
        assert math.degrees(math.atan2(forward[1], forward[0])) == pytest.approx(yaw_deg)
    transforms = read(tmp_path / "bag")["/tf_static"][0][1].transforms
    assert [item.child_frame_id for item in transforms] == sorted(f"camera_{camera}_optical" for camera in CAMERAS)
    lenses = json.loads((tmp_path / "bag" / "lenses.json").read_text())
    assert lenses["model"] == "f-theta"
    assert lenses["cameras"][FRONT] == {
        "width": WIDTH, "height": HEIGHT, "cx": 32.5, "cy": 23.5, "fw_poly": list(FW_POLY), "bw_poly": list(FW_POLY),
    }  # fmt: skip
    assert any("f-theta" in sentence for sentence in summary.assumptions)


def test_the_bag_says_where_it_comes_from_and_what_was_assumed(layout, tmp_path):
    summary = run_import(layout, tmp_path / "bag", quality=80)
    tags = tags_of(tmp_path / "bag")
    assert tags["source"] == f"PhysicalAI-Autonomous-Vehicles, clip {CLIP}"
    assert tags["provenance"] == "real"
    assert tags["source_revision"] == LOCAL_COPY
    assert tags["devkit"].startswith("physical_ai_av ")
    assert "License Agreement" in tags["licence"]
    assert tags["encoding"].startswith("JPEG of quality 80")
    assert tags["start_ns"] == str(CLIP_START_NS)
    assert tags["assumptions"] == " ".join(summary.assumptions)
    assert {phrase.split(":")[0] for phrase in summary.absent} >= {TELE, "GNSS"}
    assert "warnings" not in tags
    topics = (tmp_path / "bag" / "topics.yaml").read_text()
    assert topics.startswith("odometry: /odometry\ncameras:\n")


def test_nvidias_devkit_gives_the_same_messages_as_the_stand_in(tmp_path):
    if not REAL:
        pytest.skip("NVIDIA's devkit is not installed (pip install physical_ai_av)")
    bags = []
    for real, write in ((False, write_json), (True, write_parquet)):
        (tmp_path / write.__name__).mkdir()
        run_import(Layout(tmp_path / write.__name__, write, real=real), tmp_path / f"{write.__name__}_bag")
        with open_bag(tmp_path / f"{write.__name__}_bag") as reader:
            bags.append([(item.topic, item.receive_ns) for item in reader.messages()])
    assert bags[0] == bags[1]


def test_two_imports_are_equal(layout, tmp_path):
    layout.write()
    for name in ("one", "two"):
        import_written(layout, tmp_path / name / "bag")
    first, second = ((tmp_path / name / "bag" / "bag_0.mcap").read_bytes() for name in ("one", "two"))
    assert first == second


def test_a_clip_that_is_marked_as_not_valid_is_imported_with_a_warning(layout, tmp_path):
    layout.valid = False
    summary = run_import(layout, tmp_path / "bag")
    assert summary.warnings == ("The data set marks the clip as not valid.",)
    assert tags_of(tmp_path / "bag")["warnings"] == summary.warnings[0]


def test_only_the_asked_cameras_are_imported(layout, tmp_path):
    summary = run_import(layout, tmp_path / "bag", cameras=[LEFT])
    assert [topic for topic in summary.topics if "camera" in topic] == [topic_of(LEFT)]
    assert f"Of the cameras only those that were asked for are imported: {LEFT}." in summary.assumptions
    assert set(load_calibration(tmp_path / "bag" / "calibration.yaml").cameras) == {LEFT}


def test_a_copy_without_some_chunks_gives_the_rest_and_says_so(layout, tmp_path):
    layout.write()
    layout.chunk("camera", LEFT).unlink()
    layout.chunk("calibration", "camera_intrinsics", "parquet").unlink()
    layout.chunk("calibration", "sensor_extrinsics", "parquet").unlink()
    summary = import_written(layout, tmp_path / "bag")
    assert set(summary.topics) == {topic_of(FRONT), "/odometry"}
    assert f"{LEFT}: it is not in the copy of the data set that was read" in summary.absent
    assert summary.calibration_digest is None
    assert {path.name for path in (tmp_path / "bag").iterdir()} & {"calibration.yaml", "lenses.json"} == set()


def test_a_clip_without_ego_motion_is_pictures_alone(layout, tmp_path):
    layout.absent.add("egomotion")
    summary = run_import(layout, tmp_path / "bag")
    assert "/odometry" not in summary.topics
    assert "egomotion: the data set does not have it for this clip" in summary.absent
    assert (summary.start_ns, tags_of(tmp_path / "bag")["start_ns"]) == (0, "0")
    assert "odometry" not in (tmp_path / "bag" / "topics.yaml").read_text()


def test_a_start_that_is_given_is_the_clips_time_0(layout, tmp_path):
    summary = run_import(layout, tmp_path / "bag", start_ns=5 * 10**17)
    assert summary.start_ns == 5 * 10**17 + 1000 * FIRST_POSE_US


@pytest.mark.parametrize("start_ns", [0, -1, 2**62])
def test_a_start_that_gives_impossible_stamps_is_refused(layout, tmp_path, start_ns):
    with pytest.raises(ConfigurationError, match="expected 0 to"):
        run_import(layout, tmp_path / "bag", start_ns=start_ns)


@pytest.mark.parametrize(
    ("clip", "said"),
    [
        (OTHER, "not in the index"),
        ("", "expected a UUID"),
        (CLIP.upper(), "expected a UUID"),
        ("../../" + CLIP, "expected a UUID"),
        (CLIP + "\n", "expected a UUID"),
    ],
)
def test_a_clip_that_is_not_known_is_refused(layout, tmp_path, clip, said):
    layout.write()
    with pytest.raises(ConfigurationError, match=said):
        import_written(layout, tmp_path / "bag", clip=clip)


@pytest.mark.parametrize(
    ("cameras", "said"),
    [([TELE], f"lacks what was asked for: {TELE}"), (["front"], "camera 'front' is not known; expected one of: ")],
)
def test_a_camera_that_is_asked_for_and_absent_is_refused(layout, tmp_path, cameras, said):
    with pytest.raises(ConfigurationError, match=said):
        run_import(layout, tmp_path / "bag", cameras=cameras)


def test_a_copy_with_nothing_of_the_clip_is_refused(layout, tmp_path):
    layout.absent |= {"egomotion", *CAMERAS}
    with pytest.raises(ConfigurationError, match="has neither pictures nor ego motion"):
        run_import(layout, tmp_path / "bag")


def cut(path):
    path.write_bytes(path.read_bytes()[:200])


def edit_ego(name, index, value):
    return lambda layout: layout.ego[name].__setitem__(index, value)


BEFORE = {
    "stamps of a camera equal": lambda layout: layout.times[FRONT].__setitem__(3, frame_times(FRONT)[2]),
    "one stamp too many": lambda layout: layout.times[FRONT].append(FRAMES * FRAME_US),
    "stamps of a camera missing": lambda layout: layout.times[FRONT].clear(),
    "stamps are fractions": lambda layout: layout.times.__setitem__(FRONT, [0.5 + t for t in frame_times(FRONT)]),
    "video is text": lambda layout: layout.videos.__setitem__(FRONT, b"not a video" * 100),
    "video empty": lambda layout: layout.videos.__setitem__(FRONT, b" "),
    "ego stamps backwards": edit_ego("timestamp", 5, 0),
    "position NaN": edit_ego("x", 7, math.nan),
    "velocity infinite": edit_ego("vy", 7, math.inf),
    "rotation of no length": lambda layout: [edit_ego(name, 3, 0.0)(layout) for name in ("qx", "qy", "qz", "qw")],
    "no positions": lambda layout: layout.ego.pop("x"),
    "lens NaN": lambda layout: layout.intrinsics.__setitem__("fw_poly_2", math.nan),
    "lens without width": lambda layout: layout.intrinsics.__setitem__("width", "wide"),
}
AFTER = {
    "archive cut": lambda layout: cut(layout.chunk("camera", FRONT)),
    "archive is text": lambda layout: layout.chunk("labels", "egomotion").write_text("x"),
    "archive without the clip": lambda layout: zipfile.ZipFile(layout.chunk("camera", FRONT), "w").close(),
    "extrinsics cut": lambda layout: cut(layout.chunk("calibration", "sensor_extrinsics", "parquet")),
}


@pytest.mark.parametrize("name", [*BEFORE, *AFTER])
def test_a_damaged_clip_is_refused_in_one_sentence_and_leaves_nothing(layout, tmp_path, name):
    BEFORE.get(name, lambda _: None)(layout)
    layout.write()
    AFTER.get(name, lambda _: None)(layout)
    (tmp_path / "out").mkdir()
    with pytest.raises(ArtifactError) as caught:
        import_written(layout, tmp_path / "out" / "bag")
    assert "\n" not in str(caught.value)
    assert CLIP in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_clip_with_two_rows_is_refused(layout, tmp_path):
    layout.table, layout.real = write_json, False
    dataset = open_stand_in(layout.write())
    presence = dataset.devkit.feature_presence
    two = defaultdict(lambda: np.array([True, False]))
    dataset.devkit.feature_presence = SimpleNamespace(index=presence.index, columns=presence.columns, at=two)
    with pytest.raises(ArtifactError, match="cannot be read: ValueError"):
        import_physical_ai_av(dataset, CLIP, tmp_path / "bag")


def test_an_existing_destination_is_left_alone(layout, tmp_path):
    (tmp_path / "bag").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        run_import(layout, tmp_path / "bag")
    assert list((tmp_path / "bag").iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, BagWriteError])
def test_an_interrupted_import_leaves_nothing(layout, tmp_path, error):
    (tmp_path / "out").mkdir()

    def interrupt(done, _total):
        if done == 50:
            raise error

    with pytest.raises(error):
        run_import(layout, tmp_path / "out" / "bag", progress=interrupt)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_block_of_pictures_is_decoded_once_and_none_is_kept(layout, tmp_path, monkeypatch):
    monkeypatch.setattr(physical_ai_av_source, "PICTURES_AT_ONCE", 8)
    layout.table, layout.real = write_json, False
    dataset = open_stand_in(layout.write())
    videos = {}
    original = dataset.devkit.get_clip_feature

    def remembered(clip, feature, maybe_stream=False):
        found = original(clip, feature, maybe_stream)
        if feature in CAMERAS:
            videos[feature] = found
        return found

    dataset.devkit.get_clip_feature = remembered
    import_physical_ai_av(dataset, CLIP, tmp_path / "bag")
    assert {camera: video.asked for camera, video in videos.items()} == {camera: [8, 8, 4] for camera in CAMERAS}
    assert all(video.pictures == [] for video in videos.values())
