"""``alpamayo replay``: run the stack on a bag again, compare, approve."""

import shlex
import sys
import time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from alpamayo_ros.cli.console import ERR, OUT, print_aligned, print_json, progress_bar
from alpamayo_ros.cli.verb_help import VerbCommand
from alpamayo_ros.cli.wrapper import EXIT_INCONCLUSIVE, EXIT_NOT_COMPARABLE, EXIT_PASS, EXIT_REGRESSION
from alpamayo_ros.structs.verdict import ReplayResult, Verdict

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from alpamayo_ros.replay.drive import Drive, DriveStarter
    from alpamayo_ros.replay.run import ReplaySetup
    from alpamayo_ros.storage.reader import BagReader

app = typer.Typer(help="Replay bags and compare with approved outputs.", no_args_is_help=True)

EXIT_CODES = {
    Verdict.PASS: EXIT_PASS,
    Verdict.NOT_COMPARED: EXIT_PASS,
    Verdict.REGRESSION: EXIT_REGRESSION,
    Verdict.INCONCLUSIVE: EXIT_INCONCLUSIVE,
    Verdict.NOT_COMPARABLE: EXIT_NOT_COMPARABLE,
}
_COLOURS = {
    Verdict.PASS: "bold green",
    Verdict.NOT_COMPARED: "bold blue",
    Verdict.REGRESSION: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.NOT_COMPARABLE: "bold magenta",
}


class Ticks(str, Enum):
    """Which ticks to run."""

    ALL = "all"
    RECORDED = "recorded"


@app.command("run", cls=VerbCommand)
def run(
    bag: Path = typer.Argument(help="Bag folder, or a bare .mcap or .db3 file."),
    profile: str = typer.Option(..., "--profile", help="Profile name, or path of a profile .yaml file."),
    backend: str = typer.Option("", help="Backend id in place of the profile's own."),
    graph: bool = typer.Option(False, "--graph", help="Run the ROS 2 nodes, a process each, in lockstep."),
    composed: bool = typer.Option(False, "--composed", help="With --graph: all stages in one process."),
    deadline: float = typer.Option(30.0, min=0.1, help="With --graph: longest wait for the answer of a tick, in s."),
    topics: Path | None = typer.Option(None, help="Topics file: which topic carries odometry and each camera."),
    calibration: Path | None = typer.Option(None, help="Calibration file; else /tf_static and CameraInfo are used."),
    params: Path | None = typer.Option(None, help="ROS 2 parameter file; of it, what is behavioural."),
    envelope: Path | None = typer.Option(None, help="Envelope document."),
    policy: Path | None = typer.Option(None, help="Comparison policy; else the packaged default."),
    ticks: Ticks = typer.Option(Ticks.ALL, help="All ticks, or those that the bag recorded."),
    out: Path | None = typer.Option(None, help="Folder for the result.  [default: out/<bag>_<profile>]"),
    baseline: Path | None = typer.Option(None, help="Approved baseline to compare with."),
    force: bool = typer.Option(False, "--force", help="Replace an earlier result in --out."),
    as_json: bool = typer.Option(False, "--json", help="Print result.json instead of a table."),
) -> int:
    """Replay BAG and write outputs, result.json, junit.xml and report.html.

    The stages run in this process, or with --graph as ROS 2 nodes in a domain of their own; the outputs have the same
    digest. With --baseline the outputs are compared field by field. Exit codes: 0 pass or not compared, 1 regression,
    2 usage or configuration, 3 inconclusive, 4 not comparable or not trustworthy, 74 disk full or I/O error.
    """
    from alpamayo_ros.errors import ConfigurationError
    from alpamayo_ros.replay.session import ReplayRequest, run_session
    from alpamayo_ros.report.result_json import result_document

    if composed and not graph:
        raise ConfigurationError("--composed says how a graph runs; expected --graph beside it")
    request = ReplayRequest(
        bag=bag,
        profile=profile,
        backend=backend,
        out=out if out is not None else Path("out") / f"{bag.resolve().name}_{Path(profile).stem}",
        topics=topics,
        calibration=calibration,
        parameters=params,
        envelope=envelope,
        policy=policy,
        baseline=baseline,
        ticks=ticks.value,
        force=force,
        command=f"cd {shlex.quote(str(Path.cwd()))} && {shlex.join(sys.argv)}",
    )
    with progress_bar("replaying") as progress:
        result = run_session(
            request,
            clock=time.perf_counter,
            announce=_announce,
            progress=progress,
            start_drive=_starter(graph=graph, composed=composed, deadline_s=deadline),
        )
    if as_json:
        print_json(result_document(result))
    else:
        print_result(result, request.out)
    return EXIT_CODES[result.verdict]


