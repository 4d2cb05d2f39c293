"""``alpamayo engine bench``: what running a model costs here, measured in a process that does nothing else."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alpamayo_ros.cli.console import ERR, OUT, print_aligned
from alpamayo_ros.cli.wrapper import run_verb
from alpamayo_ros.errors import BackendError, OutputError

PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from alpamayo_ros.cli.engine_bench import measure_here; measure_here()"
)
_FIRST = b"\n"
_PARTS = {
    "observe": "decode, resize, gather",
    "perceive": "perceive",
    "reason": "reason",
    "plan": "plan",
    "all": "whole tick",
}


@dataclass(frozen=True, slots=True)
class BenchRequest:
    """What the user asked for; texts, because another process reads it.

    Attributes:
        side: PROFILE or PROFILE@BACKEND.
        bag: Input bag.
        passes: How often the bag is gone through.
        worker: Whether the model runs in a process of its own.
        failover: Whether a fall of that process is measured.
        topics: Topics file, empty for none.
        calibration: Calibration file, empty for none.
    """

    side: str
    bag: str
    passes: int
    worker: bool
    failover: bool
    topics: str = ""
    calibration: str = ""


def bench_in_fresh_process(request: BenchRequest) -> dict[str, Any] | int:
    """Measure in a fresh process, from its start to its first answer too.

    Returns:
        The document, or the exit code of a process that has said itself what was wrong.

    Raises:
        BackendError: The process was killed.
    """
    reading, writing = os.pipe()
    begin = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps(sys.path), json.dumps(asdict(request)), str(writing)],
        pass_fds=(writing,),
        stdin=subprocess.DEVNULL,
        stdout=2,
    )
    os.close(writing)
    start_s = None
    try:
        with os.fdopen(reading, "rb") as pipe:
            if pipe.read(1) == _FIRST:
                start_s = time.perf_counter() - begin
            text = pipe.read()
        code = child.wait()
    except BaseException:
        child.terminate()
        child.wait()
        raise
    if code < 0 or (not code and not text):
        raise BackendError(f"the measuring process ended with exit code {code}; expected its figures")
    if code:
        return code
    document: dict[str, Any] = json.loads(text)
    document["start_s"] = None if start_s is None else round(start_s, 3)
    return document


def measure_here() -> None:
    """Measure in this process, and write the first answer's mark and the document to a descriptor; then end."""
    given, descriptor = json.loads(sys.argv[1]), int(sys.argv[2])

    def measure() -> int:
        from alpamayo_ros.cli.console import progress_bar
        from alpamayo_ros.replay.engine_bench import bench_document, bench_on_bag
        from alpamayo_ros.replay.engine_compare import parse_side

        request = BenchRequest(**given)
        with progress_bar("answering") as progress:
            found = bench_on_bag(
                parse_side(request.side),
                Path(request.bag),
                time.perf_counter,
                passes=request.passes,
                worker=request.worker,
                failover=request.failover,
                topics=Path(request.topics) if request.topics else None,
                calibration=Path(request.calibration) if request.calibration else None,
                first=lambda: (os.write(descriptor, _FIRST), None)[1],
                progress=progress,
            )
        os.write(descriptor, json.dumps(bench_document(found), allow_nan=False).encode())
        return 0

    os._exit(run_verb(measure))


def print_bench(document: dict[str, Any]) -> None:
    """Print a document as a table."""
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(document["libraries"].items()))
    OUT.print(
        f"{document['side']}: backend {document['backend']}" + (f" ({libraries})" if libraries else ""), markup=False
    )
    OUT.print(f"{document['source']}, on {document['host'].get('cpu', 'unknown')}", markup=False)
    rows: list[tuple[str, ...]] = [("part of a tick", "p50", "p90", "p99", "largest", "ms")]
    rows += [
        (_PARTS[part], *(f"{one[name]:.1f}" for name in ("p50", "p90", "p99", "largest")), "ms")
        for part, one in document["latency_ms"].items()
    ]
    print_aligned(OUT, rows, right=(1, 2, 3, 4))
    figures = [
        ("ticks per second, one after the other", f"{document['ticks_per_s']:.1f}"),
        ("start to first answer", _seconds(document["start_s"])),
        ("  of it loading and warming up", _seconds(document["load_s"])),
        ("largest memory", f"{document['peak_memory_mb']:.0f} MiB"),
        ("energy of a tick", _or_untold(document["energy_j_per_tick"], "J")),
        ("hottest sensor before, after", _heat(document["temperature_c"])),
    ]
    for name, one in document["failover_s"].items():
        figures.append((f"model's process {name}: said after", _seconds(one["reported"])))
        figures.append((f"model's process {name}: answered after", _seconds(one["answered"])))
    print_aligned(OUT, figures)


def write_bench(path: Path, document: dict[str, Any]) -> None:
    """Write the document to a file.

    Raises:
        OutputError: It cannot be written.
    """
    from alpamayo_ros.storage.filesystem import LOCAL_FILE_SYSTEM, write_atomically

    text = json.dumps(document, indent=2, allow_nan=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(LOCAL_FILE_SYSTEM, path, text.encode())
    except OSError as error:
        raise OutputError(f"output {path} cannot be written: {error.strerror}; expected a file to make") from error
    ERR.print(f"written to {path}", markup=False)


def _seconds(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f} s"


def _or_untold(value: float | None, unit: str) -> str:
    return "the host does not tell" if value is None else f"{value:.3g} {unit}"


def _heat(values: list[float] | None) -> str:
    return "the host does not tell" if values is None else f"{values[0]:.0f}, {values[1]:.0f} degrees C"
