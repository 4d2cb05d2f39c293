"""Write the answers of a replay into a bag, and read them back."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import BagCorruptError
from alpamayo_ros.messages.bag_translator import BAG
from alpamayo_ros.messages.topics import OUTPUT_TOPICS
from alpamayo_ros.messages.translator import rationale_struct, stamp_ns, tick_struct, trajectory_set_struct
from alpamayo_ros.messages.typestore import deserialize, serialize
from alpamayo_ros.pipeline.drive import TickAnswer
from alpamayo_ros.replay.output_digest import OutputDigest
from alpamayo_ros.storage.filesystem import temporary_name
from alpamayo_ros.storage.identity import SIDECAR, sidecar_tags
from alpamayo_ros.storage.metadata import FILE_NAME as METADATA_FILE
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS
from alpamayo_ros.storage.reader import BagReader
from alpamayo_ros.storage.writer import BagWriter
from alpamayo_ros.structs.lineage import Lineage
from alpamayo_ros.structs.rationale import Rationale
from alpamayo_ros.structs.tick import TickOutcome, TickStatus
from alpamayo_ros.structs.trajectory import TrajectorySet

PRODUCED_BY = "alpamayo replay run"
"""Tag of every output bag, by which a replay knows what it may replace."""

_QOS = {"output": OUTPUT_QOS, "ticks": OUTPUT_QOS, "latched": LATCHED_QOS}


class OutputRecorder:
    """Writes every answer to the output bag and into the output digest.

    The bag time of an output is t0 plus the profile's declared latency, never a wall clock.
    """

    def __init__(self, writer: BagWriter, lineage: Lineage, latency_ns: int) -> None:
        self._writer = writer
        self._lineage = lineage
        self._latency_ns = latency_ns
        self._digest = OutputDigest()
        self._lineage_recorded = False
        rows = [row for row in OUTPUT_TOPICS if row.recorded]
        self._topics = {row.interface: row for row in rows}
        self._names = {row.interface: row.resolved() for row in rows}
        for row in rows:
            writer.add_topic(row.resolved(), row.type_name, qos=_QOS[row.qos])

    def digest(self) -> str:
        """Return the output digest of everything recorded so far."""
        return self._digest.digest()

    def record(self, answer: TickAnswer) -> None:
        """Write the outputs of one tick, after the latched lineage if it is the first."""
        t0_ns = answer.status.t0_ns
        self.record_lineage(t0_ns + self._latency_ns)
        if answer.rationale is not None:
            self._write("rationale", t0_ns, BAG.rationale(answer.rationale))
        if answer.trajectories is not None:
            self._write("trajectory_set", t0_ns, BAG.trajectory_set(answer.trajectories))
        self._write("tick", t0_ns, BAG.tick(answer.status))

    def record_lineage(self, stamp_ns: int) -> None:
        """Write the latched lineage, valid from a stamp on, unless it was written already."""
        if self._lineage_recorded:
            return
        self._lineage_recorded = True
        payload = serialize(BAG.lineage(self._lineage, stamp_ns), self._topics["lineage"].type_name)
        self._writer.write(self._names["lineage"], payload, receive_ns=stamp_ns, publish_ns=stamp_ns)

    def _write(self, interface: str, t0_ns: int, message: Any) -> None:
        type_name = self._topics[interface].type_name
        # Stages give outputs without ids: that is the canonical form.
        self._digest.add(interface, t0_ns, serialize(message, type_name))
        message.lineage_id = self._lineage.lineage_id
        message.envelope_id = self._lineage.envelope_id
        stamp_ns = t0_ns + self._latency_ns
        self._writer.write(
            self._names[interface], serialize(message, type_name), receive_ns=stamp_ns, publish_ns=stamp_ns
        )


def digest_of_outputs(reader: BagReader) -> str:
    """Return the output digest of a bag that a replay wrote.

    Raises:
        BagCorruptError: An output is not well formed.
    """
    names = {row.type_name: row.interface for row in OUTPUT_TOPICS if row.compared}
    digest = OutputDigest()
    topics = [name for name, info in reader.topics.items() if info.type_name in names]
    for message in reader.messages(topics=topics):
        try:
            output = deserialize(message.payload, message.type_name)
        except ValueError as error:
            raise BagCorruptError(
                f"output bag {reader.path}: a message on {message.topic} cannot be read: {error}"
            ) from error
        output.lineage_id = output.envelope_id = ""
        digest.add(names[message.type_name], stamp_ns(output.header.stamp), serialize(output, message.type_name))
    return digest.digest()


def foreign_to_outputs(folder: Path) -> list[str]:
    """Return what in a folder does not belong to an output bag of a replay; empty if all of it does."""
    if not folder.is_dir() or folder.is_symlink():
        return [folder.name]
    if sidecar_tags(folder).get("produced_by") != PRODUCED_BY:
        return [f"{folder.name}/"]
    bag_file = re.compile(rf"{re.escape(folder.name)}_\d+\.mcap")
    files = (METADATA_FILE, SIDECAR)
    ours = {*files, *(temporary_name(name) for name in files)}
    return sorted(
        f"{folder.name}/{entry.name}"
        for entry in folder.iterdir()
        if entry.name not in ours and not bag_file.fullmatch(entry.name)
    )


@dataclass(frozen=True, slots=True)
class TickOutputs:
    """Everything that was said about one tick."""

    status: TickStatus
    rationale: Rationale | None = None
    trajectories: TrajectorySet | None = None


def read_outputs(reader: BagReader) -> Iterator[TickOutputs]:
    """Read the outputs of an output bag back, tick by tick, ascending by t0 and epoch.

    Raises:
        BagCorruptError: The bag holds an output that is not well formed, or outputs without a tick.
    """
    names = {row.type_name: row.interface for row in OUTPUT_TOPICS if row.compared}
    topics = [name for name, info in reader.topics.items() if info.type_name in names]
    group: dict[str, list[Any]] = {"tick": [], "rationale": [], "trajectory_set": []}
    group_t0_ns: int | None = None
    for message in reader.messages(topics=topics):
        interface = names[message.type_name]
        try:
            output = _STRUCTS[interface](deserialize(message.payload, message.type_name))
        except ValueError as error:
            raise BagCorruptError(
                f"output bag {reader.path}: a message on {message.topic} cannot be read: {error}"
            ) from error
        if output.t0_ns != group_t0_ns:
            yield from _paired(group, reader)
            group_t0_ns = output.t0_ns
        group[interface].append(output)
    yield from _paired(group, reader)


_STRUCTS: dict[str, Callable[[Any], Any]] = {
    "tick": tick_struct,
    "rationale": rationale_struct,
    "trajectory_set": trajectory_set_struct,
}


def _paired(group: dict[str, list[Any]], reader: BagReader) -> Iterator[TickOutputs]:
    """Give each answered tick of one t0 its outputs; after a step back of time one t0 can have several ticks."""
    answered = sum(status.outcome is TickOutcome.ANSWERED for status in group["tick"])
    if len(group["rationale"]) != answered or len(group["trajectory_set"]) != answered:
        t0_ns = next(output.t0_ns for outputs in group.values() for output in outputs)
        raise BagCorruptError(
            f"output bag {reader.path} has {answered} answered ticks at t0 {t0_ns} ns, but "
            f"{len(group['rationale'])} rationales and {len(group['trajectory_set'])} trajectory sets"
        )
    rationales, trajectories = iter(group["rationale"]), iter(group["trajectory_set"])
    for status in group["tick"]:
        if status.outcome is TickOutcome.ANSWERED:
            yield TickOutputs(status, next(rationales), next(trajectories))
        else:
            yield TickOutputs(status)
    for outputs in group.values():
        outputs.clear()
