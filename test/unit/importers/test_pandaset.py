"""Import of a sequence in PandaSet's layout, made and real."""

import itertools
import json
import math
import os
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from alpamayo_ros.cli.bag_import import bag_import_pandaset
from alpamayo_ros.errors import ArtifactError, BagWriteError, ConfigurationError, OutputError
from alpamayo_ros.geometry.transform import compose_poses, invert_pose
from alpamayo_ros.importers import pandaset
from alpamayo_ros.importers.pandaset import import_pandaset
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.perception.calibration import calibration_from_transforms, load_calibration
from alpamayo_ros.storage.digest import content_digest
from alpamayo_ros.storage.identity import verify_identity
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.structs.pose import Pose

CAMERA_IDS = {"front", "front_left", "front_right", "left", "right", "back"}


def read(bag):
    """Messages by topic as (receive ns, publish ns, message)."""
    messages = defaultdict(list)
    with open_bag(bag) as reader:
        for message in reader.messages():
            content = deserialize(message.payload, message.type_name)
            messages[message.topic].append((message.receive_ns, message.publish_ns, content))
    return messages


def stamp_ns(message):
    return message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec


def pose_of(position, orientation):
    quaternion = (orientation.x, orientation.y, orientation.z, orientation.w)
    return Pose((position.x, position.y, position.z), quaternion)


def axis_yaw_deg(pose):
    """Direction of a camera's optical axis in the rig, left of forward, and its elevation."""
    x, y, z = Rotation.from_quat(pose.quaternion).apply([0.0, 0.0, 1.0])
    return math.degrees(math.atan2(y, x)), math.degrees(math.asin(z))


def digest_of(bag):
    with open_bag(bag) as reader:
        return content_digest(reader)


@pytest.fixture
def imported(sequence, tmp_path):
    summary = import_pandaset(sequence.folder, tmp_path / "bag")
    return summary, read(tmp_path / "bag"), sequence


def test_every_topic_has_one_message_per_frame(imported):
    summary, messages, sequence = imported
    pictures = {f"/camera/{camera}/{kind}" for camera in CAMERA_IDS for kind in ("image/compressed", "camera_info")}
    expected = dict.fromkeys(pictures | {"/odometry", "/gnss/fix", "/actors"}, sequence.frames)
    expected["/tf_static"] = 1
    assert {topic: len(entries) for topic, entries in messages.items()} == expected
    assert dict(summary.topics) == expected
    assert summary.absent == ()


def test_receive_publish_and_header_times_are_the_exact_source_stamps(imported):
    _, messages, sequence = imported
    for camera in CAMERA_IDS:
        text = sequence.path("camera", f"{camera}_camera", "timestamps.json").read_text().strip("[]")
        expected = [int(value.replace(".", "").ljust(19, "0")) for value in text.replace(" ", "").split(",")]
        for topic in (f"/camera/{camera}/image/compressed", f"/camera/{camera}/camera_info"):
            found = [(receive, publish, stamp_ns(message)) for receive, publish, message in messages[topic]]
            assert found == [(value, value, value) for value in expected]
    assert messages["/odometry"][0][0] == 1_557_539_956_500_000_000


def test_pictures_pass_through_byte_by_byte(imported):
    _, messages, sequence = imported
    for camera in CAMERA_IDS:
        for index, (_, _, message) in enumerate(messages[f"/camera/{camera}/image/compressed"]):
            source = sequence.path("camera", f"{camera}_camera", f"{index:02d}.jpg").read_bytes()
            assert message.data.tobytes() == source
            assert (message.format, message.header.frame_id) == ("jpeg", f"camera_{camera}_optical")


