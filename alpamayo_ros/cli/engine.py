"""``alpamayo engine``: build engines, compare ways of running one model, measure what one costs."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from alpamayo_ros.cli.console import OUT, print_aligned, print_json, progress_bar
from alpamayo_ros.cli.shape_bench import (
    REPEATS,
    SAMPLES,
    TOKENS,
    Device,
    Dtype,
    bench_shape_here,
    print_shape_bench,
    require_one_kind,
)
from alpamayo_ros.cli.verb_help import VerbCommand
from alpamayo_ros.cli.wrapper import EXIT_INCONCLUSIVE, EXIT_PASS, EXIT_REGRESSION
from alpamayo_ros.errors import ConfigurationError, OutputError

if TYPE_CHECKING:
    from alpamayo_ros.structs.engine_comparison import EngineComparison

app = typer.Typer(
    help="Build engines, compare ways of running one model, and measure what one costs.", no_args_is_help=True
)

_SIDE_HELP = "PROFILE or PROFILE@BACKEND, e.g. nano@torch."


class Precision(str, Enum):
    """Numbers that an engine computes with."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


@app.command("build", cls=VerbCommand)
def build(
    profile: str = typer.Argument(metavar="MODEL", help="Profile whose model is built: a name, or a .yaml file."),
    backend: str = typer.Option(..., "--backend", help="Backend id that will run it."),
    precision: Precision = typer.Option(Precision.FP32, help="int8 needs --calibrate-on."),
    arch: str = typer.Option("", metavar="SM,...", help="GPUs to build for, with backend tensorrt: sm_86,sm_89."),
    calibrate_on: Path | None = typer.Option(None, metavar="BAG", help="Bag whose inputs set the scales of int8."),
    keep_float: str = typer.Option(
        "", metavar="NAMES", help="With int8: what stays in float: programs, or PROGRAM:NODES with wildcards."
    ),
    topics: Path | None = typer.Option(None, help="Topics file for that bag."),
    calibration: Path | None = typer.Option(None, help="Calibration file of its cameras."),
    out: Path = typer.Option(
        ..., "--out", metavar="DIR", help="Folder to make: the engine, with a profile that runs it."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> int:
    """Build an engine of MODEL: its files in another precision, named by digest and by everything they were built from.

    DIR/profile.yaml runs it: alpamayo replay run BAG --profile DIR/profile.yaml. A folder that holds the same engine is
    left as it is; any other is refused. Backend tensorrt with --arch builds by TensorRT for RTX, for GPUs that need not
    be there; without it by full TensorRT, for the GPU that is there.
    """
    from alpamayo_ros.replay.engine_session import EngineRequest, build_for_profile

    request = EngineRequest(
        profile, backend, precision.value, out, calibrate_on, topics, calibration,
        _names("--arch", arch, "no GPU; expected names such as sm_86,sm_89"),
        _names("--keep-float", keep_float, "no program; expected names such as reasoning.onnx"),
    )  # fmt: skip
    with progress_bar("listening to the bag") as progress:
        built = build_for_profile(request, progress)
    document = {
        "engine": built.engine.document["engine"], "files": dict(built.engine.files), "digest": built.engine.digest,
        "built": built.now, "profile": str(built.profile),
    }  # fmt: skip
    if as_json:
        print_json(document)
        return EXIT_PASS
    identity = document["engine"]
    rows = [("engine", str(out)), ("digest", built.engine.digest), ("key", identity["key"])]
    rows += [(name, str(identity[name])) for name in ("source", "backend", "precision", "calibration")]
    rows += [("architectures", ", ".join(identity["architectures"]))] if identity["architectures"] else []
    rows += [("kept in float", ", ".join(identity["kept_float"]))] if identity["kept_float"] else []
    rows += [(name, version) for name, version in sorted(identity["libraries"].items())]
    print_aligned(OUT, rows)
    OUT.print("BUILT" if built.now else "THERE ALREADY", style="bold green", end=": ")
    OUT.print(f"run it with --profile {built.profile}", markup=False)
    return EXIT_PASS


@app.command("compare", cls=VerbCommand)
def compare(
    first: str = typer.Argument(metavar="A", help=f"What B is compared with: {_SIDE_HELP}"),
    second: str = typer.Argument(metavar="B", help=f"The other: {_SIDE_HELP}"),
    bag: Path | None = typer.Argument(None, metavar="BAG", help="Bag whose ticks both answer."),
    random: int | None = typer.Option(None, "--random", min=1, metavar="N", help="N random inputs in place of a bag."),
    seed: int = typer.Option(0, min=0, help="With --random: seed of the inputs."),
    tolerances: Path | None = typer.Option(None, help="Tolerances file; else the packaged one."),
    topics: Path | None = typer.Option(None, help="Topics file: which topic carries odometry and each camera."),
    calibration: Path | None = typer.Option(None, help="Calibration file."),
    out: Path | None = typer.Option(None, metavar="DIR", help="Folder to make for comparison.json and a picture."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> int:
    """Run A and B back to back with the same seeds, and say how far they are apart.

    Each answers every tick of BAG by itself; besides, each program of A is run by B on the same inputs, which shows
    where a difference arises. Ends with 1 where more differs than the tolerances allow, 3 where nothing was compared.
    """
    from alpamayo_ros.replay.engine_compare import compare_on_bag, compare_on_random, parse_side
    from alpamayo_ros.replay.engine_tolerances import load_engine_tolerances
    from alpamayo_ros.report.engine_charts import draw_engine_comparison
    from alpamayo_ros.report.engine_json import engine_comparison_document

    if (bag is None) == (random is None):
        raise ConfigurationError("give a bag or --random N; expected exactly one of them")
    if out is not None and out.exists():
        raise ConfigurationError(f"output {out} exists; expected the name of a folder to make")
    sides, allowed = (parse_side(first), parse_side(second)), load_engine_tolerances(tolerances)
    if bag is not None:
        with progress_bar("running both") as progress:
            found = compare_on_bag(*sides, bag, allowed, topics=topics, calibration=calibration, progress=progress)
    else:
        found = compare_on_random(*sides, random or 1, allowed, seed)
    document = engine_comparison_document(found)
    if out is not None:
        _write(out, document, draw_engine_comparison(found))
    if as_json:
        print_json(document)
    else:
        _print(found)
    if not found.compared:
        return EXIT_INCONCLUSIVE
    return EXIT_REGRESSION if found.exceeded else EXIT_PASS


@app.command("bench", cls=VerbCommand)
def bench(
    side: str | None = typer.Argument(None, metavar="MODEL", help=f"What is measured: {_SIDE_HELP}"),
    bag: Path | None = typer.Argument(None, metavar="BAG", help="Bag whose ticks are answered, as fast as it goes."),
    passes: int = typer.Option(1, min=1, max=1000, help="How often the bag is gone through."),
    worker: bool = typer.Option(False, "--worker", help="Run the model in a process of its own."),
    failover: bool = typer.Option(
        False, "--failover", help="Measure too what a process of the model costs that is killed, and one that hangs."
    ),
    topics: Path | None = typer.Option(None, help="Topics file: which topic carries odometry and each camera."),
    calibration: Path | None = typer.Option(None, help="Calibration file."),
    shape: str | None = typer.Option(
        None,
        "--shape",
        metavar="NAME",
        help="In place of MODEL and BAG: a model of this shape with random weights, alpamayo-1.5 or tiny. It measures "
        "latency; its answers mean nothing.",
    ),
    device: Device | None = typer.Option(None, help="With --shape: where it runs; else cuda."),
    dtype: Dtype | None = typer.Option(None, help="With --shape: its numbers; else bf16 on cuda, fp32 on cpu."),
    tokens: int | None = typer.Option(None, min=1, max=4096, help=f"With --shape: tokens decoded; else {TOKENS}."),
    samples: int | None = typer.Option(None, min=1, max=64, help=f"With --shape: trajectories; else {SAMPLES}."),
    repeats: int | None = typer.Option(None, min=1, max=1000, help=f"With --shape: answers; else {REPEATS}."),
    seed: int | None = typer.Option(None, min=0, help="With --shape: seed of weights and inputs; else 0."),
    out: Path | None = typer.Option(None, metavar="FILE", help="JSON file to write, e.g. docs/bench/<device>.json."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> int:
    """Measure start, memory, latency by stage, throughput and what a failing backend costs, on this machine.

    It runs in a process of its own that does nothing else; keep the machine quiet. What the host does not tell (energy,
    temperature) is null.

    With --shape it measures what the pictures, the prompt, each token and each step of flow matching cost a model of
    that shape, run by torch with random weights: nothing is downloaded, and what it answers means nothing.
    """
    for_model = {
        "MODEL": side, "BAG": bag, "--passes": passes > 1, "--worker": worker, "--failover": failover,
        "--topics": topics, "--calibration": calibration,
    }  # fmt: skip
    for_shape = {
        "--device": device, "--dtype": dtype, "--tokens": tokens, "--samples": samples, "--repeats": repeats,
        "--seed": seed,
    }  # fmt: skip
    require_one_kind(shape, for_model, for_shape)
    from alpamayo_ros.cli.engine_bench import BenchRequest, bench_in_fresh_process, print_bench, write_bench

    if shape is not None:
        document = bench_shape_here(shape, for_shape)
    else:
        measured = bench_in_fresh_process(
            BenchRequest(str(side), str(bag), passes, worker, failover, str(topics or ""), str(calibration or ""))
        )
        if isinstance(measured, int):
            return measured
        document = measured
    if out is not None:
        write_bench(out, document)
    if as_json:
        print_json(document)
    elif shape is not None:
        print_shape_bench(document)
    else:
        print_bench(document)
    return EXIT_PASS


def _names(option: str, text: str, problem: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if text.strip() and not names:
        raise ConfigurationError(f"{option} {text!r} names {problem}")
    return names


def _write(out: Path, document: object, picture: bytes) -> None:
    import json

    from alpamayo_ros.storage.filesystem import LOCAL_FILE_SYSTEM, write_atomically

    text = json.dumps(document, indent=2, allow_nan=False) + "\n"
    try:
        out.mkdir(parents=True)
        write_atomically(LOCAL_FILE_SYSTEM, out / "comparison.png", picture)
        write_atomically(LOCAL_FILE_SYSTEM, out / "comparison.json", text.encode())
    except OSError as error:
        raise OutputError(f"output {out} cannot be written: {error.strerror}; expected a folder to make") from error


def _print(found: "EngineComparison") -> None:
    for label, side in (("A", found.first), ("B", found.second)):
        libraries = ", ".join(f"{name} {version}" for name, version in sorted(side.libraries.items()))
        OUT.print(
            f"{label}  {side.name}: backend {side.backend}" + (f" ({libraries})" if libraries else ""), markup=False
        )
    OUT.print(found.source, markup=False)
    rows = [("stage", "output", "calls", "largest", "mean", "typical value", "allowed", "unit")]
    rows += [
        (
            one.stage, one.output, str(one.calls), f"{one.largest:.2e}", f"{one.mean:.2e}", f"{one.typical:.2e}",
            f"{one.tolerance:.2e}", one.unit,
        )
        for one in found.outputs
    ]  # fmt: skip
    print_aligned(OUT, rows, right=(2, 3, 4, 5, 6))
    if found.ticks:
        worst = max(found.ticks, key=lambda tick: tick.ade_m)
        mean = sum(tick.ade_m for tick in found.ticks) / len(found.ticks)
        shares = ", ".join(f"same {name} {share:.1%}" for name, share in found.shares.items())
        OUT.print(f"{len(found.ticks)} ticks: {shares}", markup=False)
        OUT.print(
            f"distance of plans: mean {mean:.2e} m, largest {worst.ade_m:.2e} m at t0 {worst.t0_ns} ns", markup=False
        )
    apart = found.first_apart
    if apart is not None:
        OUT.print(f"first apart in stage {apart.stage} at t0 {apart.t0_ns} ns", markup=False)
        if not apart.same_text:
            OUT.print(f"  A: {apart.texts[0]}\n  B: {apart.texts[1]}", markup=False)
    for sentence in found.exceeded:
        OUT.print(sentence, markup=False)
    if not found.compared:
        OUT.print("INCONCLUSIVE", style="bold yellow", end=": ")
        OUT.print("nothing was compared", markup=False)
    elif found.exceeded:
        OUT.print("APART", style="bold red", end=": ")
        OUT.print(f"more than the tolerances {found.tolerances.split()[0]} allow", markup=False)
    else:
        OUT.print("ALIKE", style="bold green", end=": ")
        OUT.print(f"within the tolerances {found.tolerances.split()[0]}", markup=False)
