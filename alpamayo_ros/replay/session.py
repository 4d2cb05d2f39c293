"""One replay from start to finish: run, compare, judge, write the result and its report."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from alpamayo_ros.errors import BagWriteError, OutputError
from alpamayo_ros.lineage.manifest import compare_components, digests_by_kind
from alpamayo_ros.replay.baseline import (
    OUTPUTS_FOLDER,
    RESULT_FILE,
    Baseline,
    BaselineKey,
    compared_type_hashes,
    load_baseline,
)
from alpamayo_ros.replay.compare import compare_outputs
from alpamayo_ros.replay.drive import DriveStarter, start_in_process
from alpamayo_ros.replay.judge import count_outcomes, judge_replay, too_little_to_judge
from alpamayo_ros.replay.outputs import foreign_to_outputs, read_outputs
from alpamayo_ros.replay.pictures import read_pictures
from alpamayo_ros.replay.policy import Policy, load_policy
from alpamayo_ros.replay.run import Progress, ReplayFacts, ReplaySetup, replay_bag, set_up_replay
from alpamayo_ros.replay.swap import put_in_place
from alpamayo_ros.report.html import render_report
from alpamayo_ros.report.junit import render_junit
from alpamayo_ros.report.result_json import result_document
from alpamayo_ros.storage.filesystem import LOCAL_FILE_SYSTEM, temporary_name, write_atomically
from alpamayo_ros.storage.identity import TRACE_KEY
from alpamayo_ros.storage.reader import BagReader, open_bag
from alpamayo_ros.structs.verdict import Comparison, ReplayResult, ReportData

REPORT_FILE = "report.html"
JUNIT_FILE = "junit.xml"


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What the user asked for.

    Attributes:
        bag: Input bag.
        profile: Profile name, or path of a profile file.
        backend: Backend id in place of the profile's own, empty for that.
        out: Folder of the result, to be made.
        topics: Topics file.
        calibration: Calibration file.
        parameters: Parameter file.
        envelope: Envelope document.
        policy: Comparison policy, None for the packaged default.
        baseline: Folder of the baseline to compare with.
        ticks: ``all`` or ``recorded``.
        force: Replace an earlier result.
        command: Command line that reproduces this, for the report.
    """

    bag: Path
    profile: str
    out: Path
    backend: str = ""
    topics: Path | None = None
    calibration: Path | None = None
    parameters: Path | None = None
    envelope: Path | None = None
    policy: Path | None = None
    baseline: Path | None = None
    ticks: str = "all"
    force: bool = False
    command: str = ""


def run_session(
    request: ReplayRequest,
    *,
    clock: Callable[[], float],
    announce: Callable[[ReplaySetup], None] | None = None,
    progress: Progress | None = None,
    start_drive: DriveStarter = start_in_process,
) -> ReplayResult:
    """Replay, compare, judge, and write everything into ``request.out``.

    Args:
        request: What to do.
        clock: Seconds, for the timings, which are in no digest.
        announce: Called with what was loaded, before the first message is fed.
        progress: Called with the number of messages read and their total.
        start_drive: Loads and starts the stack; in this process by default.

    Raises:
        AlpamayoError: Of the class that fits what is wrong; the output folder then holds what was written so far.
    """
    started = clock()
    policy = load_policy(request.policy)
    baseline = load_baseline(request.baseline) if request.baseline is not None else None
    with open_bag(request.bag) as reader:
        setup = set_up_replay(
            reader,
            profile_name=request.profile,
            backend=request.backend,
            topics_path=request.topics,
            calibration_path=request.calibration,
            parameters_path=request.parameters,
            envelope_path=request.envelope,
            ticks=request.ticks,
        )
        if announce is not None:
            announce(setup)
        with (
            start_drive(setup, reader) as drive,
            output_folder(request.out, _inputs_of(request), force=request.force) as out,
        ):
            ready = clock()
            facts = replay_bag(reader, setup, drive, out / OUTPUTS_FOLDER, progress)
            replayed = clock()
            result = _judged(request, out, setup, facts, policy, baseline)
            judged = clock()
            timings = {"set_up_s": ready - started, "replay_s": replayed - ready, "compare_s": judged - replayed}
            result = replace(result, timings=timings, bag_state=reader.custom_data.get("state", ""))
            _write_results(request, out, reader, setup, facts, baseline, result)
    return result


def _judged(
    request: ReplayRequest,
    out: Path,
    setup: ReplaySetup,
    facts: ReplayFacts,
    policy: Policy,
    baseline: Baseline | None,
) -> ReplayResult:
    not_comparable: tuple[str, ...] = ()
    comparison: Comparison | None = None
    if baseline is not None:
        key = BaselineKey(facts.content_digest, compared_type_hashes(), setup.ticks_requested, policy.policy_id)
        not_comparable = baseline.key.differences(key)
        if not not_comparable:
            comparison = _compared(out, setup, policy, baseline)
    too_little = too_little_to_judge(facts.marks)
    verdict, reasons = judge_replay(too_little, not_comparable, comparison)
    return ReplayResult(
        verdict=verdict,
        reasons=reasons,
        ticks=count_outcomes(facts.marks, facts.open_at_end, facts.dropped) | facts.not_opened,
        content_digest=facts.content_digest,
        input_order_digest=facts.input_order_digest,
        output_digest=facts.output_digest,
        lineage=setup.lineage,
        ade_m=facts.driven.errors(),
        timings={},
        comparison=comparison,
        bag_path=str(request.bag),
        profile=setup.profile.name,
        executed=facts.executed,
        ticks_requested=setup.ticks_requested,
        too_little=too_little,
        policy={"policy_id": policy.policy_id, "name": policy.name},
        baseline=None if baseline is None else baseline.info,
    )


