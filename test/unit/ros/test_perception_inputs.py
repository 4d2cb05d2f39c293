"""Which topics perception takes, how pictures become frames, and which ticks are asked for."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")

from alpamayo_ros.envelope.document import Envelope
from alpamayo_ros.errors import ParameterError, TopicError
from alpamayo_ros.messages.topics import (
    CAMERA_INFO_TYPE,
    COMPRESSED_TYPE,
    INPUT_TOPICS,
    NAVIGATION_TYPE,
    ODOMETRY_TYPE,
    RAW_TYPE,
)
from alpamayo_ros.messages.typestore import message_class
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import load_profile
from alpamayo_ros.pipeline.setup import StackSetup, set_up_stack
from alpamayo_ros.ros.perception_inputs import camera_frame, input_specs, requested_ticks
from alpamayo_ros.structs.camera import RigCalibration

pytestmark = pytest.mark.ros
ONE_CAMERA = str(Path(__file__).parents[2] / "profiles" / "one_camera.yaml")


class Taker:
    """Writes down what it is given."""

    def __init__(self) -> None:
        self.took: list[tuple[Any, ...]] = []

    def on_odometry(self, message: Any, type_name: str, /) -> None:
        self.took.append(("odometry", message, type_name))

    def on_picture(self, camera: str, message: Any, type_name: str, /) -> None:
        self.took.append(("picture", camera, message, type_name))

    def on_navigation(self, message: Any, type_name: str, /) -> None:
        self.took.append(("navigation", message, type_name))

    def on_camera_info(self, camera: str, message: Any, type_name: str, /) -> None:
        self.took.append(("info", camera, message, type_name))


@pytest.fixture
def make_stack(tmp_path: Path) -> Callable[..., StackSetup]:
    """Return a function that sets up a stack with a topics file of a given text."""

    def make(profile: str, topics: str | None = None) -> StackSetup:
        path = tmp_path / "topics.yaml"
        if topics is not None:
            path.write_text(topics, encoding="utf-8")
        given = NodeParameters(perception=PerceptionParams(topics_file="" if topics is None else str(path)))
        return set_up_stack(load_profile(profile), given, RigCalibration(), Envelope())

    return make


def test_without_a_topics_file_inputs_have_the_names_of_the_table(make_stack: Callable[..., StackSetup]) -> None:
    specs = input_specs(Taker(), make_stack(ONE_CAMERA))
    assert [(spec.name, spec.topic, spec.types, spec.required) for spec in specs] == [
        ("odometry", "~/input/odometry", (ODOMETRY_TYPE,), True),
        ("front", "~/input/camera/front", (COMPRESSED_TYPE, RAW_TYPE), True),
        ("front/camera_info", "~/input/camera/front/camera_info", (CAMERA_INFO_TYPE,), False),
    ]
    table = {row.name.replace("<id>", "front"): row.type_names for row in INPUT_TOPICS if "perception" in row.nodes}
    assert all(table[spec.topic] == spec.types for spec in specs)


def test_a_profile_that_takes_navigation_may_wait_for_it_in_vain(make_stack: Callable[..., StackSetup]) -> None:
    stack = make_stack(ONE_CAMERA)
    stack = replace(stack, profile=replace(stack.profile, navigation=True))
    taker = Taker()
    spec = input_specs(taker, stack)[1]
    assert (spec.name, spec.topic, spec.types) == ("navigation", "~/input/navigation", (NAVIGATION_TYPE,))
    assert spec.holds_ns == 2_000_000_000
    assert not spec.required
    assert {row.name: row.type_names for row in INPUT_TOPICS}[spec.topic] == spec.types
    spec.callback("left", NAVIGATION_TYPE)
    assert taker.took == [("navigation", "left", NAVIGATION_TYPE)]
    named = make_stack(ONE_CAMERA, "navigation: /route\n")
    named = replace(named, profile=replace(named.profile, navigation=True))
    assert input_specs(taker, named)[1].topic == "/route"


def test_a_profile_without_cameras_takes_odometry_alone(make_stack: Callable[..., StackSetup]) -> None:
    specs = input_specs(Taker(), make_stack("kinematic", "odometry: /odom\ncameras: {front: /x}\n"))
    assert [(spec.name, spec.topic) for spec in specs] == [("odometry", "/odom")]


def test_a_topics_file_names_some_and_the_others_keep_their_names(make_stack: Callable[..., StackSetup]) -> None:
    specs = input_specs(Taker(), make_stack(ONE_CAMERA, "camera_info: {front: /info, rear: /y}\n"))
    assert [spec.topic for spec in specs] == ["~/input/odometry", "~/input/camera/front", "/info"]


def test_a_topics_file_that_is_not_valid_is_refused(make_stack: Callable[..., StackSetup]) -> None:
    with pytest.raises(TopicError, match="not valid at odometry"):
        input_specs(Taker(), make_stack("kinematic", "odometry: odom\n"))


def test_every_input_goes_to_its_own_callback(make_stack: Callable[..., StackSetup]) -> None:
    taker = Taker()
    for spec, message in zip(input_specs(taker, make_stack(ONE_CAMERA)), "abc", strict=True):
        spec.callback(message, spec.types[0])
    assert taker.took == [
        ("odometry", "a", ODOMETRY_TYPE),
        ("picture", "front", "b", COMPRESSED_TYPE),
        ("info", "front", "c", CAMERA_INFO_TYPE),
    ]


def test_a_picture_becomes_a_frame_by_the_type_of_its_topic(camera_messages: dict[str, Any]) -> None:
    compressed = camera_frame(camera_messages["compressed"], "front", COMPRESSED_TYPE)
    assert (compressed.camera, compressed.stamp_ns, compressed.data) == ("front", 5_000_000_006, b"\x01\x02")
    assert compressed.compressed
    raw = camera_frame(camera_messages["raw"], "front", RAW_TYPE)
    assert (raw.height, raw.width, raw.step, raw.encoding) == (1, 2, 2, "mono8")
    assert replace(raw, height=0, width=0, step=0, encoding=compressed.encoding) == compressed


@pytest.fixture
def camera_messages() -> dict[str, Any]:
    """Give one picture in both types."""
    import numpy as np

    stamp = message_class("builtin_interfaces/msg/Time")(sec=5, nanosec=6)
    header = message_class("std_msgs/msg/Header")(stamp=stamp, frame_id="front_optical")
    data = np.array([1, 2], dtype=np.uint8)
    return {
        "compressed": message_class(COMPRESSED_TYPE)(header=header, format="jpeg", data=data),
        "raw": message_class(RAW_TYPE)(
            header=header, height=1, width=2, encoding="mono8", is_bigendian=0, step=2, data=data
        ),
    }


def test_no_file_asks_for_the_ticks_that_the_trigger_gives() -> None:
    assert requested_ticks("") is None


@pytest.mark.parametrize("ticks", [[], [[0, 5]], [[0, 1_700_000_000_123_456_789], [3, 0]]])
def test_requested_ticks_are_read_to_the_last_nanosecond(tmp_path: Path, ticks: list[list[int]]) -> None:
    path = tmp_path / "ticks.json"
    path.write_text(json.dumps(ticks))
    assert requested_ticks(str(path)) == tuple(map(tuple, ticks))


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", '{"ab": 1}', "null", "7", '"ab"', "[1]", "[[1]]", "[[1, 2, 3]]", "[[1, 2.0]]", "[[true, 1]]",
        '[["0", "1"]]', '["ab"]', "[[0, 1], null]", "[[0, 1]", "[[0, NaN]]", "[[0, 1e18]]", "[" * 100_000,
        f"[[0, {'9' * 5000}]]", '[{"a": 1, "b": 2}]',
    ],
)  # fmt: skip
def test_what_is_no_list_of_ticks_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ticks.json"
    path.write_text(text)
    with pytest.raises(ParameterError, match=r"requested ticks .*ticks.json is not a JSON list of \[epoch, t0 in ns\]"):
        requested_ticks(str(path))


def test_a_file_of_ticks_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="cannot be read: No such file"):
        requested_ticks(str(tmp_path / "absent.json"))
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ParameterError, match="is not UTF-8 text"):
        requested_ticks(str(tmp_path / "binary.json"))