def test_intrinsics_are_those_of_the_source_without_distortion(imported):
    _, messages, _ = imported
    for _, _, info in messages["/camera/front/camera_info"]:
        assert info.k.tolist() == [60.5, 0.0, 32.0, 0.0, 60.25, 18.0, 0.0, 0.0, 1.0]
        assert info.p.tolist() == [60.5, 0.0, 32.0, 0.0, 0.0, 60.25, 18.0, 0.0, 0.0, 0.0, 1.0, 0.0]
        assert (info.width, info.height, info.distortion_model, len(info.d)) == (64, 36, "", 0)


def test_the_rig_drives_along_its_own_x_axis_on_the_ground(imported):
    summary, messages, sequence = imported
    assert summary.ground_height_m == pytest.approx(sequence.ground_m, abs=0.02)
    poses = [pose_of(m.pose.pose.position, m.pose.pose.orientation) for _, _, m in messages["/odometry"]]
    for before, after in itertools.pairwise(poses):
        x, y, z = compose_poses(invert_pose(before), after).position
        assert x == pytest.approx(0.1 * sequence.speed_mps, rel=1e-3)
        assert abs(y) < 0.05 * x
        assert abs(z) < 1e-6
    assert poses[0].position[2] == pytest.approx(summary.ground_height_m)


def test_odometry_says_that_it_has_no_twist(imported):
    _, messages, _ = imported
    for _, _, message in messages["/odometry"]:
        assert (message.header.frame_id, message.child_frame_id) == ("odom", "base_link")
        assert np.diagonal(message.twist.covariance.reshape(6, 6)).tolist() == [-1.0] * 6
        assert message.twist.twist.linear.x == 0.0
        assert not message.pose.covariance.any()


def test_camera_poses_are_measured_at_the_stamp_of_the_picture(imported):
    summary, _, sequence = imported
    calibration = load_calibration(summary.destination / "calibration.yaml")
    for camera, (yaw_deg, (right, forward, up), _) in sequence.cameras.items():
        pose = calibration.cameras[camera].rig_from_optical
        found_yaw_deg, elevation_deg = axis_yaw_deg(pose)
        assert (found_yaw_deg - yaw_deg + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=0.01)
        assert elevation_deg == pytest.approx(0.0, abs=0.01)
        assert pose.position == pytest.approx((forward, -right, up - summary.ground_height_m), abs=1e-3)


def test_static_transforms_and_document_are_one_calibration(imported):
    summary, messages, _ = imported
    [(receive_ns, _, message)] = messages["/tf_static"]
    assert receive_ns == summary.start_ns
    edges = [
        (t.header.frame_id, t.child_frame_id, pose_of(t.transform.translation, t.transform.rotation))
        for t in message.transforms
    ]
    document = load_calibration(summary.destination / "calibration.yaml")
    recorded = calibration_from_transforms(
        {camera: f"camera_{camera}_optical" for camera in CAMERA_IDS},
        edges,
        intrinsics={camera: known.intrinsics for camera, known in document.cameras.items()},
    )
    assert recorded.digest == document.digest == summary.calibration_digest


def test_actors_keep_their_id_and_point_where_they_drive(imported):
    _, messages, _ = imported
    seen = defaultdict(set)
    for frame, (_, _, message) in enumerate(messages["/actors"]):
        assert {marker.text for marker in message.markers} == ({"aaaa", "bbbb"} if frame < 2 else {"bbbb"})
        for marker in message.markers:
            seen[marker.text].add((marker.ns, marker.id))
            assert (marker.type, marker.action, marker.header.frame_id) == (marker.CUBE, marker.ADD, "odom")
    assert dict(seen) == {"aaaa": {("Pedestrian", 0)}, "bbbb": {("Car", 1)}}
    car = next(marker for marker in messages["/actors"][0][2].markers if marker.text == "bbbb")
    heading = Rotation.from_quat(pose_of(car.pose.position, car.pose.orientation).quaternion).apply([1.0, 0.0, 0.0])
    assert math.degrees(math.atan2(heading[1], heading[0])) == pytest.approx(30.0)
    assert (car.scale.x, car.scale.y, car.scale.z) == (4.6, 1.9, 1.6)


