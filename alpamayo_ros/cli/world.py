"""``alpamayo world``: episodes of the driving world as pictures, bags and closed-loop drives."""

from enum import Enum
from pathlib import Path

import typer

from alpamayo_ros.cli.verb_help import VerbCommand

app = typer.Typer(
    help="Drive in a simulated world: look at episodes, record them as bags, drive profiles in closed loop.",
    no_args_is_help=True,
    epilog="An EPISODE is SCENARIO:SEED, such as red_light:7, and of a held-out road SCENARIO:SEED@held_out.",
)
dataset_app = typer.Typer(
    help="Say what a data set holds, what it was made from, and what of it is real.", no_args_is_help=True
)
app.add_typer(dataset_app, name="dataset")

_EPISODE = typer.Argument(metavar="EPISODE", help="SCENARIO:SEED, or SCENARIO:SEED@held_out.")
_CAMERAS = typer.Option("", "--cameras", metavar="IDS", help="Camera ids with commas.  [default: the front four]")
_SIZE = typer.Option("480x288", "--size", metavar="WxH", help="Size of the pictures in px.")
_FROM = typer.Option(0.0, "--from", metavar="S", min=0.0, help="Begin so many seconds after the start.")
_TO = typer.Option(None, "--to", metavar="S", help="End so many seconds after the start; by default at the end.")
_JSON = typer.Option(False, "--json", help="Print JSON.")
_DRIVER_HELP = "Profile name, or path of a profile .yaml file."


class RealKind(str, Enum):
    """What a real bag is."""

    HUMAN_DEMONSTRATION = "human_demonstration"
    FLEET = "fleet"


@app.command("list", cls=VerbCommand)
def list_(
    episode: str | None = typer.Argument(
        None, metavar="EPISODE", help="Show this episode: its parameters, weather, faults and actors."
    ),
    as_json: bool = _JSON,
) -> int:
    """List the scenarios, their road networks and what is drawn for each episode; or show one EPISODE.

    Training and held-out episodes lie on other road networks and have other ranges of parameters.
    """
    from alpamayo_ros.cli.world_list import print_episode, print_scenarios

    if episode is None:
        print_scenarios(as_json=as_json)
    else:
        print_episode(episode, as_json=as_json)
    return 0


@app.command("render", cls=VerbCommand)
def render(
    episode: str = _EPISODE,
    out: Path | None = typer.Option(None, "--out", metavar="DIR", help="Folder of pictures to make."),
    video: Path | None = typer.Option(None, "--video", metavar="FILE.mp4", help="Video of all cameras to make."),
    cameras: str = _CAMERAS,
    size: str = _SIZE,
    from_s: float = _FROM,
    to_s: float | None = _TO,
    as_json: bool = _JSON,
) -> int:
    """Render what the cameras see while the expert drives EPISODE, ten times a second.

    Pictures are DIR/CAMERA/STEP.jpg. The video also shows what the expert does and why.
    """
    from alpamayo_ros.cli.world_record import render_pictures

    render_pictures(
        episode, out=out, video=video, cameras=cameras, size=size, from_s=from_s, to_s=to_s, as_json=as_json
    )
    return 0


@app.command("record", cls=VerbCommand)
def record(
    episode: str = _EPISODE,
    out: Path = typer.Option(..., "--out", metavar="BAG", help="Bag folder to make."),
    cameras: str = _CAMERAS,
    size: str = _SIZE,
    quality: int = typer.Option(60, "--quality", min=1, max=100, help="Of the JPEG files."),
    from_s: float = _FROM,
    to_s: float | None = _TO,
    as_json: bool = _JSON,
) -> int:
    """Record EPISODE, driven by the expert, as a bag with ground truth: the same bytes for the same versions.

    Cameras, odometry, navigation, actors and transforms are as a vehicle sends them, with the faults and the weather
    of the episode. /ground_truth holds what the expert does and why, and the driven path. The bag says that it is
    simulated, how, and what the world leaves out.
    """
    from alpamayo_ros.cli.world_record import record_bag

    record_bag(episode, out=out, cameras=cameras, size=size, quality=quality, from_s=from_s, to_s=to_s, as_json=as_json)
    return 0


