"""What stages hand to each other survives both families of classes, and hostile messages are refused in words."""

import array
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from alpamayo_ros.messages.stage_translator import (
    TENSOR_TYPES,
    StageTranslator,
    input_counts_struct,
    observation_struct,
    plan_context_struct,
)
from alpamayo_ros.messages.translator import navigation_struct
from alpamayo_ros.messages.typestore import deserialize, message_class, serialize
from alpamayo_ros.structs.camera_health import FINDINGS, CameraHealth, SightFinding
from alpamayo_ros.structs.detection import DetectedActor
from alpamayo_ros.structs.input_counts import InputCounts
from alpamayo_ros.structs.navigation import Navigation, NavigationCommand
from alpamayo_ros.structs.observation import EgoHistory, FrameReference, Observation
from alpamayo_ros.structs.plan import PlanContext

T0_NS = 1_700_000_000_123_456_789
LARGEST = 2**32 - 1
BAG = StageTranslator(message_class)


def generated_translator() -> StageTranslator:
    """Return the translator to generated classes; skip where they are not built."""
    pytest.importorskip("alpamayo_ros.msg", reason="the generated messages are not built")
    from alpamayo_ros.ros.classes import graph_translator

    return graph_translator()


FAMILIES: list[Any] = [
    pytest.param(lambda: BAG, id="bag"),
    pytest.param(generated_translator, id="generated", marks=pytest.mark.ros),
]
Family = Callable[[], StageTranslator]
both = pytest.mark.parametrize("family", FAMILIES)


def history(rows: int = 4) -> EgoHistory:
    generator = np.random.default_rng(rows)
    return EgoHistory(
        np.arange(1 - rows, 1, dtype=np.int64) * 100_000_000, generator.normal(size=(rows, 3)),
        generator.normal(size=(rows, 3, 3)), generator.normal(size=3), generator.normal(size=4),
    )  # fmt: skip


def observation(images: NDArray[np.uint8] | None = None) -> Observation:
    frames = (FrameReference("front", T0_NS - 5, "sha256:a"), FrameReference("front", T0_NS, "sha256:b"))
    return Observation(T0_NS, 3, history(), frames, images, 5)


def context(**tensors: NDArray[Any]) -> PlanContext:
    return PlanContext(T0_NS, 2, history(), tensors)


def assert_same(one: Any, other: Any) -> None:
    """Require that two structs are equal, arrays bit by bit and of one type and shape."""
    for item in fields(one):
        left, right = getattr(one, item.name), getattr(other, item.name)
        if isinstance(left, EgoHistory):
            assert_same(left, right)
        elif isinstance(left, np.ndarray):
            assert (left.dtype, left.shape, left.tobytes()) == (right.dtype, right.shape, right.tobytes()), item.name
        else:
            assert left == right, item.name


@both
def test_an_observation_comes_back_bit_by_bit(family: Family) -> None:
    pixels = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(1, 2, 3, 4, 3)
    for images in (None, pixels):
        assert_same(observation_struct(family().observation(observation(images))), observation(images))


@both
def test_an_observation_that_was_perceived_comes_back_with_its_tensors(family: Family) -> None:
    tensors = {"vision_tokens": np.float32([[1.0, np.nan]]), "mask": np.array([True])}
    frames = (FrameReference("front", T0_NS, "sha256:a", 640, LARGEST),)
    for images in (None, np.zeros((1, 1, 1, 1, 3), np.uint8)):
        given = replace(observation(images), frames=frames, navigation=Navigation.STRAIGHT, tensors=tensors)
        back = observation_struct(family().observation(given))
        assert_same(replace(back, tensors={}), replace(given, tensors={}))
        assert {name: tensor.tobytes() for name, tensor in back.tensors.items()} == {
            name: tensor.tobytes() for name, tensor in tensors.items()
        }


@both
def test_what_cameras_and_a_detector_say_comes_back(family: Family) -> None:
    findings = tuple(SightFinding(name, 0.1 * number, 0.3, 0.6) for number, name in enumerate(FINDINGS))
    health = (CameraHealth("front", findings), CameraHealth("left", ()))
    actors = (DetectedActor("car", 0.7, "front", (0.1, 2.0, 300.3, 4.0), "front/0"),)
    given = replace(observation(), camera_health=health, actors=actors)
    message = family().observation(given)
    assert_same(observation_struct(message), given)
    assert [int(camera.state) for camera in message.camera_health] == [message.camera_health[0].ERROR, 0]


