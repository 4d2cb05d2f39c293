"""Outputs are read back as they were recorded, and a bag that contradicts itself is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alpamayo_ros.errors import BagCorruptError
from alpamayo_ros.messages.bag_translator import BAG
from alpamayo_ros.messages.typestore import serialize
from alpamayo_ros.pipeline.drive import TickAnswer
from alpamayo_ros.replay.outputs import OutputRecorder, TickOutputs, read_outputs
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter
from alpamayo_ros.structs.lineage import Lineage
from alpamayo_ros.structs.rationale import Rationale
from alpamayo_ros.structs.tick import TickOutcome, TickStatus
from alpamayo_ros.structs.trajectory import TRAJECTORY_FIELDS, TrajectorySet

LINEAGE = Lineage("sha256:" + "a" * 64, "none", (), "{}", {}, {})
TICK_TYPE = "alpamayo_ros/msg/TickStatus"


def answer(t0_ns: int, epoch: int = 0, outcome: TickOutcome = TickOutcome.ANSWERED) -> TickAnswer:
    status = TickStatus(t0_ns, epoch, "odometry", outcome, "words")
    if outcome is not TickOutcome.ANSWERED:
        return TickAnswer(status)
    arrays = {name: np.full((1, 2), float(epoch)) for name in TRAJECTORY_FIELDS}
    return TickAnswer(status, Rationale(t0_ns, f"epoch {epoch}"), TrajectorySet(t0_ns, 0.1, **arrays))


def record(path: Path, answers: list[TickAnswer], lineage: Lineage = LINEAGE) -> str:
    with BagWriter(path, identity=None) as writer:
        recorder = OutputRecorder(writer, lineage, 50_000_000)
        recorder.record_lineage(1000)
        for item in answers:
            recorder.record(item)
        return recorder.digest()


def read(path: Path) -> list[TickOutputs]:
    with open_bag(path) as reader:
        return list(read_outputs(reader))


def test_answers_come_back_in_the_order_of_t0(tmp_path: Path) -> None:
    record(tmp_path / "o", [answer(100), answer(200, outcome=TickOutcome.ODOMETRY_GAP), answer(300)])
    ticks = read(tmp_path / "o")
    assert [tick.status.t0_ns for tick in ticks] == [100, 200, 300]
    assert [tick.rationale is not None for tick in ticks] == [True, False, True]
    assert ticks[0].rationale is not None
    assert ticks[0].rationale.lineage_id == LINEAGE.lineage_id


def test_a_t0_that_came_twice_keeps_its_own_outputs(tmp_path: Path) -> None:
    record(tmp_path / "o", [answer(100), answer(200), answer(100, epoch=1), answer(200, epoch=1)])
    ticks = read(tmp_path / "o")
    assert [(tick.status.t0_ns, tick.status.epoch) for tick in ticks] == [(100, 0), (100, 1), (200, 0), (200, 1)]
    assert [tick.rationale.text for tick in ticks if tick.rationale] == ["epoch 0", "epoch 1"] * 2


def test_the_digest_does_not_depend_on_the_lineage(tmp_path: Path) -> None:
    other = Lineage("sha256:" + "b" * 64, "none", (), "{}", {}, {})
    assert record(tmp_path / "a", [answer(100)]) == record(tmp_path / "b", [answer(100)], other)


@pytest.mark.parametrize("missing", ["rationale", "tick"])
def test_a_bag_that_lost_an_output_is_refused(tmp_path: Path, missing: str) -> None:
    record(tmp_path / "whole", [answer(100)])
    with open_bag(tmp_path / "whole") as reader, BagWriter(tmp_path / "part", identity=None) as writer:
        for name, topic in reader.topics.items():
            writer.add_topic(name, topic.type_name)
        for message in reader.messages():
            if not message.topic.endswith(missing):
                stamps: dict[str, Any] = {"receive_ns": message.receive_ns, "publish_ns": message.publish_ns}
                writer.write(message.topic, message.payload, **stamps)
    with pytest.raises(BagCorruptError, match=r"answered ticks at t0 100 ns, but|rationales and 1 trajectory"):
        read(tmp_path / "part")


def test_an_outcome_that_is_not_known_is_refused(tmp_path: Path) -> None:
    message = BAG.tick(answer(100).status)
    message.outcome = 99
    with BagWriter(tmp_path / "o", identity=None) as writer:
        writer.add_topic("/tick", TICK_TYPE)
        writer.write("/tick", serialize(message, TICK_TYPE), receive_ns=1, publish_ns=1)
    with pytest.raises(BagCorruptError, match="a message on /tick cannot be read: 99"):
        read(tmp_path / "o")


def test_a_payload_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    payload = serialize(BAG.tick(answer(100).status), TICK_TYPE)
    with BagWriter(tmp_path / "o", identity=None) as writer:
        writer.add_topic("/tick", TICK_TYPE)
        writer.write("/tick", payload[:20], receive_ns=1, publish_ns=1)
    with pytest.raises(BagCorruptError, match="cannot be read"):
        read(tmp_path / "o")
