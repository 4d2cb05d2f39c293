"""The layout files of RViz and Foxglove name only topics that exist, in displays that fit their types."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from alpamayo_ros.messages.topics import CAMERA_INFO_TYPE, COMPRESSED_TYPE, OUTPUT_TOPICS, output_topic
from alpamayo_ros.messages.typestore import message_class
from alpamayo_ros.storage.reader import open_bag

ROOT = Path(__file__).resolve().parents[2]
RVIZ = ROOT / "config" / "rviz" / "alpamayo.rviz"
FOXGLOVE = ROOT / "config" / "foxglove" / "alpamayo.json"
FRAME = "base_link"
DIAGNOSTICS_TYPE = "diagnostic_msgs/msg/DiagnosticArray"
VIEWS = {output_topic(interface).resolved() for interface in ("path", "markers", "rationale_markers")}
RVIZ_TYPES = {
    "rviz_default_plugins/Path": "nav_msgs/msg/Path",
    "rviz_default_plugins/MarkerArray": "visualization_msgs/msg/MarkerArray",
    "rviz_default_plugins/Image": COMPRESSED_TYPE,
    "rviz_default_plugins/Camera": COMPRESSED_TYPE,
}
FOXGLOVE_3D_TYPES = {"nav_msgs/msg/Path", "visualization_msgs/msg/MarkerArray"}
FOXGLOVE_PANELS = {"3D", "Image", "RawMessages", "StateTransitions", "DiagnosticSummary"}


@pytest.fixture(scope="module")
def types() -> dict[str, str]:
    """Return the type of every topic that a layout may name: our outputs, the demo's cameras, diagnostics."""
    with open_bag(ROOT / "bags" / "demo") as bag:
        cameras = {
            name: topic.type_name
            for name, topic in bag.topics.items()
            if topic.type_name in (COMPRESSED_TYPE, CAMERA_INFO_TYPE)
        }
    outputs = {row.resolved(): row.type_name for row in OUTPUT_TOPICS}
    return {**cameras, **outputs, "/diagnostics": DIAGNOSTICS_TYPE}


@pytest.fixture(scope="module")
def rviz() -> Any:
    return YAML(typ="safe").load(RVIZ.read_text(encoding="utf-8"))["Visualization Manager"]


@pytest.fixture(scope="module")
def foxglove() -> Any:
    return json.loads(FOXGLOVE.read_text(encoding="utf-8"))


def panels(layout: Any, kind: str) -> Iterator[Any]:
    for name, panel in layout["configById"].items():
        if name.partition("!")[0] == kind:
            yield panel


def paths(layout: Any) -> list[str]:
    """Return every message path: a topic, then a field."""
    raw = [panel["topicPath"] for panel in panels(layout, "RawMessages")]
    return raw + [item["value"] for panel in panels(layout, "StateTransitions") for item in panel["paths"]]


def leaves(node: Any) -> list[str]:
    return [node] if isinstance(node, str) else [*leaves(node["first"]), *leaves(node["second"])]


def test_rviz_shows_topics_in_displays_of_their_type(rviz: Any, types: dict[str, str]) -> None:
    shown = {item["Topic"]["Value"]: item["Class"] for item in rviz["Displays"] if "Topic" in item}
    assert set(shown) >= VIEWS
    for topic, display in shown.items():
        assert types[topic] == RVIZ_TYPES[display], topic


def test_rviz_takes_pictures_over_compressed_transport_from_any_camera(rviz: Any) -> None:
    pictures = [item for item in rviz["Displays"] if item["Class"].endswith(("/Image", "/Camera"))]
    assert [item["Enabled"] for item in pictures] == [True, False]
    for item in pictures:
        # RViz takes the transport from the last part of the name.
        assert item["Topic"]["Value"].endswith("/compressed")
        # A camera's publisher may be best effort, and a reliable subscription would get nothing from it.
        assert item["Topic"]["Reliability Policy"] == "Best Effort"


def test_rviz_draws_into_the_picture_only_displays_that_exist(rviz: Any) -> None:
    names = {item["Name"] for item in rviz["Displays"]}
    (camera,) = (item for item in rviz["Displays"] if item["Class"] == "rviz_default_plugins/Camera")
    assert set(camera["Visibility"]) - {"Value"} == names - {camera["Name"]}


def test_both_look_at_the_rig(rviz: Any, foxglove: Any) -> None:
    assert rviz["Global Options"]["Fixed Frame"] == FRAME
    assert rviz["Views"]["Current"]["Target Frame"] == FRAME
    assert [panel["followTf"] for panel in panels(foxglove, "3D")] == [FRAME]


def test_foxglove_shows_topics_in_panels_of_their_type(foxglove: Any, types: dict[str, str]) -> None:
    (scene,) = panels(foxglove, "3D")
    assert set(scene["topics"]) == VIEWS
    (image,) = panels(foxglove, "Image")
    assert types[image["imageMode"]["imageTopic"]] == COMPRESSED_TYPE
    assert types[image["imageMode"]["calibrationTopic"]] == CAMERA_INFO_TYPE
    for topic in (*scene["topics"], *image["topics"]):
        assert types[topic] in FOXGLOVE_3D_TYPES, topic
    assert [types[panel["topicToRender"]] for panel in panels(foxglove, "DiagnosticSummary")] == [DIAGNOSTICS_TYPE]


def test_foxglove_reads_fields_that_exist(foxglove: Any, types: dict[str, str]) -> None:
    named = paths(foxglove)
    assert output_topic("rationale").resolved() + ".text" in named
    assert output_topic("tick").resolved() + ".outcome" in named
    for path in named:
        topic, _, field = path.partition(".")
        assert field in message_class(types[topic]).__dataclass_fields__, path


def test_foxglove_places_every_panel_once(foxglove: Any) -> None:
    assert sorted(leaves(foxglove["layout"])) == sorted(foxglove["configById"])
    assert {name.partition("!")[0] for name in foxglove["configById"]} == FOXGLOVE_PANELS