@app.command("digests", cls=VerbCommand)
def digests(
    results: list[Path] = typer.Argument(help="Folders that 'replay run' wrote, two or more."),
    as_json: bool = typer.Option(False, "--json", help="Print the digests as JSON."),
) -> int:
    """Compare the output digests of RESULTS, which must be of one input on one host: 0 equal, 1 not, 4 other inputs.

    This is how to show that a graph gives what the stages give in process, or that ten runs give one answer.
    """
    from alpamayo_ros.replay.same_digest import compare_digests

    comparison = compare_digests(results)
    if as_json:
        print_json(comparison.document())
    else:
        print_aligned(OUT, [(f"{row.path} ({row.executed})", row.output_digest) for row in comparison.rows])
        OUT.print(comparison.sentence, style="bold green" if comparison.equal else "bold red", markup=False)
    return EXIT_PASS if comparison.equal else EXIT_REGRESSION


@app.command("approve", cls=VerbCommand)
def approve(
    result: Path = typer.Argument(help="Folder that 'replay run' wrote."),
    author: str = typer.Option(..., help="Who approves."),
    reason: str = typer.Option(..., help="Why these outputs are right."),
    out: Path | None = typer.Option(None, help="Baseline folder to make.  [default: RESULT_baseline]"),
    force: bool = typer.Option(False, "--force", help="Replace an existing baseline."),
    as_json: bool = typer.Option(False, "--json", help="Print the baseline's key as JSON."),
) -> int:
    """Make the outputs of RESULT the baseline that later replays are compared with."""
    from alpamayo_ros.replay.baseline import approve_result

    resolved = result.resolve()
    destination = out if out is not None else resolved.with_name(f"{resolved.name}_baseline")
    baseline = approve_result(result, destination, author=author, reason=reason, force=force)
    if as_json:
        print_json(
            {
                "baseline": str(baseline.path),
                "output_digest": baseline.output_digest,
                "lineage_id": baseline.lineage_id,
                "content_digest": baseline.key.content_digest,
                "author": baseline.author,
                "reason": baseline.reason,
            }
        )
    else:
        OUT.print(f"approved: {baseline.path}", markup=False)
        OUT.print(f"  outputs {baseline.output_digest}", markup=False)
        OUT.print(f"  by {baseline.author}: {baseline.reason}", markup=False)
    return EXIT_PASS


def _starter(*, graph: bool, composed: bool, deadline_s: float) -> "DriveStarter":
    """Return what starts the stages; ROS is loaded only if it is asked for."""
    from alpamayo_ros.replay.drive import start_in_process

    if not graph:
        return start_in_process
    try:
        from alpamayo_ros.ros.lockstep import start_graph
    except ImportError as error:
        from alpamayo_ros.errors import ConfigurationError

        raise ConfigurationError(
            f"--graph needs ROS 2: {error}; source a ROS 2 installation and build this package with colcon, or leave "
            "--graph out"
        ) from error

    def start(setup: "ReplaySetup", reader: "BagReader") -> "AbstractContextManager[Drive]":
        how = "all stages in one process" if composed else "a process each"
        ERR.print(f"starting the ROS 2 nodes, {how} ...", markup=False)
        return start_graph(setup, reader, composed=composed, deadline_s=deadline_s)

    return start


def _announce(setup: "ReplaySetup") -> None:
    if setup.topics.found:
        ERR.print("topics found in the bag:", markup=False)
        for line in setup.topics.describe():
            ERR.print(f"  {line}", markup=False)


def print_result(result: ReplayResult, out: Path) -> None:
    """Print the summary, the verdict and where the report is."""
    rows = [("bag", result.bag_path), ("profile", result.profile), ("executed", result.executed)]
    rows += [
        (f"{'' if name.startswith('dropped_') else 'ticks '}{name.lower().replace('_', ' ')}", str(count))
        for name, count in result.ticks.items()
    ]
    rows += [
        (f"ADE at {error.horizon_s:g} s", f"{error.mean_m:.3f} m (n = {error.tick_count})")
        for error in result.ade_m
        if error.mean_m is not None
    ]
    rows += [
        ("input content", result.content_digest),
        ("outputs", result.output_digest),
        ("lineage", result.lineage.lineage_id),
        ("envelope", result.lineage.envelope_id),
    ]
    if result.comparison is not None:
        rows += [(f"changed {kind}", f"{now} (was {was})") for kind, was, now in result.comparison.lineage_changes]
    print_aligned(OUT, rows)
    if result.bag_state in ("recovered", "recording"):
        OUT.print("! ", style="bold yellow", end="")
        OUT.print(f"the bag is a part of what was recorded (state {result.bag_state})", markup=False)
    word = result.verdict.value.upper().replace("_", " ")
    OUT.print(word, style=_COLOURS[result.verdict], end=": ")
    OUT.print("; ".join(result.reasons), markup=False)
    OUT.print(f"report: {(out / 'report.html').resolve()}", markup=False)