@app.command("drive", cls=VerbCommand)
def drive(
    episode: str | None = typer.Argument(None, metavar="EPISODE", help="One episode; else --scenario and --seeds."),
    scenario: str | None = typer.Option(None, "--scenario", metavar="NAME", help="A scenario, or all."),
    seeds: str | None = typer.Option(None, "--seeds", metavar="A-B", help="A seed, or a range with both ends."),
    held_out: bool = typer.Option(False, "--held-out", help="Held-out roads and parameters."),
    profile: str = typer.Option(
        ..., "--profile", metavar="PROFILE", help=f"{_DRIVER_HELP} 'expert' drives with what the world knows."
    ),
    backend: str = typer.Option("", help="Backend id in place of the profile's own."),
    params: Path | None = typer.Option(None, help="ROS 2 parameter file; of it, what is behavioural."),
    workers: int = typer.Option(1, "--workers", min=1, max=64, help="Processes; the numbers are the same for any."),
    out: Path | None = typer.Option(None, "--out", metavar="DIR", help="Folder for drives.json, to be made."),
    as_json: bool = _JSON,
) -> int:
    """Let a profile drive episodes in closed loop and count collisions, drives off the road, progress and comfort.

    What the profile plans moves the vehicle, traffic reacts, and the cameras see what comes of it. Rates have 95 %
    intervals of Wilson. The same episodes and versions give the same numbers. Nothing is judged: drives that collide
    still end with 0.
    """
    from alpamayo_ros.cli.world_drive import drive_episodes

    return drive_episodes(
        episode=episode,
        scenario=scenario,
        seeds=seeds,
        held_out=held_out,
        profile=profile,
        backend=backend,
        params=params,
        workers=workers,
        out=out,
        as_json=as_json,
    )


@app.command("counterfactual", cls=VerbCommand)
def counterfactual(
    episode: str = _EPISODE,
    remove: list[str] = typer.Option([], "--remove", metavar="ACTOR", help="It was never there; a kind takes all."),
    move: list[str] = typer.Option([], "--move", metavar="ACTOR:AHEAD,LEFT", help="Metres along its own heading."),
    recolour: list[str] = typer.Option([], "--recolour", metavar="ACTOR:#rrggbb", help="Another colour."),
    add: list[str] = typer.Option(
        [], "--add", metavar="KIND:AHEAD,LEFT", help="A further one, metres ahead of the start along the route."
    ),
    profile: str = typer.Option("expert", "--profile", metavar="PROFILE", help=f"{_DRIVER_HELP} Or the expert."),
    backend: str = typer.Option("", help="Backend id in place of the profile's own."),
    at: list[float] = typer.Option([], "--at", metavar="S", help="Show this moment; else those where most happens."),
    out: Path = typer.Option(..., "--out", metavar="DIR", help="Folder to make."),
    as_json: bool = _JSON,
) -> int:
    """Drive EPISODE twice, as it is and with one thing changed, and show both on one page.

    DIR/counterfactual.html holds camera pictures side by side with the named cause boxed, the rationales, both drives
    from above, speed and decisions over time, and what changed in words; counterfactual.json holds the numbers. Ends
    with 3 when a driver decided fewer than 10 times.
    """
    from alpamayo_ros.cli.world_counterfactual import show_counterfactual

    return show_counterfactual(
        episode,
        remove=remove,
        move=move,
        recolour=recolour,
        add=add,
        profile=profile,
        backend=backend,
        at=at,
        out=out,
        as_json=as_json,
    )


@dataset_app.command("write", cls=VerbCommand)
def dataset_write(
    out: Path = typer.Argument(metavar="FILE", help="Manifest to make, .json."),
    name: str = typer.Option(..., "--name", help="Name of the data set."),
    bag: list[Path] = typer.Option([], "--bag", metavar="BAG", help="A bag of the data set; again for each."),
    real_kind: RealKind | None = typer.Option(None, "--real-kind", help="What the bags are that say they are real."),
    scenario: str | None = typer.Option(None, "--scenario", metavar="NAME", help="Episodes of a scenario, or of all."),
    seeds: str | None = typer.Option(None, "--seeds", metavar="A-B", help="Their seeds, both ends included."),
    held_out: bool = typer.Option(False, "--held-out", help="Of the held-out roads."),
    licence: str = typer.Option("Apache-2.0", "--licence", help="Of the data set as a whole."),
    force: bool = typer.Option(False, "--force", help="Replace an existing manifest."),
    as_json: bool = _JSON,
) -> int:
    """Write the manifest of a data set made of bags, of episodes of the world, or of both.

    Each row says whether it is a human demonstration, from a fleet, or a simulation, and what it was made from. What
    claims to be real and simulated at once is refused. The manifest's digest is what a lineage names.
    """
    from alpamayo_ros.cli.world_dataset import write_dataset

    write_dataset(
        out,
        name=name,
        bags=bag,
        real_kind=real_kind.value if real_kind is not None else "",
        scenario=scenario,
        seeds=seeds,
        held_out=held_out,
        licence=licence,
        force=force,
        as_json=as_json,
    )
    return 0


@dataset_app.command("verify", cls=VerbCommand)
def dataset_verify(
    manifest: Path = typer.Argument(metavar="FILE", help="Manifest."),
    bag: list[Path] = typer.Option([], "--bag", metavar="BAG", help="A bag that must be in it; again for each."),
    as_json: bool = _JSON,
) -> int:
    """Verify that a manifest is as it was written, and that bags hold what it says.

    Ends with 0 when all is as stated; 2 when the file is no manifest; 4 when it or a bag was changed.
    """
    from alpamayo_ros.cli.world_dataset import verify_dataset

    verify_dataset(manifest, bags=bag, as_json=as_json)
    return 0
