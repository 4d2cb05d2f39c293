"""The frame of the odometry as a part of the calibration."""

import hashlib
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.errors import CalibrationError
from alpamayo_ros.perception.calibration import calibration_digest, dump_calibration, load_calibration, with_digest
from alpamayo_ros.structs.camera import CameraCalibration, RigCalibration
from alpamayo_ros.structs.pose import OdometryFrame, Pose

POSE = Pose((1.0, -0.25, 0.5), (0.0, 0.0, 0.0, 1.0))
CAMERAS = {"front": CameraCalibration("front", None, Pose((0.85, 0.0, 2.12), (-0.5, 0.5, -0.5, 0.5)))}
DOCUMENT = """\
version: 1
rig_frame: base_link
odometry:
  child_frame: imu
  rig_in_child:
    position_m: [1, -0.25, 0.5]
    quaternion_xyzw: [0, 0, 0, 1]
"""

finite = st.floats(-1e6, 1e6)
names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), min_size=1).filter(
    lambda name: name != "base_link"
)


def written(tmp_path, text):
    path = tmp_path / "calibration.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@st.composite
def poses(draw):
    quaternion = draw(st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: math.hypot(*q) > 0.1))
    norm = math.hypot(*quaternion)
    return Pose(draw(st.tuples(finite, finite, finite)), tuple(value / norm for value in quaternion))


def test_a_document_may_hold_the_odometry_alone(tmp_path):
    calibration = load_calibration(written(tmp_path, DOCUMENT))
    assert calibration.odometry == OdometryFrame("imu", POSE)
    assert dict(calibration.cameras) == {}


def test_the_digest_from_a_file_is_that_of_the_struct_and_of_the_canonical_text(tmp_path):
    canonical = (
        '{"odometry":{"child_frame":"imu","rig_in_child":{"position_m":[1,-0.25,0.5],"quaternion_xyzw":[0,0,0,1]}},'
        '"rig_frame":"base_link","version":1}'
    )
    expected = f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"
    assert load_calibration(written(tmp_path, DOCUMENT)).digest == expected
    assert calibration_digest(RigCalibration(odometry=OdometryFrame("imu", POSE))) == expected


def test_the_digest_of_a_calibration_without_odometry_is_what_it_was_before_there_was_any():
    # A committed baseline names it.
    canonical = (
        '{"cameras":{"front":{"rig_from_optical":{"position_m":[0.85,0,2.12],'
        '"quaternion_xyzw":[-0.5,0.5,-0.5,0.5]}}},"rig_frame":"base_link","version":1}'
    )
    assert calibration_digest(RigCalibration(CAMERAS)) == f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"
    assert calibration_digest(RigCalibration()) == "none"


@pytest.mark.parametrize(("old", "new"), [("imu", "gnss"), ("-0.25", "-0.26"), ("[0, 0, 0, 1]", "[0, 0, 1, 0]")])
def test_everything_that_the_odometry_says_is_in_the_digest(tmp_path, old, new):
    first = load_calibration(written(tmp_path, DOCUMENT)).digest
    assert load_calibration(written(tmp_path, DOCUMENT.replace(old, new))).digest != first


def test_with_digest_replaces_the_digest_alone():
    calibration = RigCalibration(CAMERAS, "stale", "a bag", OdometryFrame("imu", POSE))
    named = with_digest(calibration)
    assert named.digest == calibration_digest(calibration) != "stale"
    assert (named.cameras, named.source, named.odometry) == (CAMERAS, "a bag", calibration.odometry)


@settings(max_examples=40, deadline=None)
@given(pose=poses(), child_frame=names, with_cameras=st.booleans())
def test_what_is_written_is_read_back_to_the_last_digit(tmp_path_factory, pose, child_frame, with_cameras):
    path = tmp_path_factory.mktemp("calibration") / "calibration.yaml"
    frame = OdometryFrame(child_frame, pose)
    calibration = RigCalibration(CAMERAS if with_cameras else {}, source="made for a test", odometry=frame)
    dump_calibration(calibration, path)
    loaded = load_calibration(path)
    assert loaded.odometry == frame
    assert loaded.digest == calibration_digest(calibration)
    assert set(loaded.cameras) == set(calibration.cameras)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  child_frame: imu\n", "", "not valid at odometry: 'child_frame' is a required property"),
        ("child_frame: imu", "child_frame: ''", "not valid at odometry/child_frame"),
        ("child_frame: imu", "child_frame: base_link", "'base_link' is the rig frame itself; expected another"),
        ("child_frame: imu", "child_frame: 7", "not valid at odometry/child_frame: 7 is not of type 'string'"),
        ("child_frame: imu", "child_frame: imu\n  note: x", "'note' was unexpected"),
        ("[1, -0.25, 0.5]", "[1, -0.25]", "not valid at odometry/rig_in_child/position_m"),
        ("[1, -0.25, 0.5]", "[1, -0.25, .nan]", "position_m/2: expected a finite number"),
        ("[0, 0, 0, 1]", "[0, 0, 0, 2]", "odometry: rig_in_child: quaternion .* has length 2; expected 1 within"),
        ("[0, 0, 0, 1]", "[0, 0, 0, 0]", "has length 0; expected 1"),
        ("[0, 0, 0, 1]", "[0, 0, 1]", "not valid at odometry/rig_in_child/quaternion_xyzw"),
        ("    quaternion_xyzw: [0, 0, 0, 1]\n", "", "'quaternion_xyzw' is a required property"),
        ("rig_frame: base_link", "rig_frame: ego", "is for rig frame 'ego'; expected rig frame 'base_link'"),
    ],
)
def test_a_malformed_odometry_is_refused_in_one_sentence(tmp_path, old, new, said):
    assert old in DOCUMENT
    with pytest.raises(CalibrationError, match=said) as refused:
        load_calibration(written(tmp_path, DOCUMENT.replace(old, new)))
    assert "\n" not in str(refused.value)


def test_a_document_that_says_nothing_is_refused_both_ways(tmp_path):
    with pytest.raises(CalibrationError):
        load_calibration(written(tmp_path, "version: 1\nrig_frame: base_link\n"))
    with pytest.raises(CalibrationError):
        dump_calibration(RigCalibration(), tmp_path / "empty.yaml")
    assert not (tmp_path / "empty.yaml").exists()


@pytest.mark.parametrize(
    "frame",
    [
        OdometryFrame("imu", Pose((math.nan, 0.0, 0.0))),
        OdometryFrame("imu", Pose((0.0, math.inf, 0.0))),
        OdometryFrame("imu", Pose(quaternion=(0.0, 0.0, 0.0, 0.5))),
        OdometryFrame("", POSE),
        OdometryFrame("base_link", POSE),
    ],
)
def test_what_a_reader_would_refuse_is_not_written(tmp_path, frame):
    with pytest.raises(CalibrationError):
        dump_calibration(RigCalibration(odometry=frame), tmp_path / "c.yaml")
    assert not (tmp_path / "c.yaml").exists()


def test_numbers_without_a_canonical_form_have_no_digest():
    with pytest.raises(CalibrationError, match="no canonical form"):
        calibration_digest(RigCalibration(odometry=OdometryFrame("imu", Pose((math.inf, 0.0, 0.0)))))
