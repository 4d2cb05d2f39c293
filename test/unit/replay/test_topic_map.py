"""Topics are found when there is one way to read the bag, and listed when there is not."""

from pathlib import Path

import pytest

from alpamayo_ros.errors import TopicError
from alpamayo_ros.params.profile import load_profile
from alpamayo_ros.replay.topic_map import camera_id_of, read_topics_file, resolve_topics
from alpamayo_ros.storage.message import TopicInfo

KINEMATIC = load_profile("kinematic")
ONE_CAMERA = load_profile(str(Path(__file__).parents[2] / "profiles" / "one_camera.yaml"))
ODOMETRY, COMPRESSED, RAW, INFO = (
    "nav_msgs/msg/Odometry",
    "sensor_msgs/msg/CompressedImage",
    "sensor_msgs/msg/Image",
    "sensor_msgs/msg/CameraInfo",
)


NAVIGATION = "alpamayo_ros/msg/NavigationCommand"


def bag(**topics: str) -> dict[str, TopicInfo]:
    names = {name.replace("__", "/"): kind for name, kind in topics.items()}
    return {f"/{name}": TopicInfo(f"/{name}", kind) for name, kind in names.items()}


def test_the_sole_odometry_and_every_camera_are_found() -> None:
    topics = bag(odom=ODOMETRY, camera__front__image__compressed=COMPRESSED, camera__front__camera_info=INFO)
    found = resolve_topics(KINEMATIC, topics, None)
    assert found.odometry == "/odom"
    assert found.cameras == {"front": "/camera/front/image/compressed"}
    assert found.camera_info == {"front": "/camera/front/camera_info"}
    assert found.describe() == ["odometry: /odom", "camera front: /camera/front/image/compressed"]


def test_two_odometries_are_listed() -> None:
    with pytest.raises(TopicError, match="2 topics of type nav_msgs/msg/Odometry; candidates: /a, /b"):
        resolve_topics(KINEMATIC, bag(a=ODOMETRY, b=ODOMETRY), None)


def test_no_odometry_lists_what_there_is() -> None:
    with pytest.raises(TopicError, match=r"no topic of type .* the bag has: /x \(sensor_msgs/msg/Image\)"):
        resolve_topics(KINEMATIC, bag(x=RAW), None)
    with pytest.raises(TopicError, match="the bag has no topics"):
        resolve_topics(KINEMATIC, {}, None)


def test_a_camera_with_two_picture_topics_is_ambiguous() -> None:
    topics = bag(odom=ODOMETRY, front__image=RAW, front__image__compressed=COMPRESSED)
    with pytest.raises(TopicError, match="camera 'front' has 2 picture topics: /front/image, /front/image/compressed"):
        resolve_topics(ONE_CAMERA, topics, None)


def test_the_sole_topic_of_navigation_commands_is_found_and_may_be_absent() -> None:
    assert resolve_topics(KINEMATIC, bag(odom=ODOMETRY), None).navigation == ""
    found = resolve_topics(KINEMATIC, bag(odom=ODOMETRY, route=NAVIGATION), None)
    assert found.navigation == "/route"
    assert found.describe() == ["odometry: /odom", "navigation: /route"]
    with pytest.raises(TopicError, match="2 topics of type alpamayo_ros/msg/NavigationCommand: /a, /b; expected at m"):
        resolve_topics(KINEMATIC, bag(odom=ODOMETRY, a=NAVIGATION, b=NAVIGATION), None)


def test_a_topics_file_names_the_navigation_commands(tmp_path: Path) -> None:
    path = tmp_path / "topics.yaml"
    path.write_text("navigation: /b\n")
    topics = bag(odom=ODOMETRY, a=NAVIGATION, b=NAVIGATION)
    assert resolve_topics(KINEMATIC, topics, path).navigation == "/b"
    path.write_text("navigation: /odom\n")
    with pytest.raises(TopicError, match=f"topic '/odom' has type {ODOMETRY}; expected {NAVIGATION}"):
        resolve_topics(KINEMATIC, topics, path)
    path.write_text("{}\n")
    assert resolve_topics(KINEMATIC, bag(odom=ODOMETRY, a=NAVIGATION), path).navigation == "/a"


