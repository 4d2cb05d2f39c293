"""Bystanders: traffic, parked vehicles and people that the scenario is not about."""

import math

from alpamayo_ros.world.path import Path
from alpamayo_ros.world.road_map import SIDEWALK, Lane
from alpamayo_ros.world.scenarios.bodies import body, vehicle_body
from alpamayo_ros.world.scenarios.builder import PARKED_GAP_M, WALK_BESIDE_M, StageBuilder
from alpamayo_ros.world.scenarios.staging import Trigger, Vehicle

PARKING_SLOT_M = 7.5
NO_PARKING_M = 16.0
"""Before and behind junctions and crossings nobody parks."""
NO_PARKING_CURVATURE = 1.0 / 90.0
"""Nobody parks in tighter bends: the rear of a bus comes over the lane's border there."""


def add_parked(builder: StageBuilder, share: float, keep_clear: tuple[tuple[str, float, float], ...] = ()) -> None:
    """Park vehicles half on the sidewalks.

    Args:
        builder: Staging under construction.
        share: Of the places that are taken.
        keep_clear: Edge, first and last arc length on it where nobody parks.
    """
    number = 0
    for edge in sorted({lane.edge for lane in builder.road_map.lanes.values() if lane.kind == SIDEWALK}):
        lane = builder.road_map.driving_lanes(edge)[0]
        line = Path(lane.centre)
        busy = builder.draw.uniform(0.0, 2.0) * share
        s_m = NO_PARKING_M
        while s_m < lane.length_m - NO_PARKING_M:
            shape = body(builder.draw, builder.draw.choice(("car", "van"), (6.0, 1.0)))
            middle = s_m + shape.length / 2.0
            bends = max(abs(line.curvature(middle + ahead)) for ahead in (-6.0, 0.0, 6.0))
            free = bends < NO_PARKING_CURVATURE and not any(
                at == edge and low - 4.0 < middle < high + 4.0 for at, low, high in keep_clear
            )
            if builder.draw.chance(min(busy, 0.9)) and free:
                aside = -(lane.width_m / 2.0 + PARKED_GAP_M + shape.width / 2.0)
                builder.add_prop(f"parked_{number}", shape, lane.id, middle, aside)
                number += 1
            s_m += PARKING_SLOT_M + builder.draw.uniform(0.0, 4.0)


def add_people(builder: StageBuilder, count: int) -> None:
    """Put people on the sidewalks who walk along them or stand there."""
    sidewalks = [lane for lane in builder.road_map.lanes.values() if lane.kind == SIDEWALK and lane.length_m > 20.0]
    for number in range(count):
        if not sidewalks:
            return
        sidewalk = sidewalks[builder.draw.whole(0, len(sidewalks) - 1)]
        outward = -(sidewalk.width_m / 2.0 - WALK_BESIDE_M)
        speed = 0.0 if builder.draw.chance(0.25) else builder.draw.uniform(0.9, 1.7)
        builder.kerb_walker(
            f"person_{number}",
            sidewalk,
            builder.draw.uniform(5.0, sidewalk.length_m - 5.0),
            speed,
            backwards=builder.draw.chance(0.5),
            offset_m=outward + builder.draw.uniform(0.0, 0.3),
        )


def add_stream(
    builder: StageBuilder,
    prefix: str,
    edges: tuple[str, ...],
    per_minute: float,
    *,
    lane: int | None = None,
    until_m: float = math.inf,
    large: bool = True,
    bicycles: float = 0.0,
) -> None:
    """Let vehicles drive along edges: some are there at the start, some come later.

    Args:
        builder: Staging under construction.
        prefix: Of the ids.
        edges: Their route.
        per_minute: How many pass a place.
        lane: Index from the right; drawn if not given.
        until_m: At the start nobody is beyond this on the first edge.
        large: Whether vans, trucks and buses are among them.
        bicycles: Share of them that are bicycles.
    """
    if per_minute <= 0.0:
        return
    lanes = builder.road_map.driving_lanes(edges[0])
    speed = lanes[0].speed_limit_mps * builder.draw.uniform(0.8, 0.98)
    last_m = min(lanes[0].length_m - 6.0, until_m)
    number, gap_s = 0, 60.0 / per_minute
    distance_m = last_m - builder.draw.uniform(0.0, gap_s) * speed
    while distance_m > -builder.spec.duration_s * speed:
        cycles = builder.draw.chance(bicycles)
        shape = body(builder.draw, "bicycle") if cycles else vehicle_body(builder.draw, large=large)
        index = lanes[builder.draw.whole(0, len(lanes) - 1)].index if lane is None else lane
        desired = builder.draw.uniform(4.0, 6.0) if cycles else speed * builder.draw.uniform(0.94, 1.06)
        there = distance_m > shape.length + 1.0
        builder.vehicles.append(
            Vehicle(
                f"{prefix}_{number}", shape, edges, index,
                position_m=distance_m if there else shape.length + 0.5,
                speed_mps=min(speed, desired),
                desired_mps=desired,
                depart_s=0.0 if there else round(max(0.1, (shape.length + 1.0 - distance_m) / speed), 1),
                headway_s=builder.draw.uniform(1.2, 2.0),
            )
        )  # fmt: skip
        number += 1
        distance_m -= max(2.2, gap_s * builder.draw.uniform(0.35, 1.65)) * speed + shape.length


