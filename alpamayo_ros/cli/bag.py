"""``alpamayo bag``: look at bags and make them from other sources."""

from pathlib import Path

import typer

app = typer.Typer(help="Look at bags, and import other data sets as bags.", no_args_is_help=True)
import_app = typer.Typer(help="Import a foreign data set as a bag.", no_args_is_help=True)
app.add_typer(import_app, name="import")


@app.command("info")
def info(
    bag: Path = typer.Argument(help="Bag folder, or a bare .mcap or .db3 file."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> int:
    """Show topics, rates, gaps, duration, content digest, lineage and envelope of BAG."""
    from alpamayo_ros.cli.bag_info import bag_info

    bag_info(bag, as_json=as_json)
    return 0


@import_app.command("pandaset")
def import_pandaset(
    source: Path = typer.Argument(help="Folder of one PandaSet sequence (camera/, lidar/, meta/)."),
    destination: Path = typer.Argument(help="Bag folder to make."),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON summary."),
) -> int:
    """Import one PandaSet sequence: six cameras, odometry, GNSS, labelled actors, calibration."""
    from alpamayo_ros.cli.bag_import import bag_import_pandaset

    bag_import_pandaset(source, destination, as_json=as_json)
    return 0
