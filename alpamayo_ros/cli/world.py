"""``alpamayo world``: make simulated bags."""

from pathlib import Path

import typer

from alpamayo_ros.cli.console import print_json, progress_bar
from alpamayo_ros.cli.verb_help import VerbCommand

app = typer.Typer(help="Make simulated bags.", no_args_is_help=True)


@app.command("demo", cls=VerbCommand)
def demo(
    out: Path = typer.Argument(help="Bag folder to make."),
    seed: int = typer.Option(0, min=0, help="Seed of the scene."),
) -> int:
    """Render and drive the demo bag: four cameras and odometry, simulated, the same for the same seed."""
    from alpamayo_ros.cli.world_demo import write_demo_bag

    with progress_bar("rendering") as progress:
        summary = write_demo_bag(out, seed=seed, progress=lambda part: progress(round(100 * part), 100))
    print_json(summary)
    return 0
