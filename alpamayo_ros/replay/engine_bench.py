"""Measure what running a model costs, tick by tick, on a bag."""

import math
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from alpamayo_ros.errors import AlpamayoError, ConfigurationError
from alpamayo_ros.inference.backend import Session
from alpamayo_ros.inference.host_sensors import hottest_c, package_energy_j
from alpamayo_ros.inference.registry import library_versions
from alpamayo_ros.inference.worker.model_worker import ModelWorker, WorkerSession
from alpamayo_ros.lineage.manifest import digests_by_kind
from alpamayo_ros.lineage.runtime import provenance
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.pipeline.drive import DrivePipeline, TickAnswer
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.pipeline.stages import Stages, load_stages
from alpamayo_ros.pipeline.tick_status import answered, stage_failed
from alpamayo_ros.replay.drive import in_process
from alpamayo_ros.replay.engine_compare import Side
from alpamayo_ros.replay.run import Progress, replay_bag, set_up_replay
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.structs.camera import CameraFrame
from alpamayo_ros.structs.engine_bench import EngineBench, Failover, Latency
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.pose import OdometrySample

OBSERVE, PERCEIVE, REASON, PLAN, ALL = "observe", "perceive", "reason", "plan", "all"
PARTS = (OBSERVE, PERCEIVE, REASON, PLAN, ALL)
HANG_S = 1.0
"""Longest answer of a worker while its hanging is measured."""
FAILOVER_LIMIT_S = 120.0
_BETWEEN_S = 0.002

Clock = Callable[[], float]


class TimedPipeline(DrivePipeline):
    """Answers ticks, and keeps what each part of each took."""

    def __init__(self, setup: StackSetup, stages: Stages, clock: Clock, first: Callable[[], None]) -> None:
        """Bind the stages.

        Args:
            setup: What runs.
            stages: Loaded.
            clock: Seconds.
            first: Called once, when the first tick has been answered.
        """
        super().__init__(setup.profile, setup.parameters, stages, calibration=setup.calibration)
        self._clock, self._first = clock, first
        self._observed_s = self._since_s = 0.0
        self.seconds: dict[str, list[float]] = {part: [] for part in PARTS}
        self.last: Observation | None = None

    def feed_odometry(self, sample: OdometrySample) -> list[TickAnswer]:
        """Take one pose of the rig."""
        return self._timed(lambda: super(TimedPipeline, self).feed_odometry(sample))

    def feed_frame(self, frame: CameraFrame) -> list[TickAnswer]:
        """Take one picture."""
        return self._timed(lambda: super(TimedPipeline, self).feed_frame(frame))

    def answer_observation(self, observation: Observation) -> TickAnswer:
        """Run the stages one after the other, with the time after each."""
        times = [self._clock()]
        observed_s = self._observed_s + times[0] - self._since_s
        try:
            perceived = self.stages.perceive(observation)
            times.append(self._clock())
            reasoned = self.stages.reasoner.reason(perceived)
            times.append(self._clock())
            trajectories = self.stages.planner.plan(reasoned.context)
            times.append(self._clock())
        except AlpamayoError as error:
            return TickAnswer(stage_failed(observation.t0_ns, observation.epoch, self.trigger, error))
        finally:
            self._observed_s, self._since_s = 0.0, self._clock()
        spent = [observed_s, *np.diff(times).tolist()]
        for part, seconds in zip(PARTS, [*spent, sum(spent)], strict=True):
            self.seconds[part].append(seconds)
        if self.last is None:
            self._first()
        self.last = observation
        status = answered(observation.t0_ns, observation.epoch, self.trigger)
        return TickAnswer(status, reasoned.rationale, trajectories, observation.history)

    def _timed(self, feed: Callable[[], list[TickAnswer]]) -> list[TickAnswer]:
        self._since_s = self._clock()
        found = feed()
        self._observed_s += self._clock() - self._since_s
        return found


def bench_on_bag(
    side: Side,
    bag: Path,
    clock: Clock,
    *,
    passes: int = 1,
    worker: bool = False,
    failover: bool = False,
    topics: Path | None = None,
    calibration: Path | None = None,
    first: Callable[[], None] = lambda: None,
    progress: Progress | None = None,
) -> EngineBench:
    """Answer every tick of a bag as fast as it goes, and measure.

    Args:
        side: Profile and backend.
        bag: Input bag.
        clock: Seconds.
        passes: How often the bag is gone through.
        worker: Whether the model runs in a process of its own.
        failover: Whether to measure what happens when that process is killed or hangs.
        topics: Topics file.
        calibration: Calibration file.
        first: Called when the first tick has been answered.
        progress: Called with the number of messages read and their total, of each pass.

    Raises:
        ConfigurationError: No tick of the bag is answered.
        AlpamayoError: Of the class that fits what is wrong.
    """
    with open_bag(bag) as reader, tempfile.TemporaryDirectory() as folder:
        setup = set_up_replay(
            reader, profile_name=side.profile, backend=side.backend, topics_path=topics, calibration_path=calibration
        )
        stack = _with_worker(setup.stack, worker, answer_s=5.0)
        begin = clock()
        with _loaded(stack) as (stages, workers):
            load_s = clock() - begin
            pipeline = TimedPipeline(stack, stages, clock, first)
            before = (package_energy_j(), hottest_c())
            for number in range(passes):
                pipeline = _next_pass(pipeline, stack, stages, clock) if number else pipeline
                replay_bag(reader, setup, in_process(pipeline), Path(folder) / f"outputs_{number}", progress)
            after = (package_energy_j(), hottest_c())
            memory_mb = peak_memory_mb() + sum(peak_memory_mb(str(one.pid)) for one in workers[:1])
        if pipeline.last is None:
            raise ConfigurationError(f"bag {bag} has no tick that is answered; expected one to measure")
        latency = {part: _latency(seconds) for part, seconds in pipeline.seconds.items()}
        return EngineBench(
            side=side.name,
            backend=stack.profile.backend,
            libraries=library_versions(stack.profile.backend),
            digests=digests_by_kind(stack.lineage),
            lineage_id=stack.lineage.lineage_id,
            source=f"{latency[ALL].count} ticks of bag {bag.name}" + (", model in a worker" if worker else ""),
            host=provenance(),
            start_s=None,
            load_s=load_s,
            peak_memory_mb=memory_mb,
            latency_ms=latency,
            ticks_per_s=1000.0 / latency[ALL].mean,
            energy_j_per_tick=_difference(before[0], after[0], len(pipeline.seconds[ALL])),
            temperature_c=None if before[1] is None or after[1] is None else (before[1], after[1]),
            failover=measure_failover(setup.stack, pipeline.last, clock) if failover else {},
        )


