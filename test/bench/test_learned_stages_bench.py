"""What one tick of nano costs by stage, on one thread, without the graph."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.profile import load_profile
from alpamayo_ros.pipeline.observer import Observer
from alpamayo_ros.pipeline.stages import load_stages
from alpamayo_ros.replay.inputs import OdometryReader, frame_readers
from alpamayo_ros.replay.topic_map import resolve_topics
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.structs.observation import Observation

pytestmark = pytest.mark.bench

DEMO = Path(__file__).resolve().parents[2] / "bags" / "demo"
TICKS = 60


def observations() -> Iterator[Observation]:
    """Yield the observations of the demo drive."""
    profile = load_profile("nano")
    observer = Observer(profile, NodeParameters().perception)
    with open_bag(DEMO) as reader:
        topics = resolve_topics(profile, reader.topics, None)
        odometry = OdometryReader(None)
        frames = frame_readers(topics, reader, [camera.id for camera in profile.cameras])
        for message in reader.messages([topics.odometry, *frames]):
            if message.topic == topics.odometry:
                seen = observer.feed_odometry(odometry.read(message))
            else:
                seen = observer.feed_frame(frames[message.topic](message))
            yield from (item.result for item in seen if isinstance(item.result, Observation))


def test_one_tick_by_stage() -> None:
    profile = load_profile("nano")
    if profile.model_folder is None or not profile.model_folder.exists():
        pytest.skip("config/models/nano is not there")
    stages = load_stages(profile, NodeParameters())
    spent: dict[str, list[float]] = {"perceive": [], "reason": [], "plan": []}

    @contextmanager
    def timed(stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        spent[stage].append(1e3 * (time.perf_counter() - begin))

    tokens: list[int] = []
    for _, observation in zip(range(TICKS), observations(), strict=False):
        with timed("perceive"):
            perceived = stages.perceive(observation)
        with timed("reason"):
            reasoned = stages.reasoner.reason(perceived)
        with timed("plan"):
            stages.planner.plan(reasoned.context)
        tokens.append(len(reasoned.context.tensors["states"]))
    _print(spent, tokens)
    assert len(tokens) == TICKS


def _print(spent: dict[str, list[float]], tokens: list[int]) -> None:
    sums = [sum(parts) for parts in zip(*spent.values(), strict=True)]
    print()
    for name, values in {**spent, "all": sums}.items():
        print(f"{name:9s} median {statistics.median(values):6.1f} ms, slowest {max(values):6.1f} ms")
    print(f"tokens of an answer: {statistics.mean(tokens):.1f}")
