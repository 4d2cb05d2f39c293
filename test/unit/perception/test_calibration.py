"""The calibration document and the calibration from static transforms."""

import hashlib
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.errors import CalibrationError, OutputError
from alpamayo_ros.geometry.transform import compose_poses, invert_pose
from alpamayo_ros.perception.calibration import (
    calibration_digest,
    calibration_from_transforms,
    dump_calibration,
    load_calibration,
    static_transform,
)
from alpamayo_ros.structs.camera import CameraCalibration, CameraIntrinsics, RigCalibration
from alpamayo_ros.structs.pose import Pose

LENS = CameraIntrinsics(1920, 1080, (1970.0131, 0.0, 970.0002, 0.0, 1970.0091, 483.2988, 0.0, 0.0, 1.0))
FORWARD = Pose((0.85, -0.001, 2.12), (-0.5, 0.5, -0.5, 0.5))
DOCUMENT = """\
version: 1
rig_frame: base_link
source: made for a test
assumptions: [the pose is that of a drawing]
cameras:
  front:
    width: 1920
    height: 1080
    k: [1970.0131, 0, 970.0002, 0, 1970.0091, 483.2988, 0, 0, 1]
    distortion_model: plumb_bob
    d: [-0.1, 0.01, 0, 0, 0]
    rig_from_optical:
      position_m: [0.85, -0.001, 2.12]
      quaternion_xyzw: [-0.5, 0.5, -0.5, 0.5]
"""

finite = st.floats(-1e6, 1e6)
quaternions = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: math.hypot(*q) > 0.1)


@st.composite
def poses(draw):
    quaternion = draw(quaternions)
    norm = math.hypot(*quaternion)
    return Pose(draw(st.tuples(finite, finite, finite)), tuple(value / norm for value in quaternion))


def rig(**cameras):
    return RigCalibration(cameras, source="made for a test")


def written(tmp_path, text):
    path = tmp_path / "calibration.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def distance(one, other):
    gap = compose_poses(invert_pose(one), other)
    return math.hypot(*gap.position, *gap.quaternion[:3])


def test_a_document_gives_intrinsics_and_pose(tmp_path):
    calibration = load_calibration(written(tmp_path, DOCUMENT))
    camera = calibration.cameras["front"]
    assert camera.intrinsics == replace(LENS, distortion_model="plumb_bob", d=(-0.1, 0.01, 0.0, 0.0, 0.0))
    assert camera.rig_from_optical == FORWARD
    assert calibration.source == "made for a test"
    assert calibration.digest.startswith("sha256:")


def test_the_digest_is_that_of_the_numbers_and_not_of_the_texts(tmp_path):
    first = load_calibration(written(tmp_path, DOCUMENT))
    other_text = DOCUMENT.replace("made for a test", "another source").replace("a drawing", "a survey")
    assert load_calibration(written(tmp_path, other_text)).digest == first.digest
    for change in (("0.85", "0.86"), ("1920", "1280"), ("-0.1, 0.01", "-0.1, 0.02"), ("front", "left")):
        assert load_calibration(written(tmp_path, DOCUMENT.replace(*change))).digest != first.digest


def test_the_digest_is_that_of_the_canonical_text(tmp_path):
    canonical = (
        '{"cameras":{"front":{"d":[-0.1,0.01,0,0,0],"distortion_model":"plumb_bob","height":1080,'
        '"k":[1970.0131,0,970.0002,0,1970.0091,483.2988,0,0,1],"rig_from_optical":{"position_m":[0.85,-0.001,2.12],'
        '"quaternion_xyzw":[-0.5,0.5,-0.5,0.5]},"width":1920}},"rig_frame":"base_link","version":1}'
    )
    expected = f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"
    assert load_calibration(written(tmp_path, DOCUMENT)).digest == expected


def test_the_absent_calibration_has_the_digest_none():
    assert calibration_digest(RigCalibration()) == "none"


def test_negative_zero_and_the_order_of_cameras_do_not_change_the_digest():
    one, other = CameraCalibration("a", LENS, FORWARD), CameraCalibration("b", None, Pose((0.0, 0.0, 1.0)))
    minus = CameraCalibration("b", None, Pose((-0.0, 0.0, 1.0), (-0.0, 0.0, 0.0, 1.0)))
    assert calibration_digest(rig(a=one, b=other)) == calibration_digest(rig(b=minus, a=one))


@settings(max_examples=40, deadline=None)
@given(pose=poses(), focal=st.floats(1e-3, 1e6), centre=finite, d=st.lists(st.floats(-10, 10), max_size=5))
def test_what_is_written_is_read_back_to_the_last_digit(tmp_path_factory, pose, focal, centre, d):
    path = tmp_path_factory.mktemp("calibration") / "calibration.yaml"
    lens = CameraIntrinsics(640, 480, (focal, 0.0, centre, 0.0, focal, centre, 0.0, 0.0, 1.0), "plumb_bob", tuple(d))
    calibration = rig(
        front=CameraCalibration("front", lens, pose),
        bare=CameraCalibration("bare", lens, None),
        posed=CameraCalibration("posed", None, pose),
    )
    dump_calibration(calibration, path, assumptions=["one: with a colon", "no", "'quoted' # not a comment"])
    loaded = load_calibration(path)
    assert dict(loaded.cameras) == dict(sorted(calibration.cameras.items()))
    assert loaded.digest == calibration_digest(calibration)