def measure_failover(stack: StackSetup, observation: Observation, clock: Clock) -> dict[str, Failover]:
    """Kill a model's process, then let one hang, and measure until that is said and until a fresh one answers.

    Raises:
        ConfigurationError: No fresh one answered in two minutes.
        AlpamayoError: The model cannot be loaded.
    """
    stack = _with_worker(stack, worker=True, answer_s=HANG_S)
    found = {}
    for name, number in (("killed", signal.SIGKILL), ("hanging", signal.SIGSTOP)):
        with _loaded(stack) as (stages, workers):
            _attempt(stages, observation)
            found[name] = _failover(stages, workers[0], observation, clock, number)
    return found


def _failover(
    stages: Stages, worker: ModelWorker, observation: Observation, clock: Clock, number: signal.Signals
) -> Failover:
    assert worker.pid is not None  # noqa: S101 - it has just answered
    begin = clock()
    os.kill(worker.pid, number)
    reported_s: float | None = None
    pause = threading.Event()
    while clock() - begin < FAILOVER_LIMIT_S:
        fine = _attempt(stages, observation)
        now = clock() - begin
        if not fine and reported_s is None:
            reported_s = now
        if fine and reported_s is not None:
            return Failover(reported_s, now)
        pause.wait(_BETWEEN_S)
    raise ConfigurationError(f"no fresh worker has answered after {FAILOVER_LIMIT_S:g} s: {worker.state().trouble}")


def _attempt(stages: Stages, observation: Observation) -> bool:
    try:
        stages.planner.plan(stages.reasoner.reason(stages.perceive(observation)).context)
    except AlpamayoError:
        return False
    return True


@contextmanager
def _loaded(stack: StackSetup) -> Iterator[tuple[Stages, list[ModelWorker]]]:
    workers: list[ModelWorker] = []

    def listen(_stage: str, session: Session) -> Session:
        if isinstance(session, WorkerSession):
            workers.append(session.worker)
        return session

    stages = load_stages(stack.profile, stack.parameters, stack.model, listen)
    try:
        yield stages, workers
    finally:
        stages.close()


def _with_worker(stack: StackSetup, worker: bool, answer_s: float) -> StackSetup:
    """Return the same stack whose model runs in a process of its own or not; the lineage does not change."""
    parameters: NodeParameters = stack.parameters
    perception = replace(parameters.perception, worker=worker, worker_answer_ms=round(1000.0 * answer_s))
    return replace(stack, parameters=replace(parameters, perception=perception))


def _next_pass(pipeline: TimedPipeline, stack: StackSetup, stages: Stages, clock: Clock) -> TimedPipeline:
    found = TimedPipeline(stack, stages, clock, lambda: None)
    found.seconds, found.last = pipeline.seconds, pipeline.last
    return found


def _latency(seconds: list[float]) -> Latency:
    # The first tick pays for what is done once; it is in the time to the first answer.
    values = 1000.0 * np.array(seconds[1:] or seconds)
    p50, p90, p99 = (float(value) for value in np.percentile(values, [50, 90, 99]))
    return Latency(len(values), p50, p90, p99, float(values.max()), float(values.mean()))


def _difference(before: float | None, after: float | None, ticks: int) -> float | None:
    if before is None or after is None or after < before:
        return None
    return (after - before) / ticks


def peak_memory_mb(process: str = "self") -> float:
    """Return the largest resident memory of a process so far, in MiB; NaN where the system does not tell."""
    try:
        text = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return math.nan
    for line in text.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024.0
    return math.nan


def bench_document(found: EngineBench) -> dict[str, Any]:
    """Return plain values for JSON; what was not measured is null."""
    return {
        "side": found.side,
        "backend": found.backend,
        "libraries": dict(found.libraries),
        "digests": dict(found.digests),
        "lineage_id": found.lineage_id,
        "source": found.source,
        "host": dict(found.host),
        "start_s": _rounded(found.start_s, 3),
        "load_s": _rounded(found.load_s, 3),
        "peak_memory_mb": _rounded(found.peak_memory_mb, 1),
        "latency_ms": {
            part: {
                "count": one.count,
                **{name: _rounded(getattr(one, name), 3) for name in ("p50", "p90", "p99", "largest", "mean")},
            }
            for part, one in found.latency_ms.items()
        },
        "ticks_per_s": _rounded(found.ticks_per_s, 2),
        "energy_j_per_tick": _rounded(found.energy_j_per_tick, 4),
        "temperature_c": None if found.temperature_c is None else [round(value, 1) for value in found.temperature_c],
        "failover_s": {
            name: {"reported": round(one.reported_s, 3), "answered": round(one.answered_s, 3)}
            for name, one in found.failover.items()
        },
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)