def test_fixes_have_no_altitude_that_the_source_does_not_define(imported):
    _, messages, _ = imported
    _, _, fix = messages["/gnss/fix"][1]
    assert (fix.latitude, fix.longitude) == (37.7 + 1e-6, -122.4)
    assert math.isnan(fix.altitude)
    assert (fix.status.status, fix.position_covariance_type) == (fix.status.STATUS_UNKNOWN, 0)


def test_the_topics_file_maps_the_inputs_of_a_replay(imported):
    summary, messages, _ = imported
    lines = (summary.destination / "topics.yaml").read_text().splitlines()
    assert lines[:2] == ["odometry: /odometry", "cameras:"]
    mapping = dict(line.strip().split(": ") for line in lines[2:])
    assert set(mapping) == CAMERA_IDS
    assert set(mapping.values()) <= set(messages)


def test_the_bag_says_what_it_is(imported):
    summary, _, _ = imported
    report = verify_identity(summary.destination)
    assert (report.lineage_id, report.envelope_id, report.state) == ("none", "none", "closed")
    assert report.tags["provenance"] == "real"
    assert report.tags["attribution"] == "PandaSet by Hesai and Scale AI, CC BY 4.0, pandaset.org"
    for sentence in summary.assumptions:
        assert sentence in report.tags["assumptions"]
    assert any("below the origin of PandaSet's body frame" in sentence for sentence in summary.assumptions)


def test_two_imports_say_the_same(sequence, tmp_path):
    import_pandaset(sequence.folder, tmp_path / "one")
    import_pandaset(sequence.folder, tmp_path / "two")
    assert digest_of(tmp_path / "one") == digest_of(tmp_path / "two")
    assert (tmp_path / "one" / "calibration.yaml").read_bytes() == (tmp_path / "two" / "calibration.yaml").read_bytes()


def test_progress_counts_every_message_once(sequence, tmp_path):
    calls = []
    summary = import_pandaset(sequence.folder, tmp_path / "bag", progress=lambda *call: calls.append(call))
    total = sum(summary.topics.values())
    assert calls == [(done, total) for done in range(1, total + 1)]


def test_what_the_source_does_not_have_is_absent_and_said(sequence, tmp_path):
    shutil.rmtree(sequence.path("meta"))
    sequence.path("cuboids.csv").unlink()
    sequence.path("lidar", "00.npz").unlink()
    summary = import_pandaset(sequence.folder, tmp_path / "bag")
    assert not {"/gnss/fix", "/actors"} & set(read(tmp_path / "bag"))
    assert [sentence.split(":")[0] for sentence in summary.absent] == [
        "GNSS positions",
        "labelled actors",
        "height of the ground",
    ]
    assert summary.ground_height_m is None
    assert any("above the ground" in sentence for sentence in summary.assumptions)
    calibration = load_calibration(tmp_path / "bag" / "calibration.yaml")
    assert calibration.cameras["front"].rig_from_optical.position[2] == pytest.approx(1.7, abs=1e-6)


