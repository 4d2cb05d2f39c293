"""Every family gives roads that can be driven, in both splits."""

import pytest

from alpamayo_ros.world.maps.families import FAMILIES, TOWN_MPS
from alpamayo_ros.world.maps.library import load_map
from alpamayo_ros.world.path import Path


@pytest.mark.parametrize("split", ["train", "held_out"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_lanes_of_usual_width_and_bends_that_a_car_can_drive(family: str, split: str) -> None:
    road_map = load_map(f"{family}/{split}/0").road_map
    assert road_map.lane_count >= 2
    for lane in road_map.lanes.values():
        if lane.kind != "driving":
            continue
        assert 2.9 <= lane.width_m <= 3.8
        assert lane.speed_limit_mps <= (23.0 if family == "ramp" else TOWN_MPS + 0.01)
        path = Path(lane.centre)
        assert max(abs(path.curvature(float(s))) for s in range(int(path.length_m))) < 1.0 / 8.0


@pytest.mark.parametrize(("family", "crossings"), [("zebra", 1), ("signals", 4), ("priority", 2), ("tee", 1)])
def test_crossings_stand_where_people_may_cross(family: str, crossings: int) -> None:
    lanes = load_map(f"{family}/train/0").road_map.lanes.values()
    assert sum(lane.kind == "crossing" for lane in lanes) == crossings


def test_the_on_ramp_has_no_place_for_people() -> None:
    kinds = {lane.kind for lane in load_map("ramp/train/0").road_map.lanes.values()}
    assert kinds == {"driving", "internal"}
