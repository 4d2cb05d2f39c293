"""The script of the traffic is possible and believable."""

import cv2
import numpy as np
import pytest

from alpamayo_ros.world.demo import MAX_DURATION_S
from alpamayo_ros.world.mesh import MeshBuilder
from alpamayo_ros.world.scene import Scene
from alpamayo_ros.world.shapes import SHAPES
from alpamayo_ros.world.traffic import CROSSING_M, EGO_MOTION, LIGHT, MOVING

TIMES_S = np.arange(0.0, MAX_DURATION_S, 0.25).tolist()
EGO_SHAPE = SHAPES["sedan"]
LEAD = MOVING[0]


def _outline(name: str, x: float, y: float, heading: float) -> np.ndarray:
    shape = SHAPES[name]
    half, front, rear = shape.width / 2.0, shape.length_front, -shape.length_rear
    builder = MeshBuilder([(rear, -half), (front, -half), (front, half), (rear, half)])
    builder.face([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)], (0.0, 0.0, 0.0))
    return builder.build().placed(x, y, heading).footprint.astype(np.float32)


@pytest.mark.parametrize("t_s", TIMES_S[::3])
def test_no_two_vehicles_overlap_at_any_time(scene: Scene, t_s: float) -> None:
    ego = scene.ego.state(t_s)
    outlines = [("ego", _outline("sedan", ego.position[0], ego.position[1], ego.yaw))]
    for one in scene.vehicles:
        place = one.placement(scene.lane, t_s)
        if place is not None:
            outlines.append((one.id, _outline(one.shape, place.x, place.y, place.heading)))
    assert len(outlines) > 20
    for index, (name, outline) in enumerate(outlines):
        for other_name, other in outlines[index + 1 :]:
            area, _ = cv2.intersectConvexConvex(outline, other)
            assert area == 0.0, f"{name} and {other_name} overlap"


def test_the_ego_vehicle_keeps_its_distance_and_brakes_after_the_lead() -> None:
    gaps = [
        LEAD.motion.position_m(t_s)
        - SHAPES[LEAD.shape].length_rear
        - EGO_MOTION.position_m(t_s)
        - EGO_SHAPE.length_front
        for t_s in TIMES_S
    ]
    assert min(gaps) > 3.0
    lead_brakes = next(t_s for t_s in TIMES_S if LEAD.motion.acceleration_mps2(t_s) < -0.5)
    ego_brakes = next(t_s for t_s in TIMES_S if EGO_MOTION.acceleration_mps2(t_s) < -0.5)
    assert 0.5 < ego_brakes - lead_brakes < 2.0
    assert LIGHT.at(lead_brakes) != "green"


def test_the_lead_vehicle_stops_before_the_line_and_shows_it(scene: Scene) -> None:
    stopped = LEAD.placement(scene.lane, MAX_DURATION_S)
    braking = LEAD.placement(scene.lane, 11.0)
    driving = LEAD.placement(scene.lane, 7.0)
    assert stopped is not None
    assert braking is not None
    assert driving is not None
    assert abs(stopped.speed_mps) < 1e-9
    front_m = LEAD.motion.position_m(MAX_DURATION_S) + SHAPES[LEAD.shape].length_front
    assert CROSSING_M - 5.0 < front_m < CROSSING_M - 2.6
    assert (driving.braking, braking.braking, stopped.braking) == (False, True, True)


def test_no_vehicle_ever_rolls_backwards() -> None:
    for one in MOVING:
        sign = -1.0 if one.oncoming else 1.0
        assert min(sign * one.motion.speed_mps(t_s) for t_s in TIMES_S) > -1e-9, one.id


def test_oncoming_vehicles_look_against_the_lane_and_leave_the_world_at_its_end(scene: Scene) -> None:
    one = next(vehicle for vehicle in MOVING if vehicle.id == "oncoming_1")
    place = one.placement(scene.lane, 1.0)
    assert place is not None
    point = scene.lane.point(one.motion.position_m(1.0), one.d_m)
    assert np.cos(place.heading - point.heading) == pytest.approx(-1.0)
    assert place.speed_mps > 0.0
    assert one.placement(scene.lane, 13.0) is None


def test_parked_vehicles_never_brake_and_never_move(scene: Scene) -> None:
    parked = [one for one in scene.vehicles if one.parked]
    assert len(parked) > 15
    for one in parked:
        first, last = one.placement(scene.lane, 0.0), one.placement(scene.lane, 15.0)
        assert first == last
        assert first is not None
        assert not first.braking