def test_a_topics_file_decides(tmp_path: Path) -> None:
    path = tmp_path / "topics.yaml"
    path.write_text("odometry: /b\ncameras: {front: /cam}\ncamera_info: {front: /cam_info}\n")
    topics = bag(a=ODOMETRY, b=ODOMETRY, cam=RAW, cam_info=INFO)
    chosen = resolve_topics(ONE_CAMERA, topics, path)
    assert (chosen.odometry, dict(chosen.cameras)) == ("/b", {"front": "/cam"})
    assert dict(chosen.camera_info) == {"front": "/cam_info"}
    assert not chosen.found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("odometry: /c\n", "topic '/c' is not in the bag; candidates: /a, /b"),
        ("odometry: /cam\n", "has type sensor_msgs/msg/Image; expected nav_msgs/msg/Odometry"),
        ("odometry: /a\ncameras: {front: /a}\n", "has type nav_msgs/msg/Odometry; expected sensor_msgs"),
        ("odometry: /a\ncameras: {rear: /cam}\n", "no picture topic for camera 'front'"),
        ("odometry: relative\n", "not valid at odometry"),
        ("odom: /a\n", "not valid at top level"),
        ("", "2 topics of type"),
        ("[", "not well-formed YAML"),
    ],
)
def test_a_topics_file_that_does_not_fit_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "topics.yaml"
    path.write_text(text)
    with pytest.raises(TopicError, match=message):
        resolve_topics(ONE_CAMERA, bag(a=ODOMETRY, b=ODOMETRY, cam=RAW), path)


@pytest.mark.parametrize(
    ("topic", "camera"),
    [
        ("/camera/front/image/compressed", "front"),
        ("/front/image_raw", "front"),
        ("/sensing/cam0/image_rect_color/compressed", "cam0"),
        ("/cam", "cam"),
        ("/image", "image"),
    ],
)
def test_a_camera_is_named_by_the_part_before_image(topic: str, camera: str) -> None:
    assert camera_id_of(topic) == camera


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("", {}),
        ("{}", {}),
        ("# nothing yet\n", {}),
        ("odometry: /odom\n", {"odometry": "/odom"}),
        (
            "cameras: {front: /a}\ncamera_info: {rear: /b}\n",
            {"cameras": {"front": "/a"}, "camera_info": {"rear": "/b"}},
        ),
    ],
)
def test_a_topics_file_is_read_as_far_as_it_is_given(tmp_path: Path, text: str, document: dict[str, object]) -> None:
    path = tmp_path / "topics.yaml"
    path.write_text(text)
    assert read_topics_file(path) == document


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- /odom\n", "is not of type 'object'"),
        ("/odom\n", "is not of type 'object'"),
        ("odometry: odom\n", "not valid at odometry: 'odom' does not match"),
        ("odometry: 7\n", "not valid at odometry"),
        ("odometry: null\n", "not valid at odometry"),
        ("odom: /odom\n", "'odom' was unexpected"),
        ("cameras: [/a]\n", "not valid at cameras"),
        ("cameras: {front: [/a]}\n", "not valid at cameras/front"),
        ("odometry: /a\nodometry: /b\n", "not well-formed YAML"),
        ("odometry: [\n", "not well-formed YAML at line"),
    ],
)
def test_a_topics_file_that_is_not_one_is_refused_in_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "topics.yaml"
    path.write_text(text)
    with pytest.raises(TopicError, match=message) as refused:
        read_topics_file(path)
    assert str(refused.value).startswith(f"topics file {path}")


def test_a_topics_file_that_is_absent_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TopicError, match=r"topics file .* cannot be read: No such file or directory"):
        read_topics_file(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TopicError, match="is not UTF-8 text"):
        read_topics_file(tmp_path / "binary.yaml")