def test_the_static_calibration_is_compared_and_its_distance_said(sequence, tmp_path):
    rows = []
    for camera, (yaw_deg, (right, forward, up), _) in sequence.cameras.items():
        in_body = Rotation.from_euler("z", yaw_deg, degrees=True) * Rotation.from_matrix(
            [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
        )
        away = 0.12 if camera == "left" else 0.0
        x, y, z = in_body.inv().apply([-right, -forward + 0.8, -up + 1.8 + away])
        qx, qy, qz, qw = in_body.inv().as_quat()
        rows.append(
            f"{camera}_camera: {{extrinsic: {{transform: {{rotation: {{w: {qw}, x: {qx}, y: {qy}, z: {qz}}}, "
            f"translation: {{x: {x}, y: {y}, z: {z}}}}}}}}}\n"
        )
    sequence.path("static_extrinsic_calibration.yaml").write_text("".join(rows))
    summary = import_pandaset(sequence.folder, tmp_path / "bag")
    # One of six estimates is 0.12 m away, so it is 0.1 m from their mean.
    assert any("places the 6 cameras against each other within 0.100 m" in said for said in summary.assumptions)


@pytest.mark.parametrize("place", ["absent", "file", "empty"])
def test_a_source_that_is_no_sequence_is_refused(tmp_path, place):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="expected a PandaSet sequence"):
        import_pandaset(tmp_path / place, tmp_path / "bag")
    assert not (tmp_path / "bag").exists()


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_an_existing_destination_is_left_alone(sequence, tmp_path, kind):
    destination = tmp_path / "bag"
    if kind == "folder":
        destination.mkdir()
    elif kind == "file":
        destination.write_text("mine")
    else:
        destination.symlink_to(tmp_path / "nowhere")
    before = destination.lstat()
    with pytest.raises(OutputError, match="exists already"):
        import_pandaset(sequence.folder, destination)
    assert destination.lstat() == before


def damage(name):
    """Return a function that damages one part of a sequence."""

    def first_pose(key, name, value):
        return lambda poses: [{**poses[0], key: {**poses[0][key], name: value}}, *poses[1:]]

    front = "camera/front_camera"
    table = {
        "camera missing": lambda s: shutil.rmtree(s.path("camera", "left_camera")),
        "picture missing": lambda s: s.path(front, "05.jpg").unlink(),
        "picture skipped": lambda s: s.path(front, "05.jpg").rename(s.path(front, "06.jpg")),
        "camera shorter": lambda s: [
            s.path(front, "05.jpg").unlink(),
            s.edit(f"{front}/timestamps.json", lambda v: v[:-1]),
            s.edit(f"{front}/poses.json", lambda v: v[:-1]),
        ],
        "picture is text": lambda s: s.path(front, "00.jpg").write_text("not a picture"),
        "picture is a PNG": lambda s: s.path(front, "00.jpg").write_bytes(s.path("png").read_bytes()),
        "later picture cut": lambda s: s.path(front, "03.jpg").write_bytes(s.path(front, "03.jpg").read_bytes()[:-100]),
        "later picture empty": lambda s: s.path(front, "03.jpg").write_bytes(b""),
        "later picture larger": lambda s: shutil.copy(s.path("larger.jpg"), s.path(front, "03.jpg")),
        "JSON cut": lambda s: s.path("lidar", "poses.json").write_text('[{"position": {"x": 0.0'),
        "JSON of another kind": lambda s: s.path("lidar", "poses.json").write_text("{}"),
        "JSON empty": lambda s: s.path("lidar", "timestamps.json").write_text("[]"),
        "JSON nested too deep": lambda s: s.path("lidar", "poses.json").write_text("[" * 100_000),
        "JSON is not text": lambda s: s.path("lidar", "poses.json").write_bytes(b"\xff\xfe\x00"),
        "poses missing": lambda s: s.path("lidar", "poses.json").unlink(),
        "poses fewer": lambda s: s.edit("lidar/poses.json", lambda v: v[:-1]),
        "pose NaN": lambda s: s.edit("lidar/poses.json", first_pose("position", "x", math.nan)),
        "pose infinite": lambda s: s.edit(f"{front}/poses.json", first_pose("position", "z", math.inf)),
        "pose is text": lambda s: s.edit("lidar/poses.json", first_pose("position", "x", "1.0")),
        "pose without heading": lambda s: s.edit(
            "lidar/poses.json", lambda v: [{"position": v[0]["position"]}, *v[1:]]
        ),
        "heading too long": lambda s: s.edit("lidar/poses.json", first_pose("heading", "w", 2.0)),
        "stamps equal": lambda s: s.edit("lidar/timestamps.json", lambda v: [v[0], v[0], *v[2:]]),
        "stamp NaN": lambda s: s.edit("lidar/timestamps.json", lambda v: [math.nan, *v[1:]]),
        "stamp negative": lambda s: s.edit("lidar/timestamps.json", lambda v: [-1.0, *v[1:]]),
        "stamp after 2038": lambda s: s.edit("lidar/timestamps.json", lambda v: [*v[:-1], 3e9]),
        "no common time": lambda s: s.edit(f"{front}/timestamps.json", lambda v: [value - 100.0 for value in v]),
        "no focal length": lambda s: s.edit(f"{front}/intrinsics.json", lambda v: {**v, "fx": 0.0}),
        "no principal point": lambda s: s.edit(f"{front}/intrinsics.json", lambda v: {"fx": 1.0, "fy": 1.0}),
        "fixes fewer": lambda s: s.edit("meta/gps.json", lambda v: v[:-1]),
        "fix beyond the pole": lambda s: s.edit("meta/gps.json", lambda v: [{**v[0], "lat": 91.0}, *v[1:]]),
        "sweep cut": lambda s: s.path("lidar", "00.npz").write_bytes(s.path("lidar", "00.npz").read_bytes()[:1000]),
        "sweep without points": lambda s: np.savez(s.path("lidar", "00.npz"), device=np.zeros(3)),
        "sweep of other shape": lambda s: np.savez(s.path("lidar", "00.npz"), xyz=np.zeros((3, 2)), device=np.zeros(3)),
        "sweep pickled": lambda s: np.savez(s.path("lidar", "00.npz"), xyz=np.array([{}]), device=np.zeros(1)),
        "box NaN": lambda s: edit_boxes(s, ",20,12,", ",nan,12,"),
        "box without size": lambda s: edit_boxes(s, ",1.9,4.6,", ",0,4.6,"),
        "box of no frame": lambda s: edit_boxes(s, "\n5,", "\n6,"),
        "box twice": lambda s: edit_boxes(s, "\n5,", "\n4,"),
        "box row cut": lambda s: edit_boxes(s, ",12,0.4,1.9,4.6,1.6,Moving", ""),
        "boxes without columns": lambda s: s.path("cuboids.csv").write_text("a,b\n1,2\n"),
        "boxes empty": lambda s: s.path("cuboids.csv").write_text(""),
        "static calibration damaged": lambda s: s.path("static_extrinsic_calibration.yaml").write_text(
            "front_camera: [1"
        ),
        "static calibration other": lambda s: s.path("static_extrinsic_calibration.yaml").write_text("front_camera: 3"),
    }
    return table if name is None else table[name]


