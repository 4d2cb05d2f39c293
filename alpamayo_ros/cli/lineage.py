"""``alpamayo lineage``: what a profile, or a bag, was produced by."""

from pathlib import Path
from typing import Any

import typer

from alpamayo_ros.cli.console import OUT, print_aligned, print_json
from alpamayo_ros.cli.verb_help import VerbCommand

app = typer.Typer(help="Show lineages.", no_args_is_help=True)


@app.command("show", cls=VerbCommand)
def show(
    bag: Path | None = typer.Argument(None, help="A bag: show the lineage that it names. Without one, --profile's."),
    profile: str = typer.Option("kinematic", help="Profile whose lineage here and now is shown."),
    calibration: Path | None = typer.Option(None, help="Calibration file."),
    params: Path | None = typer.Option(None, help="ROS 2 parameter file."),
    envelope: Path | None = typer.Option(None, help="Envelope document."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> int:
    """Show every component of a lineage by digest: of BAG, or of what would run here and now."""
    document = _of_bag(bag) if bag is not None else _of_profile(profile, calibration, params, envelope)
    if not document["lineage_id"] and not as_json:
        OUT.print("This bag names no lineage; it was not written by this package.", markup=False)
        return 0
    if as_json:
        print_json(document)
    else:
        _print(document)
    return 0


def _of_profile(profile: str, calibration: Path | None, params: Path | None, envelope: Path | None) -> dict[str, Any]:
    from alpamayo_ros.envelope.document import load_envelope
    from alpamayo_ros.params.node_parameters import load_parameters
    from alpamayo_ros.perception.calibration import load_calibration
    from alpamayo_ros.pipeline.setup import choose_profile, set_up_stack
    from alpamayo_ros.structs.camera import RigCalibration

    rig = load_calibration(calibration) if calibration is not None else RigCalibration()
    lineage = set_up_stack(choose_profile(profile), load_parameters(params), rig, load_envelope(envelope)).lineage
    return {
        "lineage_id": lineage.lineage_id,
        "envelope_id": lineage.envelope_id,
        "components": [{"kind": c.kind, "digest": c.digest, "name": c.name} for c in lineage.components],
        "details": lineage.details,
        "provenance": lineage.provenance,
    }


def _of_bag(bag: Path) -> dict[str, Any]:
    from alpamayo_ros.errors import BagCorruptError
    from alpamayo_ros.messages.typestore import deserialize
    from alpamayo_ros.storage.identity import read_identity
    from alpamayo_ros.storage.reader import open_bag

    components: list[dict[str, str]] = []
    with open_bag(bag) as reader:
        topics = [name for name, info in reader.topics.items() if info.type_name == "alpamayo_ros/msg/Lineage"]
        for message in reader.messages(topics=topics) if topics else ():
            try:
                latched = deserialize(message.payload, message.type_name)
            except ValueError as error:
                raise BagCorruptError(f"bag {bag}: the lineage on {message.topic} cannot be read: {error}") from error
            components = [{"kind": c.kind, "digest": c.digest, "name": c.name} for c in latched.components]
    report = read_identity(bag)
    return {
        "lineage_id": report.lineage_id,
        "envelope_id": report.envelope_id,
        "components": components,
        "disagreements": list(report.disagreements),
    }


def _print(document: dict[str, Any]) -> None:
    OUT.print(f"lineage   {document['lineage_id']}", markup=False)
    OUT.print(f"envelope  {document['envelope_id']}", markup=False)
    OUT.print()
    print_aligned(
        OUT, [("component", "name", "digest"), *((r["kind"], r["name"], r["digest"]) for r in document["components"])]
    )
    OUT.print()
    for kind, details in document.get("details", {}).items():
        OUT.print(f"{kind}:", markup=False)
        for name, value in details.items():
            OUT.print(f"  {name} = {value}", markup=False)
    if "provenance" in document:
        OUT.print("provenance (no part of the id):", markup=False)
        for name, value in document["provenance"].items():
            OUT.print(f"  {name} = {value}", markup=False)
    for sentence in document.get("disagreements", []):
        OUT.print(f"disagreement: {sentence}", style="bold red", markup=False)
