"""What running a model costs on one machine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Latency:
    """Times of one part of a tick, in ms.

    Attributes:
        count: Ticks.
        p50: Median.
        p90: Nine of ten are below it.
        p99: Ninety-nine of a hundred are below it.
        largest: The slowest.
        mean: Mean.
    """

    count: int
    p50: float
    p90: float
    p99: float
    largest: float
    mean: float


@dataclass(frozen=True, slots=True)
class Failover:
    """What a model's own process costs when it falls, in s.

    Attributes:
        reported_s: From the fall until a tick says so.
        answered_s: From the fall until a fresh process has answered a tick.
    """

    reported_s: float
    answered_s: float


@dataclass(frozen=True, slots=True)
class EngineBench:
    """What was measured of one profile with one backend on one machine.

    Attributes:
        side: Profile and backend as asked for.
        backend: Backend id.
        libraries: Versions of the backend's libraries.
        digests: Digests of the model, the profile and what else the lineage names.
        lineage_id: Of all of it.
        source: What it ran on.
        host: Machine, operating system and Python.
        start_s: From the start of a fresh process to its first answer; None where it was not measured.
        load_s: Of that, loading and warming up the model.
        peak_memory_mb: Largest resident memory of the process, and of the model's where it has one, MiB.
        latency_ms: By part of a tick: ``observe`` (decoding, resizing, gathering), the stages, ``all``.
        ticks_per_s: Ticks that one after the other would be answered in a second.
        energy_j_per_tick: Energy of the processor package, None where the host does not tell.
        temperature_c: Hottest sensor before and after, None where the host does not tell.
        failover: By ``killed`` and ``hanging``; empty where it was not measured.
    """

    side: str
    backend: str
    libraries: Mapping[str, str]
    digests: Mapping[str, str]
    lineage_id: str
    source: str
    host: Mapping[str, Any]
    start_s: float | None
    load_s: float
    peak_memory_mb: float
    latency_ms: Mapping[str, Latency]
    ticks_per_s: float
    energy_j_per_tick: float | None
    temperature_c: tuple[float, float] | None
    failover: Mapping[str, Failover] = field(default_factory=dict)
