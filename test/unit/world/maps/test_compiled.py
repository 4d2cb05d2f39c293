"""netconvert compiles what was drawn, and nothing of the moment stays in the file."""

import pytest

from alpamayo_ros.errors import ArtifactError, ConfigurationError
from alpamayo_ros.world import sumo
from alpamayo_ros.world.maps import compiled
from alpamayo_ros.world.maps.compiled import compile_network
from alpamayo_ros.world.maps.plain import Edge, Node, PlainNetwork

ROAD = PlainNetwork(
    (Node("a", 0.0, 0.0), Node("b", 100.0, 0.0)), (Edge("a_b", "a", "b", 1, 3.5, 13.9, sidewalk_m=2.0),)
)


def test_the_file_names_no_time_and_no_path() -> None:
    text = compile_network("road", ROAD).text
    assert b"generated on" not in text
    assert b"/tmp" not in text


def test_places_stay_where_they_were_drawn() -> None:
    lane = compile_network("road", ROAD).road_map.lanes["a_b_1"]
    assert lane.centre[0] == pytest.approx((0.0, -1.75), abs=0.01)
    assert lane.centre[-1] == pytest.approx((100.0, -1.75), abs=0.01)


def test_a_network_that_cannot_be_is_refused_with_the_reason() -> None:
    broken = PlainNetwork(ROAD.nodes, (Edge("a_c", "a", "c", 1, 3.5, 13.9),))
    with pytest.raises(ArtifactError, match=r"netconvert refused map 'broken'.*'c'"):
        compile_network("broken", broken)


def test_without_sumo_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(sumo, "import_module", missing)
    with pytest.raises(ConfigurationError, match=r"alpamayo_ros\[world\]"):
        compile_network("road", ROAD)


def test_a_compiler_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "TIMEOUT_S", 0.0001)
    with pytest.raises(ArtifactError, match="took more than"):
        compile_network("road", ROAD)
