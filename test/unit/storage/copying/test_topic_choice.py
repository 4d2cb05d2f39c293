"""Patterns choose topics as the recorder does, and a pattern that matches nothing is an error."""

import pytest

from alpamayo_ros.errors import TopicError
from alpamayo_ros.storage.copying.topic_choice import TopicChoice
from alpamayo_ros.storage.message import TopicInfo

LINEAGE = "/alpamayo/output/lineage"
TOPICS = {
    name: TopicInfo(name, type_name, 1)
    for name, type_name in {
        "/odometry": "nav_msgs/msg/Odometry",
        "/camera/front/image": "sensor_msgs/msg/CompressedImage",
        "/camera/front/camera_info": "sensor_msgs/msg/CameraInfo",
        "/camera/rear/image": "sensor_msgs/msg/CompressedImage",
        "/camera/rear/_raw": "sensor_msgs/msg/Image",
        "/plan/_action/status": "action_msgs/msg/GoalStatusArray",
        LINEAGE: "alpamayo_ros/msg/Lineage",
    }.items()
}


def chosen(**patterns: tuple[str, ...]) -> set[str]:
    return set(TopicChoice(**patterns).chosen(TOPICS)) - {LINEAGE}


def test_names_and_types_add_up() -> None:
    assert chosen(topics=("/odometry",)) == {"/odometry"}
    assert chosen(topics=("/camera/front/*",)) == {"/camera/front/image", "/camera/front/camera_info"}
    assert chosen(topics=("/odometry",), types=("sensor_msgs/msg/Compressed*",)) == {
        "/odometry",
        "/camera/front/image",
        "/camera/rear/image",
    }


def test_an_exclusion_works_on_top_of_everything_even_a_name_that_is_listed() -> None:
    assert chosen(topics=("/camera/*",), exclude=("*/camera_info",)) == {"/camera/front/image", "/camera/rear/image"}
    assert chosen(topics=("/odometry", "/camera/rear/image"), exclude=("/odometry",)) == {"/camera/rear/image"}


def test_an_exclusion_alone_keeps_all_others_hidden_ones_too() -> None:
    assert chosen(exclude=("/camera/*",)) == {"/odometry", "/plan/_action/status"}


def test_hidden_topics_are_taken_only_by_a_pattern_that_names_them() -> None:
    assert chosen(topics=("/camera/rear/*",)) == {"/camera/rear/image"}
    assert chosen(topics=("/camera/rear/_*",)) == {"/camera/rear/_raw"}
    assert chosen(topics=("/plan/_action/status",)) == {"/plan/_action/status"}
    with pytest.raises(TopicError, match="type 'sensor_msgs/msg/Image' matches nothing"):
        chosen(types=("sensor_msgs/msg/Image",))


def test_the_lineage_stays_unless_it_is_excluded_by_name() -> None:
    assert LINEAGE in TopicChoice(topics=("/odometry",)).chosen(TOPICS)
    assert LINEAGE in TopicChoice(exclude=("/odometry",)).chosen(TOPICS)
    assert LINEAGE not in TopicChoice(exclude=(LINEAGE,)).chosen(TOPICS)


@pytest.mark.parametrize(
    ("what", "pattern", "has"),
    [("topics", "/odom", "/odometry"), ("types", "Image", "sensor_msgs/msg/CameraInfo"), ("exclude", "odometry", "/o")],
)
def test_a_pattern_that_matches_nothing_is_an_error_that_names_what_the_bag_has(
    what: str, pattern: str, has: str
) -> None:
    with pytest.raises(TopicError, match=f"'{pattern}' matches nothing in the bag; .*{has}"):
        chosen(**{what: (pattern,)})


def test_patterns_that_leave_nothing_are_refused() -> None:
    with pytest.raises(TopicError, match="leave no topic"):
        TopicChoice(exclude=("*",)).chosen(TOPICS)


def test_of_very_many_topics_a_few_are_named() -> None:
    many = {f"/t{number}": TopicInfo(f"/t{number}", "a/msg/B") for number in range(10_000)}
    with pytest.raises(TopicError, match="and 9980 more"):
        TopicChoice(topics=("/x",)).chosen(many)


@pytest.mark.parametrize(
    ("what", "pattern", "hint"),
    [
        ("exclude", "/camera", "did you mean '/camera/\\*'\\?$"),
        ("exclude", "/camera/", "did you mean '/camera/\\*'"),
        ("topics", "odometry", "did you mean '/odometry'\\?$"),
        ("topics", "camera", "did you mean '/camera/\\*'"),
        ("exclude", "/camera/.*", "did you mean '/camera/\\*'\\? In a pattern \\* is any text"),
        ("topics", "^/camera/.+/image$", "did you mean '/camera/\\*/image'"),
        ("topics", "/(a|b)", "not a regular expression$"),
        ("topics", "/nothing", "/plan/_action/status$"),
        ("types", "sensor_msgs", "did you mean 'sensor_msgs/\\*'"),
    ],
)
def test_what_was_probably_meant_is_named(what: str, pattern: str, hint: str) -> None:
    with pytest.raises(TopicError, match=hint):
        chosen(**{what: (pattern,)})


def test_a_type_is_known_by_its_name_of_ros_1_too() -> None:
    assert chosen(types=("sensor_msgs/CompressedImage",)) == {"/camera/front/image", "/camera/rear/image"}
    assert chosen(types=("nav_msgs/Odo*",)) == {"/odometry"}
    with pytest.raises(TopicError):
        chosen(types=("sensor_msgs/Compressed",))
