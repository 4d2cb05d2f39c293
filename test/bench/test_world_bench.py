"""Measure the renderer: pictures per second of a busy street, and what a new episode costs. Prints; judges nothing.

The limit is 300 pictures of 160 x 96 px a second with two processes on two cores.
"""

import dataclasses
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from alpamayo_ros.world.conditions import CLEAR, Conditions
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import FRONT_FOUR, camera
from alpamayo_ros.world.road_map import Connection, Lane, RoadMap
from alpamayo_ros.world.snapshot import Actor, EgoState, Signal, Snapshot

pytestmark = pytest.mark.bench

LIMIT_PER_S = 300.0
PROCESSES = 2
STEPS = 60
SIZES = {
    "car": (4.4, 1.8, 1.5),
    "van": (5.4, 2.0, 2.2),
    "truck": (7.8, 2.4, 3.2),
    "bus": (11.5, 2.5, 3.1),
    "pedestrian": (0.5, 0.6, 1.75),
    "cone": (0.4, 0.4, 0.75),
}
CONDITIONS = {
    "clear": CLEAR,
    "rain": Conditions(rain=0.8),
    "fog": Conditions(fog=0.8),
    "glare": Conditions(glare=0.8, sun_azimuth_rad=0.1),
    "night": Conditions(night=1.0),
    "dirt": Conditions(dirt=0.6),
    "rainy night": Conditions(rain=0.6, night=0.9, fog=0.2),
}


def street() -> RoadMap:
    """Two roads of 400 m that cross, with sidewalks and signals."""
    lanes: dict[str, Lane] = {}
    connections, stop_lines = [], {}
    for name, turn in (("a", 0.0), ("b", np.pi / 2.0), ("c", np.pi), ("d", -np.pi / 2.0)):
        c, s = np.cos(turn), np.sin(turn)
        for part, start, end in (("in", -200.0, -9.0), ("out", 9.0, 200.0)):
            for index, kind, offset, width in ((1, "driving", -1.75, 3.5), (0, "sidewalk", -5.2, 3.2)):
                points = np.array([(c * x - s * offset, s * x + c * offset) for x in np.linspace(start, end, 20)])
                lane_id = f"{name}_{part}_{index}"
                lines = ("dashed", "solid") if kind == "driving" else ("none", "none")
                lanes[lane_id] = Lane(lane_id, f"{name}_{part}", index, kind, points, width, 13.9, *lines)
        via = np.stack([lanes[f"{name}_in_1"].centre[-1], lanes[f"{name}_out_1"].centre[0]])
        lanes[f":{name}_0"] = Lane(f":{name}_0", f":{name}", 0, "internal", via, 3.5, 13.9, "none", "none")
        connections.append(
            Connection(f"{name}_in_1", f":{name}_0", f"{name}_out_1", "s", f"signal:{name}", (), (f":{name}_0",), 0)
        )
        end_at, left = lanes[f"{name}_in_1"].centre[-1], np.array([-s, c]) * 1.75
        stop_lines[f"{name}_in_1"] = np.stack([end_at + left, end_at - left])
    junction = np.array([(-9.0, -7.0), (9.0, -7.0), (9.0, 7.0), (-9.0, 7.0)])
    return RoadMap("bench", lanes, tuple(connections), {"m": junction}, stop_lines, {}, "m", "sha256:" + "0" * 64)


def busy(step: int) -> Snapshot:
    """Ten vehicles, six people, two cones and four signals around the ego vehicle."""
    x = -60.0 + 0.3 * step
    kinds = ("car", "car", "van", "truck", "car", "bus", "car", "van", "car", "car")
    actors = []
    for index, kind in enumerate(kinds):
        oncoming = index % 2
        place = (x + 14.0 + 9.0 * index, 1.75 if oncoming else -1.75, np.pi if oncoming else 0.0)
        actors.append((kind, *place, 8.0))
    actors += [("pedestrian", x + 8.0 + 6.0 * index, -5.0 + 10.0 * (index % 2), 0.0, 1.3) for index in range(6)]
    actors += [("cone", x + 10.0 + 2.0 * index, -3.2, 0.0, 0.0) for index in range(2)]
    placed = tuple(
        Actor(
            f"actor_{index}",
            kind,
            px,
            py,
            heading,
            *SIZES[kind],
            speed,
            0.0,
            index % 3 == 0,
            "left",
            (60.0, 90.0, 190.0),
            "",
            0.0,
        )
        for index, (kind, px, py, heading, speed) in enumerate(actors)
    )
    signals = tuple(
        Signal(f"signal:{index}", "a_in_1", sx, sy, 3.0, heading, state, False)
        for index, (sx, sy, heading, state) in enumerate(
            (
                (-7.0, -4.2, 0.0, "red"),
                (7.0, 4.2, np.pi, "green"),
                (4.2, -7.0, 1.57, "red"),
                (-4.2, 7.0, -1.57, "amber"),
            )
        )
    )
    ego = EgoState((x, -1.75, 0.0), 0.0, 0.0, 0.0, 8.0, 0.0, 0.0, (8.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    return Snapshot(step, 0.1 * step, ego, placed, signals)


def render_steps(conditions: Conditions) -> tuple[float, float]:
    """Render all four cameras of every step in one thread; return pictures per second and per processor second."""
    cv2.setNumThreads(1)
    renderer = Renderer(street(), 3, conditions)
    cameras = [camera(one) for one in FRONT_FOUR]
    for one in cameras:
        renderer.render(one, busy(0))
    started, started_cpu = time.perf_counter(), time.process_time()
    for step in range(STEPS):
        snapshot = busy(step)
        for one in cameras:
            renderer.render(one, snapshot)
    count = len(cameras) * STEPS
    return count / (time.perf_counter() - started), count / (time.process_time() - started_cpu)


@pytest.mark.parametrize("name", CONDITIONS)
def test_pictures_per_second_of_two_processes(name):
    command = [sys.executable, __file__, name]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    rates = np.array([[float(rate) for rate in one.communicate(timeout=250)[0].split()] for one in running])
    per_s, per_cpu_s = rates.sum(axis=0).tolist()
    print(
        f"\n{name}: {per_s:.0f} pictures of 160 x 96 px per second in {PROCESSES} processes, "
        f"{per_s / LIMIT_PER_S:.2f} of the {LIMIT_PER_S:.0f} that are needed; "
        f"{per_cpu_s / LIMIT_PER_S:.2f} by the processor's time, where others use it too"
    )


def test_cost_of_an_episode_and_of_boxes():
    road_map, wide = street(), camera(FRONT_FOUR[1])
    Renderer(road_map, 0).render(wide, busy(0))
    built_s, boxes_s = [], []
    for seed in range(5):
        started = time.perf_counter()
        renderer = Renderer(road_map, seed)
        renderer.render(wide, busy(0))
        built_s.append(time.perf_counter() - started)
    for step in range(STEPS):
        snapshot = dataclasses.replace(busy(step))
        renderer.render(wide, snapshot)
        started = time.perf_counter()
        found = renderer.visible_boxes(wide, snapshot)
        boxes_s.append(time.perf_counter() - started)
        assert found
    print(
        f"\nfirst picture of a new episode after {np.median(built_s) * 1e3:.0f} ms; "
        f"boxes of a rendered picture {np.median(boxes_s) * 1e3:.1f} ms"
    )


if __name__ == "__main__":
    # One of several processes at once, each of which says how many pictures a second it drew.
    print(*render_steps(CONDITIONS[sys.argv[1]]))