def picture(kind, width, height):
    return cv2.imencode(kind, np.zeros((height, width, 3), dtype=np.uint8))[1].tobytes()


def edit_boxes(sequence, old, new):
    text = sequence.path("cuboids.csv").read_text()
    assert old in text
    sequence.path("cuboids.csv").write_text(text.replace(old, new))


@pytest.mark.parametrize("name", list(damage(None)))
def test_a_damaged_source_is_refused_in_one_sentence_and_leaves_nothing(sequence, tmp_path, name):
    sequence.path("larger.jpg").write_bytes(picture(".jpg", 128, 72))
    sequence.path("png").write_bytes(picture(".png", 64, 36))
    damage(name)(sequence)
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(ArtifactError) as caught:
        import_pandaset(sequence.folder, target / "bag")
    assert "\n" not in str(caught.value)
    assert str(sequence.folder) in str(caught.value) or "camera front" in str(caught.value)
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, BagWriteError])
@pytest.mark.parametrize("at", [1, 40])
def test_an_interrupted_import_leaves_nothing(sequence, tmp_path, error, at):
    target = tmp_path / "out"
    target.mkdir()

    def interrupt(done, _total):
        if done == at:
            assert len(list(target.iterdir())) == 1
            raise error

    with pytest.raises(error):
        import_pandaset(sequence.folder, target / "bag", progress=interrupt)
    assert list(target.iterdir()) == []


