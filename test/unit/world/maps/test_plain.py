"""A drawn network turns as a whole and names itself in netconvert's words."""

import math
from xml.etree import ElementTree as ET

import pytest

from alpamayo_ros.world.maps.plain import Crossing, Edge, Link, Node, PlainNetwork

NETWORK = PlainNetwork(
    (Node("a", 10.0, 0.0), Node("b", 0.0, 10.0)),
    (Edge("a_b", "a", "b", 2, 3.5, 13.9, shape=((10.0, 0.0), (7.0, 7.0), (0.0, 10.0))),),
    (Link("a_b", "b_a", 0, 1),),
    (Crossing("b", ("a_b",)),),
)


def test_a_turned_network_turns_nodes_and_shapes() -> None:
    turned = NETWORK.turned(math.pi / 2)
    assert (turned.nodes[0].x, turned.nodes[0].y) == pytest.approx((0.0, 10.0))
    assert turned.edges[0].shape[1] == pytest.approx((-7.0, 7.0))


def test_the_files_hold_every_part() -> None:
    files = {name: ET.fromstring(content) for name, content in NETWORK.files().items()}
    assert [node.get("x") for node in files["node-files"]] == ["10.000", "0.000"]
    assert files["edge-files"][0].get("numLanes") == "2"
    assert files["edge-files"][0].get("shape") == "10.000,0.000 7.000,7.000 0.000,10.000"
    assert [item.tag for item in files["connection-files"]] == ["connection", "crossing"]