def add_follower(builder: StageBuilder, headway_s: float) -> None:
    """Let a vehicle follow the ego vehicle."""
    lane = builder.lane(builder.lanes[0])
    shape = vehicle_body(builder.draw)
    position = builder.ego_s_m - 0.9 - headway_s * builder.ego_speed_mps - 2.5
    if position < shape.length + 0.5:
        return
    edges = tuple(dict.fromkeys(builder.lane(item).edge for item in builder.lanes))
    desired = max(builder.ego_speed_mps, 0.9 * lane.speed_limit_mps)
    builder.vehicles.append(
        Vehicle("follower", shape, edges, lane.index, position, builder.ego_speed_mps, desired, keeps_lane=True)
    )


def add_lead(builder: StageBuilder, name: str, gap_m: float, speed_mps: float, desired_mps: float) -> Vehicle:
    """Let a vehicle drive before the ego vehicle in its lane, its rear ``gap_m`` before the ego vehicle's front."""
    lane = builder.lane(builder.lanes[0])
    shape = vehicle_body(builder.draw)
    edges = tuple(dict.fromkeys(builder.lane(item).edge for item in builder.lanes))
    position = builder.ego_front_m + gap_m + shape.length
    lead = Vehicle(name, shape, edges, lane.index, position, speed_mps, desired_mps, keeps_lane=True)
    builder.vehicles.append(lead)
    return lead


def add_crossing_people(builder: StageBuilder, count: int) -> None:
    """Let people cross at the zebra crossings of a junction when it is their turn."""
    crossings = [lane for lane in builder.road_map.lanes.values() if lane.kind == "crossing"]
    for number in range(count):
        if not crossings:
            return
        crossing = crossings[builder.draw.whole(0, len(crossings) - 1)]
        near, far = crossing.centre[0].tolist(), crossing.centre[-1].tolist()
        if builder.draw.chance(0.5):
            near, far = far, near
        trigger = Trigger(after_s=builder.draw.uniform(0.0, 10.0))
        if builder.road_map.signal_node:
            trigger = Trigger(trigger.after_s, green_for=_parallel_edge(builder, crossing), green_left_s=8.0)
        aside = builder.draw.uniform(-1.2, 1.2)
        dx, dy = far[0] - near[0], far[1] - near[1]
        length = math.hypot(dx, dy)
        shift = (-dy / length * aside, dx / length * aside)
        first = (near[0] + shift[0], near[1] + shift[1])
        last = (far[0] + shift[0], far[1] + shift[1])
        back = builder.draw.uniform(1.2, 2.4)
        start = (first[0] - dx / length * back, first[1] - dy / length * back)
        speed = builder.draw.uniform(1.1, 1.6)
        builder.crossing_walker(f"crossing_{number}", start, (first, last), crossing.id, speed, trigger)


def _parallel_edge(builder: StageBuilder, crossing: Lane) -> str:
    """Return an approach whose traffic is stopped by nobody on this crossing: one of the other road."""
    middle = crossing.centre.mean(axis=0)
    approaches = sorted({builder.lane(item.from_lane).edge for item in builder.road_map.connections if item.signal})
    ends = {edge: builder.road_map.driving_lanes(edge)[0].centre[-1] for edge in approaches}
    crossed = min(approaches, key=lambda edge: float(((ends[edge] - middle) ** 2).sum()))
    own = {"west": ("north", "south"), "east": ("north", "south"), "north": ("west", "east"), "south": ("west", "east")}
    return f"{own[crossed.split('_')[0]][0]}_centre"