def test_a_destination_that_appears_meanwhile_is_not_overwritten(sequence, tmp_path):
    target = tmp_path / "bag"

    def appear(done, total):
        if done == total:
            target.mkdir()
            (target / "mine").write_text("mine")

    with pytest.raises(OutputError, match="cannot be made"):
        import_pandaset(sequence.folder, target, progress=appear)
    assert [file.name for file in target.iterdir()] == ["mine"]


def test_a_parent_that_is_a_file_is_an_output_error(sequence, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot be made"):
        import_pandaset(sequence.folder, tmp_path / "file" / "bag")


def test_one_picture_at_a_time_is_read(sequence, tmp_path, monkeypatch):
    reads = []
    original = pandaset.read_picture

    def counted(camera, index):
        reads.append((camera.camera, index))
        return original(camera, index)

    monkeypatch.setattr(pandaset, "read_picture", counted)

    def progress(done, _total):
        # Pictures are read when their turn comes: never more of them than messages so far.
        assert len(reads) <= done

    import_pandaset(sequence.folder, tmp_path / "bag", progress=progress)
    assert set(Counter(reads).values()) == {1}


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    data = os.environ.get("ALPAMAYO_DATA")
    if not data:
        pytest.skip("ALPAMAYO_DATA is not set")
    folder = Path(data) / "pandaset_seq002"
    bag = tmp_path_factory.mktemp("pandaset") / "bag"
    return import_pandaset(folder, bag), read(bag), folder


def test_real_counts_and_times(real):
    summary, messages, _ = real
    assert sum(count for topic, count in summary.topics.items() if topic.endswith("compressed")) == 480
    assert (summary.topics["/odometry"], summary.topics["/actors"], summary.topics["/gnss/fix"]) == (80, 80, 80)
    assert sum(len(message.markers) for _, _, message in messages["/actors"]) == 9365
    stamps = [receive for receive, _, _ in messages["/odometry"]]
    assert (stamps[0], stamps[-1]) == (1_557_539_956_500_022_000, 1_557_539_964_400_416_000)
    leads_ms = {
        camera: (stamps[0] - messages[f"/camera/{camera}/image/compressed"][0][0]) / 1e6 for camera in CAMERA_IDS
    }
    expected = {"right": 19, "front_right": 39, "front": 50, "front_left": 61, "left": 81, "back": 100}
    assert leads_ms == pytest.approx(expected, abs=0.6)


def test_real_pictures_are_identical(real):
    _, messages, folder = real
    for camera in CAMERA_IDS:
        for index, (_, _, message) in enumerate(messages[f"/camera/{camera}/image/compressed"]):
            assert message.data.tobytes() == (folder / "camera" / f"{camera}_camera" / f"{index:02d}.jpg").read_bytes()


def test_real_ego_motion_is_forward_from_standstill(real):
    _, messages, _ = real
    poses = [pose_of(m.pose.pose.position, m.pose.pose.orientation) for _, _, m in messages["/odometry"]]
    times = [receive for receive, _, _ in messages["/odometry"]]
    steps = [compose_poses(invert_pose(a), b).position for a, b in itertools.pairwise(poses)]
    speeds = [math.hypot(*step) / (b - a) * 1e9 for step, a, b in zip(steps, times, times[1:], strict=False)]
    assert speeds[0] < 0.1
    assert speeds[-1] == pytest.approx(5.6, abs=0.1)
    assert math.dist(poses[0].position, poses[-1].position) == pytest.approx(21.7, abs=0.05)
    for (x, y, _), speed in zip(steps, speeds, strict=True):
        if speed > 1.0:
            assert abs(math.degrees(math.atan2(y, x))) < 1.5


def test_real_cameras_look_where_they_are_named(real):
    summary, _, _ = real
    cameras = load_calibration(summary.destination / "calibration.yaml").cameras
    expected = {"front": 0, "front_left": 58, "front_right": -58, "left": 91.6, "right": -88.6, "back": -178.3}
    for camera, yaw_deg in expected.items():
        found_yaw_deg, elevation_deg = axis_yaw_deg(cameras[camera].rig_from_optical)
        assert found_yaw_deg == pytest.approx(yaw_deg, abs=0.5)
        assert abs(elevation_deg) < 1.0
    assert cameras["front"].rig_from_optical.position == pytest.approx((0.854, 0.0, 2.13), abs=0.01)
    static = next(sentence for sentence in summary.assumptions if sentence.startswith("static_extrinsic"))
    assert "within 0.018 m and 0.001 degrees" in static


def test_real_origin_is_on_the_ground(real):
    summary, messages, _ = real
    assert summary.ground_height_m == pytest.approx(-0.32, abs=0.01)
    # Independent of the sweeps: labelled vehicles within 15 m stand at the height of the rig's xy plane.
    rig = pose_of(messages["/odometry"][0][2].pose.pose.position, messages["/odometry"][0][2].pose.pose.orientation)
    bottoms = []
    for marker in messages["/actors"][0][2].markers:
        middle = compose_poses(invert_pose(rig), pose_of(marker.pose.position, marker.pose.orientation)).position
        if marker.ns == "Car" and 0 < middle[0] < 15 and abs(middle[1]) < 5:
            bottoms.append(middle[2] - 0.5 * marker.scale.z)
    assert len(bottoms) >= 3
    assert np.median(bottoms) == pytest.approx(0.0, abs=0.15)


def test_real_boxes_enclose_their_points(real):
    """Turned by 90 degrees or with length and width exchanged, the boxes of parked cars would lose their points."""
    _, messages, folder = real
    with np.load(folder / "lidar" / "00.npz") as arrays:
        points = arrays["xyz"].astype(np.float64)
    shares = []
    for marker in messages["/actors"][0][2].markers:
        pose = pose_of(marker.pose.position, marker.pose.orientation)
        local = Rotation.from_quat(pose.quaternion).inv().apply(points - np.array(pose.position))
        half = 0.5 * np.array([marker.scale.x, marker.scale.y, marker.scale.z])
        near = local[(np.hypot(local[:, 0], local[:, 1]) < half[0]) & (abs(local[:, 2]) < 0.6 * half[2])]
        if marker.ns == "Car" and len(near) > 300:
            shares.append(np.mean((abs(near[:, :2]) < half[:2] + 0.05).all(axis=1)))
    assert len(shares) >= 8
    assert np.median(shares) > 0.9


def test_real_import_is_repeatable(real, tmp_path):
    summary, _, folder = real
    import_pandaset(folder, tmp_path / "bag")
    assert digest_of(tmp_path / "bag") == digest_of(summary.destination)


def test_real_tags_speak_of_privacy_and_licence(real):
    summary, _, _ = real
    document = json.loads((summary.destination / "identity.json").read_text())
    assert "not blurred" in document["tags"]["privacy"]
    assert "CC BY 4.0" in document["tags"]["licence"]


def test_the_command_prints_the_summary_as_json(sequence, tmp_path, capsys):
    bag_import_pandaset(sequence.folder, tmp_path / "bag", as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["topics"]["/odometry"] == sequence.frames
    assert document["calibration_digest"] == load_calibration(tmp_path / "bag" / "calibration.yaml").digest


def test_the_command_says_what_was_assumed_and_what_is_absent(sequence, tmp_path, capsys):
    sequence.path("cuboids.csv").unlink()
    bag_import_pandaset(sequence.folder, tmp_path / "bag [1]")
    said = capsys.readouterr().out
    assert f"bag {tmp_path / 'bag [1]'}: " in said
    assert "assumed: The rig's origin is on the ground" in said
    assert "absent: labelled actors" in said
