"""Drive many episodes, each in a world of its own, and put the numbers together."""

import math
import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.lineage.canonical import document_id
from alpamayo_ros.world.episode import drive_digest, drive_expert
from alpamayo_ros.world.metrics import Collision, DriveMetrics, DriveSummary, Rate, evaluate_drive, summarise
from alpamayo_ros.world.profile_drive import EXPERT, LoadedProfile, load_profile_to_drive
from alpamayo_ros.world.scenarios import episode as episode_named

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class DriveRequest:
    """One drive to make; it goes to another process as it is.

    Attributes:
        episode: Its name.
        profile: Profile that drives, or ``expert``.
        backend: Backend id in place of the profile's own, empty for that.
        parameters: ROS 2 parameter file, None for the defaults.
    """

    episode: str
    profile: str
    backend: str = ""
    parameters: Path | None = None


@dataclass(frozen=True, slots=True)
class DriveOutcome:
    """What became of one drive.

    Attributes:
        episode: Its name.
        scenario: Of the episode.
        metrics: How well it went.
        digest: ``sha256:`` of everything that happened.
        ticks: Count by outcome; empty for the expert.
    """

    episode: str
    scenario: str
    metrics: DriveMetrics
    digest: str
    ticks: dict[str, int]


def drive_one(request: DriveRequest) -> DriveOutcome:
    """Drive one episode in this process.

    Raises:
        AlpamayoError: Of the class that fits what is wrong.
    """
    spec = episode_named(request.episode)
    expert = drive_expert(spec)
    if request.profile == EXPERT:
        own = evaluate_drive(expert.snapshots, expert.road_map, expert.route)
        metrics = evaluate_drive(expert.snapshots, expert.road_map, expert.route, own.progress_m)
        return DriveOutcome(spec.id, spec.scenario, metrics, drive_digest(expert.snapshots), {})
    driven = _loaded(request.profile, request.backend, request.parameters).drive(spec)
    ticks: dict[str, int] = {}
    for tick in driven.ticks:
        ticks[tick.answer.status.outcome.name] = ticks.get(tick.answer.status.outcome.name, 0) + 1
    digest = drive_digest(driven.record.snapshots)
    return DriveOutcome(spec.id, spec.scenario, driven.metrics(expert), digest, dict(sorted(ticks.items())))


@lru_cache(maxsize=1)
def _loaded(profile: str, backend: str, parameters: Path | None) -> LoadedProfile:
    """Load a profile once for all drives of a process."""
    return load_profile_to_drive(profile, backend=backend, parameters=parameters)


def drive_all(
    requests: Sequence[DriveRequest], *, workers: int = 1, progress: Progress | None = None
) -> tuple[DriveOutcome, ...]:
    """Drive episodes, in processes of their own where there is more than one worker: a process has one world.

    Args:
        requests: What to drive.
        workers: Processes at once; the outcomes are the same for any number.
        progress: Called with the drives made and their total.

    Returns:
        Outcomes in the order of the requests.

    Raises:
        AlpamayoError: Of the class that fits what is wrong with the first drive that failed.
        ConfigurationError: A process was ended from outside.
    """
    if workers < 1:
        raise ConfigurationError(f"{workers} workers cannot drive; expected at least 1")
    if workers == 1 or len(requests) < 2:
        outcomes = []
        for done, request in enumerate(requests, start=1):
            outcomes.append(drive_one(request))
            if progress is not None:
                progress(done, len(requests))
        return tuple(outcomes)
    return _drive_in_processes(requests, min(workers, len(requests)), progress)


def _drive_in_processes(
    requests: Sequence[DriveRequest], workers: int, progress: Progress | None
) -> tuple[DriveOutcome, ...]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)
    try:
        running = {pool.submit(drive_one, request): index for index, request in enumerate(requests)}
        outcomes: dict[int, DriveOutcome] = {}
        for future in as_completed(running):
            outcomes[running[future]] = future.result()
            if progress is not None:
                progress(len(outcomes), len(requests))
        pool.shutdown()
    except BrokenProcessPool as error:
        raise ConfigurationError(
            f"a process of {workers} that drive was ended from outside; expected enough memory for all: use fewer "
            "--workers"
        ) from error
    except BaseException:
        # Whoever interrupts does not want to wait for the drives that have begun.
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    return tuple(outcomes[index] for index in range(len(requests)))


def _begin_worker() -> None:
    # The process that started this one hears the interrupt as well, and ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)


def campaign_document(outcomes: Sequence[DriveOutcome]) -> dict[str, Any]:
    """Return rates and numbers of all drives and of each scenario, and every drive, ready for JSON.

    Args:
        outcomes: At least one.
    """
    scenarios = list(dict.fromkeys(outcome.scenario for outcome in outcomes))
    drives = [_drive_document(outcome) for outcome in outcomes]
    return {
        **_summary_document(summarise([outcome.metrics for outcome in outcomes])),
        "scenarios": {
            name: _summary_document(summarise([one.metrics for one in outcomes if one.scenario == name]))
            for name in scenarios
        },
        "drives": drives,
        "digest": document_id(drives),
    }


def _summary_document(summary: DriveSummary) -> dict[str, Any]:
    rates = {
        "collision": summary.collision,
        "off_road": summary.off_road,
        "red_light": summary.red_light,
        "speeding": summary.speeding,
    }
    document: dict[str, Any] = {"episodes": summary.drives}
    for name, rate in rates.items():
        document |= _rate_document(name, rate)
    return document | {
        "progress_m": _rounded(summary.progress_m),
        "progress_share": None if summary.progress_share is None else _rounded(summary.progress_share),
        "braking_p95_mps2": _rounded(summary.braking_mps2),
        "jerk_p95_mps3": _rounded(summary.jerk_mps3),
        "lateral_p95_mps2": _rounded(summary.lateral_mps2),
        "time_to_collision_p5_s": _rounded(summary.time_to_collision_s),
    }


def _rate_document(name: str, rate: Rate) -> dict[str, Any]:
    return {
        f"{name}_rate": round(rate.share, 6),
        f"{name}_count": rate.count,
        f"{name}_interval": [round(rate.low, 6), round(rate.high, 6)],
    }


def _drive_document(outcome: DriveOutcome) -> dict[str, Any]:
    metrics = outcome.metrics
    return {
        "episode": outcome.episode,
        "collision": None if metrics.collision is None else _collision_document(metrics.collision),
        "off_road": metrics.off_road,
        "off_road_s": _rounded(metrics.off_road_s),
        "progress_m": _rounded(metrics.progress_m),
        "progress_share": None if metrics.progress_share is None else _rounded(metrics.progress_share),
        "braking_mps2": _rounded(metrics.braking_mps2),
        "jerk_mps3": _rounded(metrics.jerk_mps3),
        "lateral_mps2": _rounded(metrics.lateral_mps2),
        "time_to_collision_s": _rounded(metrics.time_to_collision_s),
        "red_lights": metrics.red_lights,
        "speeding_mps": _rounded(metrics.speeding_mps),
        "ticks": outcome.ticks,
        "digest": outcome.digest,
    }


def _collision_document(collision: Collision) -> dict[str, Any]:
    return {
        "t_s": _rounded(collision.t_s),
        "actor": collision.actor_id,
        "kind": collision.kind,
        "ego_speed_mps": _rounded(collision.ego_speed_mps),
        "relative_speed_mps": _rounded(collision.relative_speed_mps),
    }


def _rounded(value: float) -> float | None:
    """Round to what a script compares; what is infinite is not there in JSON."""
    return round(value, 4) if math.isfinite(value) else None
