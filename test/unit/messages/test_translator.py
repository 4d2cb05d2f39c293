"""One translator serves bag classes and generated classes, and loses nothing."""

import array
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.messages import translator
from alpamayo_ros.messages.bag_translator import BAG
from alpamayo_ros.messages.translator import Translator
from alpamayo_ros.messages.typestore import deserialize, message_class, serialize
from alpamayo_ros.structs.lineage import COMPONENT_KINDS, Lineage, LineageComponent
from alpamayo_ros.structs.pose import Pose
from alpamayo_ros.structs.rationale import (
    CausalFactor,
    ConfidenceKind,
    LaneAction,
    LateralAction,
    LongitudinalAction,
    Rationale,
)
from alpamayo_ros.structs.tick import TickOutcome, TickStatus
from alpamayo_ros.structs.trajectory import TRAJECTORY_FIELDS, TrajectorySet

T0_NS = 1_700_000_000_123_456_789

TICK = TickStatus(T0_NS, 2, "front", TickOutcome.CAMERA_SKEWED, "skewed by 61 ms", 0, "sha256:a", "none")
RATIONALE = Rationale(
    T0_NS,
    "Slow down: a dog crosses.",
    LongitudinalAction.DECELERATE,
    LateralAction.STRAIGHT,
    LaneAction.KEEP,
    (CausalFactor("dog", "actor-7", "front", (1.5, 2.25, 30.1, 40.0)),),
    truncated=True,
    stop_token_missing=True,
    confidence_kind=ConfidenceKind.CALIBRATED,
    confidence=0.7,
    lineage_id="sha256:a",
    envelope_id="none",
)
LINEAGE = Lineage(
    "sha256:a", "none", tuple(LineageComponent(k, "none", f"no {k}") for k in COMPONENT_KINDS), "{}", {}, {}
)


def trajectories(samples: int = 2, points: int = 5) -> TrajectorySet:
    generator = np.random.default_rng(7)
    arrays = {name: generator.normal(size=(samples, points)) for name in TRAJECTORY_FIELDS}
    return TrajectorySet(T0_NS, 0.1, **arrays, selected_index=samples - 1, selection_rule="best")


def generated_translator() -> Translator:
    """Return the translator of the generated classes; skip where they are not built."""
    pytest.importorskip("alpamayo_ros.msg", reason="the generated messages are not built")

    def factory(type_name: str) -> Any:
        package, _, name = type_name.split("/")
        module = __import__(f"{package}.msg", fromlist=[name])
        return getattr(module, name)

    return Translator(factory, lambda values: array.array(values.dtype.char, values.tobytes()))


FAMILIES: list[Any] = [
    pytest.param(lambda: BAG, id="bag"),
    pytest.param(generated_translator, id="generated", marks=pytest.mark.ros),
]


@pytest.mark.parametrize("family", FAMILIES)
def test_structs_survive_the_way_through_messages(family: Callable[[], Translator]) -> None:
    to_message = family()
    assert translator.tick_struct(to_message.tick(TICK)) == TICK
    assert translator.rationale_struct(to_message.rationale(RATIONALE)) == RATIONALE
    lineage = to_message.lineage(LINEAGE, T0_NS)
    assert translator.lineage_components(lineage) == LINEAGE.components
    assert lineage.manifest == "{}"
    given_set = trajectories()
    back = translator.trajectory_set_struct(to_message.trajectory_set(given_set))
    for name in TRAJECTORY_FIELDS:
        assert np.array_equal(getattr(back, name), getattr(given_set, name))
    assert (back.dt_s, back.selected_index, back.selection_rule) == (given_set.dt_s, 1, "best")


@given(
    st.integers(-(2**31) * 10**9, (2**31) * 10**9 - 1),
    st.text(),
    st.sampled_from(TickOutcome),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=60)
def test_any_tick_survives_serialization(t0_ns: int, text: str, outcome: TickOutcome, epoch: int) -> None:
    text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    status = TickStatus(t0_ns, epoch, "odometry", outcome, text)
    payload = serialize(BAG.tick(status), "alpamayo_ros/msg/TickStatus")
    assert translator.tick_struct(deserialize(payload, "alpamayo_ros/msg/TickStatus")) == status


def test_the_header_carries_t0_in_the_rig_frame() -> None:
    header = BAG.tick(TICK).header
    assert (header.stamp.sec, header.stamp.nanosec, header.frame_id) == (1_700_000_000, 123_456_789, "base_link")


def test_an_unknown_outcome_is_a_value_error() -> None:
    message = BAG.tick(TICK)
    message.outcome = 200
    with pytest.raises(ValueError, match="200"):
        translator.tick_struct(message)


def test_arrays_of_another_length_than_announced_are_a_value_error() -> None:
    message = BAG.trajectory_set(trajectories())
    message.point_count = 6
    with pytest.raises(ValueError, match="reshape"):
        translator.trajectory_set_struct(message)


def test_static_transforms_keep_parent_child_and_quaternion_order() -> None:
    header = message_class("std_msgs/msg/Header")(stamp=BAG.time(0), frame_id="base_link")
    transform = message_class("geometry_msgs/msg/Transform")(
        translation=message_class("geometry_msgs/msg/Vector3")(x=1.0, y=2.0, z=3.0),
        rotation=message_class("geometry_msgs/msg/Quaternion")(x=0.1, y=0.2, z=0.3, w=0.9),
    )
    stamped = message_class("geometry_msgs/msg/TransformStamped")(
        header=header, child_frame_id="camera", transform=transform
    )
    message = message_class("tf2_msgs/msg/TFMessage")(transforms=[stamped])
    expected = [("base_link", "camera", Pose((1.0, 2.0, 3.0), (0.1, 0.2, 0.3, 0.9)))]
    assert translator.static_transforms(message) == expected


_WIRE = """
import array
from rclpy.serialization import deserialize_message, serialize_message
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.messages.bag_translator import BAG
from alpamayo_ros.messages.translator import rationale_struct
import alpamayo_ros.msg
import pathlib, sys
payload = pathlib.Path(sys.argv[1]).read_bytes()
message = deserialize_message(payload, alpamayo_ros.msg.Rationale)
assert message.text == "Slow down: a dog crosses.", message
assert message.causal_factors[0].actor_id == "actor-7"
wire = serialize_message(message)
again = rationale_struct(deserialize(wire, "alpamayo_ros/msg/Rationale"))
first = rationale_struct(deserialize(payload, "alpamayo_ros/msg/Rationale"))
assert again == first
print("equal")
"""


@pytest.mark.ros
def test_payloads_that_crossed_the_middleware_give_equal_structs(tmp_path: Any) -> None:
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    file = tmp_path / "payload"
    file.write_bytes(serialize(BAG.rationale(RATIONALE), "alpamayo_ros/msg/Rationale"))
    run = subprocess.run(
        [sys.executable, "-c", _WIRE, str(file)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.stdout.strip() == "equal", run.stderr