def test_an_existing_file_is_not_overwritten(tmp_path):
    path = written(tmp_path, DOCUMENT)
    with pytest.raises(OutputError, match="exists already"):
        dump_calibration(rig(front=CameraCalibration("front", LENS, FORWARD)), path)
    assert path.read_text(encoding="utf-8") == DOCUMENT


def test_a_folder_that_is_missing_cannot_be_written_to(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        dump_calibration(rig(front=CameraCalibration("front", LENS, FORWARD)), tmp_path / "absent" / "c.yaml")


@pytest.mark.parametrize(
    "camera",
    [
        CameraCalibration("front", LENS, Pose((math.nan, 0.0, 0.0))),
        CameraCalibration("front", replace(LENS, k=(math.inf, *LENS.k[1:])), None),
        CameraCalibration("front", None, None),
        CameraCalibration("front", None, Pose(quaternion=(0.0, 0.0, 0.0, 0.5))),
    ],
)
def test_what_a_reader_would_refuse_is_not_written(tmp_path, camera):
    with pytest.raises(CalibrationError):
        dump_calibration(rig(front=camera), tmp_path / "c.yaml")
    assert not (tmp_path / "c.yaml").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version: 1", "version: 2", "version"),
        ("rig_frame: base_link", "rig_frame: chassis", "chassis"),
        ("k: [1970.0131, 0,", "k: [0.0, 0,", "focal lengths"),
        ("k: [1970.0131, 0,", "k: [.nan, 0,", "finite"),
        ("k: [1970.0131, 0,", "k: [" + "9" * 400 + ", 0,", "expected a finite number"),
        ("483.2988, 0, 0, 1]", "483.2988, 0, 0, 2]", "upper triangular"),
        ("483.2988, 0, 0, 1]", "483.2988, 0, 0]", "cameras/front/k"),
        ("width: 1920", "width: 0", "cameras/front/width"),
        ("    width: 1920\n", "", "depend"),
        ("    d: [-0.1, 0.01, 0, 0, 0]\n", "", "depend"),
        ("d: [-0.1, 0.01, 0, 0, 0]", "d: [0, 0, 0, 0, 0, 1]", "at most 5"),
        ("plumb_bob", "fisheye", "fisheye"),
        ("0.5, -0.5, 0.5]", "0.5, -0.5, 0.6]", "length"),
        ("0.5, -0.5, 0.5]", "0.5, -0.5, .nan]", "finite"),
        ("position_m: [0.85,", "position_m: [.inf,", "finite"),
        ("position_m: [0.85,", "position_m: [0.85, 1,", "position_m"),
        ("position_m: [0.85,", "position_m: [yes,", "position_m"),
        ("  front:\n", "  'front left':\n", "front left"),
        ("source: made for a test", "version: 1", "version"),
        ("source:", "colour:", "colour"),
    ],
)
def test_a_malformed_document_is_refused_in_one_sentence(tmp_path, old, new, said):
    assert old in DOCUMENT
    with pytest.raises(CalibrationError, match=said) as caught:
        load_calibration(written(tmp_path, DOCUMENT.replace(old, new, 1)))
    assert "calibration.yaml" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "a: [", "\0", "cameras: {}", "version: 1\nrig_frame: base_link\ncameras: {}"]
)
def test_what_is_no_calibration_is_refused(tmp_path, text):
    with pytest.raises(CalibrationError):
        load_calibration(written(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CalibrationError, match="cannot be read"):
        load_calibration(tmp_path / "absent.yaml")


def test_a_nearly_unit_quaternion_is_scaled_and_stays_as_it_is_afterwards(tmp_path):
    first = load_calibration(written(tmp_path, DOCUMENT.replace("0.5, -0.5, 0.5]", "0.5, -0.5, 0.5005]")))
    pose = first.cameras["front"].rig_from_optical
    assert math.hypot(*pose.quaternion) == pytest.approx(1.0, abs=1e-15)
    dump_calibration(first, tmp_path / "again.yaml")
    assert load_calibration(tmp_path / "again.yaml").digest == first.digest


def test_transforms_and_document_of_the_same_numbers_have_one_digest(tmp_path):
    dump_calibration(rig(front=CameraCalibration("front", LENS, FORWARD)), tmp_path / "c.yaml")
    recorded = calibration_from_transforms(
        {"front": "front_optical"}, [("base_link", "front_optical", FORWARD)], intrinsics={"front": LENS}
    )
    assert recorded.digest == load_calibration(tmp_path / "c.yaml").digest
    assert recorded.source == "/tf_static"


@settings(max_examples=40, deadline=None)
@given(mount=poses(), optical=poses(), odometry=poses())
def test_a_chain_of_transforms_is_composed_in_any_order_and_from_either_end(mount, optical, odometry):
    edges = [("mount", "optical", optical), ("base_link", "mount", mount), ("footprint", "base_link", odometry)]
    expected = compose_poses(mount, optical)
    for order in (edges, edges[::-1]):
        found = calibration_from_transforms({"front": "optical"}, order).cameras["front"].rig_from_optical
        assert distance(found, expected) < 1e-3 * (1 + math.hypot(*expected.position)) * 1e-6
    up = static_transform(edges, "optical", "base_link")
    assert distance(up, invert_pose(expected)) < 1e-3 * (1 + math.hypot(*expected.position)) * 1e-6


def test_frames_are_connected_through_a_common_ancestor():
    edges = [
        ("footprint", "base_link", Pose((0.0, 0.0, 0.3))),
        ("footprint", "imu", Pose((1.0, 0.0, 0.5))),
    ]
    found = static_transform(edges, "base_link", "imu")
    assert found.position == pytest.approx((1.0, 0.0, 0.2))
    assert static_transform(edges, "imu", "base_link").position == pytest.approx((-1.0, 0.0, -0.2))


def test_a_frame_stands_in_itself_at_the_identity():
    assert static_transform([], "base_link", "base_link") == Pose()


def test_unconnected_frames_have_no_transform():
    assert static_transform([("a", "b", Pose())], "base_link", "b") is None
    assert static_transform([], "base_link", "b") is None


@pytest.mark.parametrize("frame", ["", "base_link", "unknown"])
def test_a_camera_without_an_optical_frame_in_the_tree_keeps_its_intrinsics_alone(frame):
    found = calibration_from_transforms(
        {"front": frame}, [("base_link", "optical", FORWARD)], intrinsics={"front": LENS}
    )
    assert found.cameras["front"] == CameraCalibration("front", LENS, None)


def test_a_camera_of_which_nothing_is_known_is_left_out():
    found = calibration_from_transforms({"front": "unknown"}, [])
    assert found == RigCalibration()


def test_intrinsics_without_a_frame_are_kept():
    found = calibration_from_transforms({}, [], intrinsics={"front": LENS})
    assert found.cameras["front"] == CameraCalibration("front", LENS, None)


@pytest.mark.parametrize(
    ("edges", "said"),
    [
        ([("b", "optical", Pose()), ("c", "b", Pose()), ("b", "c", Pose())], "loop"),
        ([("optical", "optical", Pose())], "loop"),
        ([("base_link", "optical", Pose()), ("other", "optical", Pose())], "base_link, other"),
        ([("base_link", "optical", Pose()), ("base_link", "optical", FORWARD)], "different values"),
        ([("base_link", "optical", Pose(quaternion=(math.nan, 0.0, 0.0, 1.0)))], "quaternion"),
        ([("base_link", "optical", Pose(quaternion=(0.0, 0.0, 0.0, 0.0)))], "quaternion"),
        ([("base_link", "optical", Pose((math.inf, 0.0, 0.0)))], "not finite"),
    ],
)
def test_a_chain_that_is_needed_has_to_be_sound(edges, said):
    with pytest.raises(CalibrationError, match=said):
        static_transform(edges, "base_link", "optical")
    with pytest.raises(CalibrationError, match=said):
        calibration_from_transforms({"front": "optical"}, edges)


def test_a_damaged_chain_that_is_not_needed_does_no_harm():
    edges = [
        ("base_link", "optical", FORWARD),
        ("base_link", "arm", Pose(quaternion=(math.nan,) * 4)),
        ("x", "y", Pose()),
        ("y", "x", Pose()),
        ("x", "y", FORWARD),
    ]
    assert static_transform(edges, "base_link", "optical") == FORWARD


def test_a_transform_that_is_repeated_with_the_opposite_quaternion_is_the_same():
    opposite = Pose(FORWARD.position, tuple(-value for value in FORWARD.quaternion))
    edges = [("base_link", "optical", FORWARD), ("base_link", "optical", opposite)]
    assert distance(static_transform(edges, "base_link", "optical"), FORWARD) < 1e-12


def test_a_very_long_chain_is_walked():
    edges = [(str(index), str(index + 1), Pose((1.0, 0.0, 0.0))) for index in range(5000)]
    assert static_transform(edges, "0", "5000").position == (5000.0, 0.0, 0.0)


def test_intrinsics_of_an_unknown_lens_model_are_refused():
    with pytest.raises(CalibrationError, match="expected one of"):
        calibration_from_transforms({}, [], intrinsics={"front": replace(LENS, distortion_model="omni")})