@both
def test_camera_health_with_lists_of_unequal_length_is_refused(family: Family) -> None:
    finding = (SightFinding("blur", 0.1, 0.3, 0.6),)
    message = family().observation(replace(observation(), camera_health=(CameraHealth("front", finding),)))
    message.camera_health[0].finding = ["blur", "glare"]
    with pytest.raises(ValueError, match="'front' has 2, 1, 1, 1 names, scores and limits; expected as many of each"):
        observation_struct(message)


@both
def test_a_navigation_command_comes_back_and_an_unknown_one_is_refused(family: Family) -> None:
    for navigation in Navigation:
        command = NavigationCommand(T0_NS, navigation)
        message = family().navigation(command)
        assert navigation_struct(message) == command
        assert int(message.navigation) == getattr(message, f"NAVIGATION_{navigation.name}")
    message.navigation = 9
    with pytest.raises(ValueError, match="9 is not a valid Navigation"):
        navigation_struct(message)


@both
def test_a_plan_context_comes_back_bit_by_bit(family: Family) -> None:
    given = context(a=np.float64([[1.0, -0.0, np.nan]]), b=np.array(7), c=np.zeros((0, 3), np.float32))
    back = plan_context_struct(family().plan_context(given))
    assert_same(back.history, given.history)
    assert (back.t0_ns, back.epoch, list(back.tensors)) == (T0_NS, 2, ["a", "b", "c"])
    for name, tensor in given.tensors.items():
        assert (back.tensors[name].dtype, back.tensors[name].shape) == (tensor.dtype, tensor.shape)
        assert back.tensors[name].tobytes() == tensor.tobytes()


@both
def test_input_counts_come_back(family: Family) -> None:
    counts = InputCounts(1, ("odometry", "front"), (2**63, 0), (0, 5), (T0_NS, -1), -1)
    assert input_counts_struct(family().input_counts(counts)) == counts
    assert input_counts_struct(family().input_counts(InputCounts(0, (), (), (), ()))) == InputCounts(0, (), (), (), ())


@pytest.mark.ros
def test_bytes_on_the_wire_are_read_by_the_other_family() -> None:
    translator = generated_translator()
    rclpy_serialization = pytest.importorskip("rclpy.serialization", reason="rclpy is not installed")
    given = observation(np.full((1, 1, 2, 2, 3), 9, dtype=np.uint8))
    wire = rclpy_serialization.serialize_message(translator.observation(given))
    assert_same(observation_struct(deserialize(wire, "alpamayo_ros/msg/SceneObservation")), given)


def test_bag_messages_survive_serialization() -> None:
    given = context(a=np.arange(6, dtype=np.int32).reshape(2, 3), b=np.array([True, False]))
    type_name = "alpamayo_ros/msg/PlanContext"
    back = plan_context_struct(deserialize(serialize(BAG.plan_context(given), type_name), type_name))
    assert_same(back.history, given.history)
    assert back.tensors["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert back.tensors["b"].tolist() == [True, False]


@settings(deadline=None, max_examples=100)
@given(data=st.data(), dtype=st.sampled_from(TENSOR_TYPES), name=st.text(max_size=5))
def test_any_tensor_of_a_known_type_survives_both_families(data: st.DataObject, dtype: str, name: str) -> None:
    shape = data.draw(arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4))
    tensor = data.draw(arrays.arrays(dtype, shape))
    layout = data.draw(st.sampled_from(["as it is", "transposed", "big endian", "strided"]))
    if layout == "transposed":
        tensor = tensor.T
    elif layout == "big endian":
        tensor = tensor.astype(tensor.dtype.newbyteorder(">"))
    elif layout == "strided" and tensor.ndim:
        tensor = tensor[::-2]
    plain = np.ascontiguousarray(tensor).reshape(tensor.shape).astype(np.dtype(dtype))
    for translator in _families():
        back = plan_context_struct(translator.plan_context(context(**{name: tensor}))).tensors[name]
        assert (back.dtype, back.shape) == (np.dtype(dtype), tensor.shape)
        assert back.tobytes() == plain.tobytes()


def _families() -> list[StageTranslator]:
    try:
        from alpamayo_ros.ros.classes import graph_translator
    except ImportError:
        return [BAG]
    return [BAG, graph_translator()]


@both
@pytest.mark.parametrize("dtype", ["complex64", "uint16", "datetime64[s]", "<U3", "object"])
def test_a_tensor_of_another_type_is_not_sent(family: Family, dtype: str) -> None:
    with pytest.raises(ValueError, match=r"tensor 'a' is .*; expected one of: bool, uint8, int32"):
        family().plan_context(context(a=np.zeros(2, dtype=dtype)))