def _compared(out: Path, setup: ReplaySetup, policy: Policy, baseline: Baseline) -> Comparison:
    with open_bag(baseline.outputs) as approved, open_bag(out / OUTPUTS_FOLDER) as candidate:
        comparison = compare_outputs(read_outputs(approved), read_outputs(candidate), policy)
    changes = compare_components(baseline.components, digests_by_kind(setup.lineage))
    return replace(comparison, lineage_changes=changes)


def _write_results(
    request: ReplayRequest,
    out: Path,
    reader: BagReader,
    setup: ReplaySetup,
    facts: ReplayFacts,
    baseline: Baseline | None,
    result: ReplayResult,
) -> None:
    paths = facts.samples.paths()
    if baseline is not None and result.comparison is not None:
        with open_bag(baseline.outputs) as approved:
            paths = facts.samples.paths(read_outputs(approved))
    pictures, note = read_pictures(reader, setup.topics, setup.rig, paths)
    data = ReportData(
        title=f"Replay of {request.bag.name} with profile {setup.profile.name}",
        result=result,
        driven_odom_xyz_m=facts.driven.driven_odom_xyz_m(),
        paths=paths,
        pictures=pictures,
        marks=tuple(facts.marks),
        picture_note=note,
        bag_tags={key: text for key, text in reader.custom_data.items() if key != TRACE_KEY},
        command=request.command,
        statements=facts.statements.found,
        statements_left_out=facts.statements.left_out,
    )
    write_text(out / REPORT_FILE, render_report(data))
    write_text(out / JUNIT_FILE, render_junit(result, suite_name=f"alpamayo replay {request.bag.name}"))
    # Last, because its presence says that the replay was finished.
    write_text(out / RESULT_FILE, json.dumps(result_document(result), indent=2, allow_nan=False) + "\n")


def _inputs_of(request: ReplayRequest) -> tuple[Path, ...]:
    given = (
        request.bag,
        request.topics,
        request.calibration,
        request.parameters,
        request.envelope,
        request.policy,
        request.baseline,
    )
    return tuple(path for path in given if path is not None)


@contextmanager
def output_folder(out: Path, inputs: Sequence[Path] = (), *, force: bool) -> Iterator[Path]:
    """Give a folder to write a result into.

    A new result is written in its place, so that what an interrupt leaves is found there. One that replaces an
    earlier result is written beside it and put in its place when it is whole; until then the earlier one stays.

    Args:
        out: The folder.
        inputs: Files and folders that are read; none of them may lie in the output, nor the output in them.
        force: Replace an earlier result.

    Raises:
        OutputError: It exists already, is something else than a result, or cannot be made.
    """
    try:
        place = _made_folder(out, inputs, force=force)
    except OSError as error:
        raise OutputError(f"output {out} cannot be written: {error.strerror or error}") from error
    # Outside of that try: an error of the replay itself is no error of the folder.
    if place == out:
        yield out
        return
    try:
        yield place
        _require_result(out)
        put_in_place(place, out)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _made_folder(out: Path, inputs: Sequence[Path], *, force: bool) -> Path:
    """Make the output folder, or one beside it where it holds an earlier result, and return it."""
    _require_apart(out, inputs)
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise OutputError(f"output {out} exists and is not a folder; expected a new path")
    if not (out.exists() and any(out.iterdir())):
        out.mkdir(parents=True, exist_ok=True)
        return out
    if not force:
        raise OutputError(f"output {out} exists already; expected a new path, or --force to replace it")
    _require_result(out)
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    return part


def _require_apart(out: Path, inputs: Sequence[Path]) -> None:
    place = out.resolve()
    for path in inputs:
        read = path.resolve()
        if place == read or place in read.parents or read in place.parents:
            raise OutputError(f"output {out} and input {path} lie in each other; expected separate folders")


def _require_result(out: Path) -> None:
    """Require that a folder holds nothing but what a replay wrote."""
    files = {REPORT_FILE, JUNIT_FILE, RESULT_FILE}
    ours = {OUTPUTS_FOLDER, *files, *(temporary_name(name) for name in files)}
    foreign = sorted(entry.name for entry in out.iterdir() if entry.name not in ours)
    outputs = out / OUTPUTS_FOLDER
    if outputs.exists() and not foreign:
        foreign = foreign_to_outputs(outputs)
    if foreign:
        raise OutputError(
            f"output {out} holds something that no replay wrote ({', '.join(foreign[:5])}); "
            "--force replaces earlier results only"
        )


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all.

    Raises:
        BagWriteError: The disk is full or refused the write.
    """
    try:
        write_atomically(LOCAL_FILE_SYSTEM, path, text.encode())
    except OSError as error:
        raise BagWriteError(f"{path} cannot be written: {error.strerror or error}") from error
