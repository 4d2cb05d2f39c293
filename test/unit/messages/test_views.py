"""Views show what the structs hold, in bag classes and generated classes alike, and nothing that viewers refuse."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from alpamayo_ros.messages.translator import stamp_ns
from alpamayo_ros.messages.typestore import deserialize, message_class, serialize
from alpamayo_ros.messages.views import LIFETIME_S, TEXT_COLUMNS, TEXT_LINES, Views
from alpamayo_ros.structs.rationale import (
    LANE_WORDS,
    LATERAL_WORDS,
    LONGITUDINAL_WORDS,
    LaneAction,
    LateralAction,
    LongitudinalAction,
    Rationale,
)
from alpamayo_ros.structs.trajectory import TRAJECTORY_FIELDS, TrajectorySet

T0_NS = 1_700_000_000_950_000_000
PATH, ARRAY = "nav_msgs/msg/Path", "visualization_msgs/msg/MarkerArray"
LINE_STRIP, SPHERE, TEXT_VIEW_FACING = 4, 2, 9
ADD, DELETE = 0, 2
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def generated_class(type_name: str) -> Any:
    package, _, name = type_name.split("/")
    return getattr(__import__(f"{package}.msg", fromlist=[name]), name)


def bag_views(**options: Any) -> Views:
    return Views(message_class, **options)


def generated_views(**options: Any) -> Views:
    """Return views in generated classes; skip where they are not built."""
    pytest.importorskip("alpamayo_ros.msg", reason="the generated messages are not built")
    return Views(generated_class, **options)


FAMILIES: list[Any] = [
    pytest.param(bag_views, id="bag"),
    pytest.param(generated_views, id="generated", marks=pytest.mark.ros),
]
Family = Callable[..., Views]


def trajectories(samples: int = 1, points: int = 64, selected: int = 0, **fields: Any) -> TrajectorySet:
    """Return samples that drive straight on at 10 m/s, each 1 m further to the left, with fields replaced."""
    arrays: dict[str, Any] = {name: np.zeros((samples, points)) for name in TRAJECTORY_FIELDS}
    arrays["x"] += np.arange(1, points + 1)
    arrays["y"] += np.arange(samples)[:, np.newaxis]
    arrays["speed"] += 10.0
    arrays |= {name: np.broadcast_to(values, (samples, points)) for name, values in fields.items()}
    return TrajectorySet(T0_NS, 0.1, **arrays, selected_index=selected)


def by_name(array: Any) -> dict[tuple[str, int], Any]:
    found = {(marker.ns, marker.id): marker for marker in array.markers}
    assert len(found) == len(array.markers), "RViz refuses an array that holds a namespace and id twice"
    return found


def shown(array: Any) -> dict[tuple[str, int], Any]:
    return {key: marker for key, marker in by_name(array).items() if marker.action == ADD}


def coordinates(points: Any) -> list[tuple[float, float, float]]:
    return [(point.x, point.y, point.z) for point in points]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_path_holds_the_selected_sample_with_a_stamp_for_each_pose(family: Family) -> None:
    yaw = np.linspace(-3.1, 3.1, 64)
    given = trajectories(3, selected=2, z=0.25, yaw=yaw)
    path = family().path(given)
    assert (stamp_ns(path.header.stamp), path.header.frame_id) == (T0_NS, "base_link")
    assert len(path.poses) == 64
    for k, item in enumerate(path.poses):
        assert stamp_ns(item.header.stamp) == T0_NS + (k + 1) * 100_000_000
        assert item.header.frame_id == "base_link"
        position, orientation = item.pose.position, item.pose.orientation
        assert (position.x, position.y, position.z) == (k + 1.0, 2.0, 0.25)
        assert (orientation.x, orientation.y) == (0.0, 0.0)
        assert 2.0 * math.atan2(orientation.z, orientation.w) == pytest.approx(given.yaw[2, k], abs=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("samples", range(1, 7))
def test_every_sample_is_a_line_and_the_selected_one_is_the_strong_one(family: Family, samples: int) -> None:
    given = trajectories(samples, selected=samples // 2)
    array = family().markers(given)
    markers = shown(array)
    assert set(markers) == {("selected", 0), *(("samples", number) for number in range(samples - 1))}
    strong = markers["selected", 0]
    assert coordinates(strong.points) == [(k + 1.0, float(samples // 2), 0.0) for k in range(64)]
    assert len(strong.colors) == 64
    others = [markers["samples", number] for number in range(samples - 1)]
    assert [marker.points[0].y for marker in others] == [y for y in range(samples) if y != samples // 2]
    for marker in others:
        assert marker.scale.x < strong.scale.x
        assert marker.color.a < strong.color.a
        assert len(marker.colors) == 0
    for marker in array.markers:
        assert (stamp_ns(marker.header.stamp), marker.header.frame_id) == (T0_NS, "base_link")
        assert marker.pose.orientation.w == 1.0
    assert {marker.type for marker in markers.values()} == {LINE_STRIP}


def test_the_plan_turns_from_red_to_blue_with_its_speed_and_is_magenta_in_reverse() -> None:
    speed = np.array([0.5, 10.0, 20.0, 90.0, -2.0, math.nan])
    colours = shown(bag_views().markers(trajectories(points=6, speed=speed)))["selected", 0].colors
    slow, middle, fast, faster, reverse, unknown = ((c.r, c.g, c.b) for c in colours)
    assert slow[0] > slow[2]
    assert fast[2] > fast[0]
    assert fast == faster
    assert len({slow, middle, fast, reverse, unknown}) == 5
    assert unknown[0] == unknown[1] == unknown[2]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("lifetime_s", "expected"), [(LIFETIME_S, (0, 500_000_000)), (2.25, (2, 250_000_000))])
def test_markers_vanish_after_their_lifetime(family: Family, lifetime_s: float, expected: tuple[int, int]) -> None:
    views = family(lifetime_s=lifetime_s)
    rationale = Rationale(T0_NS, "Follow the lane.")
    for array in (views.markers(trajectories(2)), views.rationale_markers(rationale)):
        assert {(marker.lifetime.sec, marker.lifetime.nanosec) for marker in array.markers} == {expected}


@pytest.mark.parametrize("lifetime_s", [-0.1, math.nan])
def test_a_lifetime_that_is_none_is_a_value_error(lifetime_s: float) -> None:
    with pytest.raises(ValueError, match="lifetime_s"):
        bag_views(lifetime_s=lifetime_s)


@pytest.mark.parametrize("family", FAMILIES)
def test_samples_that_are_no_longer_there_are_deleted(family: Family) -> None:
    views = family()
    views.markers(trajectories(6))
    for _ in range(2):  # twice, because the first of these messages may be lost
        markers = by_name(views.markers(trajectories(2)))
        assert markers["samples", 0].action == ADD
        assert [markers["samples", number].action for number in range(1, 5)] == [DELETE] * 4


@pytest.mark.parametrize("family", FAMILIES)
def test_a_planned_stop_is_marked_where_and_when_it_happens(family: Family) -> None:
    speed = np.maximum(10.0 - 0.5 * np.arange(64), 0.0)  # below 0.1 m/s from point 20 on
    markers = shown(family().markers(trajectories(speed=speed)))
    assert markers["stop", 0].type == SPHERE
    assert markers["stop", 0].pose.position.x == 21.0
    assert markers["stop", 1].type == TEXT_VIEW_FACING
    assert markers["stop", 1].text == "stop in 2.1 s"


@pytest.mark.parametrize(
    ("speed", "text"),
    [
        pytest.param(np.full(64, 0.0), "stays stopped", id="standing-still"),
        pytest.param(np.linspace(0.0, 9.0, 64), None, id="moving-off"),
        pytest.param(np.full(64, 10.0), None, id="driving"),
        pytest.param(np.full(64, -2.0), None, id="reversing"),
        pytest.param(np.minimum(-2.95 + 0.1 * np.arange(64), 0.0), "stop in 3.0 s", id="reversing-to-a-stop"),
        pytest.param(np.where(np.arange(64) % 32 < 16, 0.0, 5.0), "stop in 3.3 s", id="stop-and-go-from-standing"),
        pytest.param(np.full(64, math.nan), None, id="no-speed"),
    ],
)
def test_only_coming_to_stand_counts_as_a_stop(speed: Any, text: str | None) -> None:
    views = bag_views()
    views.markers(trajectories(speed=0.0))
    markers = by_name(views.markers(trajectories(speed=speed)))
    if text is None:
        assert [markers["stop", number].action for number in (0, 1)] == [DELETE, DELETE]
    else:
        assert markers["stop", 1].text == text


@pytest.mark.parametrize("family", FAMILIES)
def test_standing_still_and_reversing_are_drawn_as_they_are(family: Family) -> None:
    views = family()
    still = trajectories(x=0.0, speed=0.0)
    assert coordinates(shown(views.markers(still))["selected", 0].points) == [(0.0, 0.0, 0.0)] * 64
    back = trajectories(x=-np.arange(1, 65) / 10.0, speed=-1.0)
    points = shown(views.markers(back))["selected", 0].points
    assert points[-1].x == pytest.approx(-6.4)
    path = views.path(back)
    # A vehicle that reverses still looks forward.
    assert path.poses[-1].pose.orientation.w == 1.0
    assert path.poses[-1].pose.position.x == pytest.approx(-6.4)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 3e38])
@pytest.mark.parametrize("field", ["x", "y", "z"])
def test_lines_end_before_the_first_point_that_cannot_be_drawn(family: Family, bad: float, field: str) -> None:
    values = np.where(np.arange(64) == 10, bad, 1.0)
    given, views = trajectories(2, **{field: values}), family()
    markers = shown(views.markers(given))
    assert len(markers["selected", 0].points) == len(markers["selected", 0].colors) == 10
    assert len(markers["samples", 0].points) == 10
    assert len(views.path(given).poses) == 10


@pytest.mark.parametrize("family", FAMILIES)
def test_without_two_points_there_is_no_line_and_without_one_no_pose(family: Family) -> None:
    views = family()
    broken = trajectories(2, x=math.nan)
    assert shown(views.markers(broken)) == {}
    assert len(views.path(broken).poses) == 0
    single = trajectories(1, points=1)
    assert shown(views.markers(single)) == {}
    assert len(views.path(single).poses) == 1


def test_a_pose_without_a_heading_ends_the_path() -> None:
    yaw = np.where(np.arange(64) == 3, math.nan, 0.5)
    assert len(bag_views().path(trajectories(yaw=yaw)).poses) == 3


@pytest.mark.parametrize("family", FAMILIES)
def test_a_rationale_is_a_text_above_the_vehicle_with_the_meta_action_first(family: Family) -> None:
    rationale = Rationale(
        T0_NS,
        "Slow down: a dog crosses.",
        LongitudinalAction.DECELERATE,
        LateralAction.LEFT,
        LaneAction.CHANGE_LEFT,
    )
    (marker,) = family().rationale_markers(rationale).markers
    assert (marker.type, marker.action, marker.header.frame_id) == (TEXT_VIEW_FACING, ADD, "base_link")
    assert marker.text == ("DECELERATING, TURNING LEFT, CHANGING TO THE LANE ON THE LEFT\nSlow down: a dog crosses.")
    assert marker.pose.position.z > 2.0


def text_of(text: str, **fields: Any) -> str:
    (marker,) = bag_views().rationale_markers(Rationale(T0_NS, text, **fields)).markers
    return str(marker.text)


@pytest.mark.parametrize("text", ["word " * 2000, "x" * 10_000, "\0" * 9_999 + "x"])
def test_long_text_is_cut_with_an_ellipsis(text: str) -> None:
    lines = text_of(text).split("\n")
    assert len(lines) <= TEXT_LINES
    assert max(map(len, lines)) <= TEXT_COLUMNS
    assert lines[-1].endswith(ELLIPSIS)


def test_text_that_the_model_left_unfinished_ends_with_an_ellipsis() -> None:
    assert text_of("Slow down because", truncated=True) == f"Slow down because\n{ELLIPSIS}"
    assert text_of("Slow down.") == "Slow down."


def test_characters_that_cannot_be_shown_are_left_out() -> None:
    text = "a\0b\x1b[31m\r\nc\N{RIGHT-TO-LEFT OVERRIDE}d \N{CJK UNIFIED IDEOGRAPH-8ECA}\ud800!"
    assert text_of(text) == "a b [31m c d \N{CJK UNIFIED IDEOGRAPH-8ECA} !"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_rationale_that_says_nothing_removes_the_former_one(family: Family) -> None:
    (marker,) = family().rationale_markers(Rationale(T0_NS, " \n")).markers
    assert (marker.ns, marker.id, marker.action) == ("rationale", 0, DELETE)


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        (LongitudinalAction, LONGITUDINAL_WORDS),
        (LateralAction, LATERAL_WORDS),
        (LaneAction, LANE_WORDS),
    ],
)
def test_every_known_meta_action_has_words(actions: Any, words: Any) -> None:
    assert set(words) == {action for action in actions if action.name != "UNKNOWN"}


def test_views_survive_serialization() -> None:
    views, given = bag_views(), trajectories(3, speed=0.0)
    rationale = Rationale(T0_NS, "Wait.", LongitudinalAction.STOPPED)
    for message, type_name in (
        (views.path(given), PATH),
        (views.markers(given), ARRAY),
        (views.rationale_markers(rationale), ARRAY),
    ):
        payload = serialize(message, type_name)
        assert serialize(deserialize(payload, type_name), type_name) == payload


@pytest.mark.ros
def test_both_families_hold_the_same() -> None:
    serialization = pytest.importorskip("rclpy.serialization", reason="rclpy is not installed")
    given = trajectories(3, selected=1, yaw=0.3, speed=np.linspace(9.0, 0.0, 64))
    rationale = Rationale(T0_NS, "Wait.", LongitudinalAction.STOPPED)
    bag, generated = bag_views(), generated_views()
    for name, struct, type_name in (
        ("path", given, PATH),
        ("markers", given, ARRAY),
        ("rationale_markers", rationale, ARRAY),
    ):
        wire = serialization.serialize_message(getattr(generated, name)(struct))
        # Padding bytes differ between serialisers, so both are decoded by the same one.
        decoded = serialize(deserialize(wire, type_name), type_name)
        assert decoded == serialize(getattr(bag, name)(struct), type_name)