def hostile(family: Family, **values: Any) -> Any:
    """Return a plan context whose only tensor has some fields replaced."""
    translator = family()
    message = translator.plan_context(context(a=np.arange(6, dtype=np.float32).reshape(2, 3)))
    tensor = message.tensors[0]
    for name, value in values.items():
        if name == "shape":
            value = translator._numeric(np.asarray(value, dtype=np.uint32))
        if name == "data":
            value = translator._numeric(np.frombuffer(value, dtype=np.uint8))
        setattr(tensor, name, value)
    return message


@both
@pytest.mark.parametrize("dtype", ["", "object", "float", "f4", ">f4", "float32,float32", "O8", "V4", "\x00", "str"])
def test_a_tensor_of_an_unknown_type_is_refused_with_the_known_ones(family: Family, dtype: str) -> None:
    with pytest.raises(ValueError, match="expected one of: bool, uint8, int32, int64, float16, float32, float64"):
        plan_context_struct(hostile(family, dtype=dtype))


@both
@pytest.mark.parametrize(
    "shape",
    [
        (), (5,), (7,), (6, 0), (0, LARGEST), (LARGEST,), (LARGEST,) * 3, (65536,) * 4, (2, 3) + (65536,) * 4,
        (0,) + (LARGEST,) * 5, (1,) * 100, (LARGEST,) * 1000,
    ],
)  # fmt: skip
def test_a_shape_that_does_not_fit_the_numbers_is_refused_and_takes_no_memory(
    family: Family, shape: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="tensor 'a' has 24 bytes of float32 and the shape") as refused:
        plan_context_struct(hostile(family, shape=shape))
    assert len(str(refused.value)) < 400


@both
@pytest.mark.parametrize("size", [0, 1, 4, 23, 25])
def test_data_that_do_not_fit_the_shape_are_refused_with_the_name(family: Family, size: int) -> None:
    with pytest.raises(ValueError, match=rf"tensor 'a' has {size} bytes of float32 and the shape \[2, 3\]"):
        plan_context_struct(hostile(family, data=bytes(size)))


@both
def test_a_truth_value_is_0_or_1(family: Family) -> None:
    message = hostile(family, dtype="bool", shape=(3,), data=b"\x00\x01\x02")
    with pytest.raises(ValueError, match="tensor 'a' holds a truth value that is neither 0 nor 1"):
        plan_context_struct(message)


@both
def test_a_name_that_is_given_twice_is_refused(family: Family) -> None:
    message = family().plan_context(context(a=np.zeros(1), b=np.ones(1)))
    message.tensors[1].name = "a"
    with pytest.raises(ValueError, match="tensor 'a' is given twice"):
        plan_context_struct(message)


@both
@pytest.mark.parametrize(
    ("field", "drop"), [("offset_ns", 1), ("position_m", 1), ("position_m", 3), ("rotation", 1), ("rotation", 9)]
)
def test_a_history_with_missing_rows_is_refused(family: Family, field: str, drop: int) -> None:
    translator = family()
    for message, read in (
        (translator.observation(observation()), observation_struct),
        (translator.plan_context(context()), plan_context_struct),
    ):
        setattr(message.history, field, getattr(message.history, field)[:-drop])
        with pytest.raises(ValueError, match=f"ego history has {4 - (field == 'offset_ns')} times"):
            read(message)


@both
def test_a_history_without_rows_is_refused(family: Family) -> None:
    translator = family()
    message = translator.observation(observation())
    for field in ("offset_ns", "position_m", "rotation"):
        setattr(message.history, field, getattr(message.history, field)[:0])
    with pytest.raises(ValueError, match="ego history has 0 times"):
        observation_struct(message)


@both
def test_what_was_read_cannot_be_written(family: Family) -> None:
    back = observation_struct(family().observation(observation(np.zeros((1, 1, 2, 2, 3), dtype=np.uint8))))
    ego = back.history
    for values in (
        back.images, ego.offsets_ns, ego.position_m, ego.rotation, ego.odom_from_rig_position_m,
        ego.odom_from_rig_quaternion,
    ):  # fmt: skip
        assert values is not None
        assert not values.flags.writeable


@pytest.mark.ros
def test_generated_classes_take_arrays_without_copying_item_by_item() -> None:
    message = generated_translator().plan_context(context(a=np.zeros(5)))
    assert isinstance(message.tensors[0].data, array.array)
    assert isinstance(message.history.position_m, array.array)
