"""``alpamayo bag``: look at bags and make them from other sources."""

from pathlib import Path

import typer

app = typer.Typer(
    help="Look at bags, cut, merge, filter, convert, verify and recover them, and import other data sets as bags.",
    no_args_is_help=True,
)
import_app = typer.Typer(help="Import a foreign data set as a bag.", no_args_is_help=True)
app.add_typer(import_app, name="import")

_SOURCE = "Bag folder, or a bare .mcap or .db3 file."
_FOR_DISTRO = typer.Option(
    None,
    "--for-distro",
    metavar="RELEASE",
    help="Release that reads it: humble, iron, jazzy, kilted, lyrical or rolling; by default that of the source.",
)
_COMPRESSION = typer.Option(
    None, "--compression", metavar="METHOD", help="zstd, lz4 or none; by default that of the source."
)
_SPLIT_SIZE = typer.Option(
    None, "--split-size", metavar="SIZE", help="Begin a new file after so much, such as 2GB; by default one file."
)
_JSON = typer.Option(False, "--json", help="Print a JSON summary.")


@app.command("info")
def info(
    bag: Path = typer.Argument(help="Bag folder, or a bare .mcap or .db3 file."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> int:
    """Show topics, rates, gaps, duration, content digest, lineage and envelope of BAG."""
    from alpamayo_ros.cli.bag_info import bag_info

    bag_info(bag, as_json=as_json)
    return 0


@app.command("cut")
def cut(
    bag: Path = typer.Argument(help=_SOURCE),
    destination: Path = typer.Argument(help="Bag folder to make."),
    start: str | None = typer.Option(None, "--start", metavar="TIME", help="First time to take; else the first."),
    end: str | None = typer.Option(None, "--end", metavar="TIME", help="First time to leave out; else none."),
    for_distro: str | None = _FOR_DISTRO,
    compression: str | None = _COMPRESSION,
    split_size: str | None = _SPLIT_SIZE,
    as_json: bool = _JSON,
) -> int:
    """Copy a part of BAG: from --start on, and before --end.

    TIME is seconds after the bag's first message (12.5), or a receive time (1700000000000000000ns). Latched messages
    from before the start, such as /tf_static and the lineage, are carried to it. Only what is in range is read.

    Example: alpamayo bag cut drive turn --start 12.5 --end 20
    """
    from alpamayo_ros.cli.bag_copy import bag_copy

    bag_copy(
        "cut",
        [bag],
        destination,
        start=start,
        end=end,
        as_json=as_json,
        for_distro=for_distro,
        compression=compression,
        split_size=split_size,
    )
    return 0


@app.command("filter")
def filter_topics(
    bag: Path = typer.Argument(help=_SOURCE),
    destination: Path = typer.Argument(help="Bag folder to make."),
    topics: list[str] = typer.Option([], "--topic", metavar="PATTERN", help="Take these topics; may be given again."),
    exclude: list[str] = typer.Option([], "--exclude", metavar="PATTERN", help="Leave these topics out."),
    types: list[str] = typer.Option([], "--type", metavar="PATTERN", help="Take topics of these types too."),
    for_distro: str | None = _FOR_DISTRO,
    compression: str | None = _COMPRESSION,
    split_size: str | None = _SPLIT_SIZE,
    as_json: bool = _JSON,
) -> int:
    """Copy some topics of BAG: those of --topic and --type, or all of them, less those of --exclude.

    In a PATTERN * is any text, slashes included, and ? one character. Hidden topics (/_) are taken by a PATTERN that
    names them, and the lineage unless it is excluded. A PATTERN that matches nothing is an error.

    Example: alpamayo bag filter drive front --topic '/camera/front/*' --topic /odometry
    """
    from alpamayo_ros.cli.bag_copy import bag_copy

    bag_copy(
        "filter",
        [bag],
        destination,
        topics=topics,
        exclude=exclude,
        types=types,
        as_json=as_json,
        for_distro=for_distro,
        compression=compression,
        split_size=split_size,
    )
    return 0


@app.command("merge")
def merge(
    bags: list[Path] = typer.Argument(metavar="BAG BAG...", help="Bags to merge."),
    destination: Path = typer.Option(..., "--out", "-o", metavar="DST", help="Bag folder to make."),
    allow_different_tags: bool = typer.Option(
        False, "--allow-different-tags", help="Merge different drives: tags that differ are left out."
    ),
    for_distro: str | None = _FOR_DISTRO,
    compression: str | None = _COMPRESSION,
    split_size: str | None = _SPLIT_SIZE,
    as_json: bool = _JSON,
) -> int:
    """Merge bags into one, in the order of their messages' receive times.

    The bags must name one lineage, one envelope and the same tags. The parts that a bag was cut into, merged again,
    have the content digest of the whole.

    Example: alpamayo bag merge before turn after --out drive
    """
    from alpamayo_ros.cli.bag_copy import bag_copy

    bag_copy(
        "merge",
        bags,
        destination,
        allow_different_tags=allow_different_tags,
        as_json=as_json,
        for_distro=for_distro,
        compression=compression,
        split_size=split_size,
    )
    return 0


@app.command("convert")
def convert(
    bag: Path = typer.Argument(help="Bag folder, .mcap, .db3 or ROS 1 .bag file; compressed or not."),
    destination: Path = typer.Argument(help="Bag folder to make."),
    for_distro: str | None = _FOR_DISTRO,
    compression: str | None = _COMPRESSION,
    split_size: str | None = _SPLIT_SIZE,
    as_json: bool = _JSON,
) -> int:
    """Copy BAG into MCAP files for another release, with other compression, or split.

    Example: alpamayo bag convert drive for_humble --for-distro humble
    """
    from alpamayo_ros.cli.bag_copy import bag_copy

    bag_copy(
        "convert",
        [bag],
        destination,
        as_json=as_json,
        for_distro=for_distro,
        compression=compression,
        split_size=split_size,
    )
    return 0


@app.command("verify")
def verify(
    bag: Path = typer.Argument(help="Bag folder or bag file."),
    decode: bool = typer.Option(False, "--decode", help="Decode every message whose type is known; takes longer."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> int:
    """Compare everything that BAG states with what is in it: checksums, index, counts, times, hashes, identity.

    Ends with 0 when nothing is wrong, 4 when something is, 2 when BAG is no bag.
    """
    from alpamayo_ros.cli.bag_verify import bag_verify

    return bag_verify(bag, decode=decode, as_json=as_json)


@app.command("recover")
def recover(
    bag: Path = typer.Argument(help="Bag folder or bag file in any state; it is not changed."),
    destination: Path | None = typer.Option(
        None, "--out", "-o", metavar="DST", help="Bag folder to make; by default NAME_recovered beside BAG."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON summary."),
) -> int:
    """Make a valid bag of what is left of BAG, which was cut, killed or damaged, and say what is missing.

    Of a sound bag nothing is written.

    Example: alpamayo bag recover drive --out drive_saved
    """
    from alpamayo_ros.cli.bag_recover import bag_recover

    bag_recover(bag, destination=destination, as_json=as_json)
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


@import_app.command("comma2k19")
def import_comma2k19(
    source: Path = typer.Argument(help="Folder of one comma2k19 segment (global_pose/, processed_log/)."),
    destination: Path = typer.Argument(help="Bag folder to make."),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON summary."),
) -> int:
    """Import one comma2k19 segment: odometry, inertial unit, GNSS, speed, steering, wheels, radar; no pictures."""
    from alpamayo_ros.cli.bag_import import bag_import_comma2k19

    bag_import_comma2k19(source, destination, as_json=as_json)
    return 0


@import_app.command("video")
def import_video(
    source: Path = typer.Argument(help="Video file that OpenCV's FFmpeg reads (MP4, MKV, AVI, TS ...)."),
    destination: Path = typer.Argument(help="Bag folder to make."),
    camera: str = typer.Option("front", "--camera", metavar="ID", help="Camera id, which names the topic."),
    start_ns: int = typer.Option(0, "--start-ns", metavar="NS", help="Stamp of the video's time 0."),
    fps: float | None = typer.Option(
        None, "--fps", metavar="HZ", help="Frames per second, only for a video without usable frame times."
    ),
    quality: int = typer.Option(95, "--quality", metavar="1-100", help="Quality of the JPEG pictures."),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON summary."),
) -> int:
    """Import a video file as the pictures of one camera: no odometry, stamps are the container's frame times."""
    from alpamayo_ros.cli.bag_import import bag_import_video

    bag_import_video(source, destination, camera=camera, start_ns=start_ns, fps=fps, quality=quality, as_json=as_json)
    return 0


@import_app.command("physical-ai-av")
def import_physical_ai_av(
    clip: str = typer.Argument(help="Clip id (UUID)."),
    destination: Path = typer.Argument(help="Bag folder to make."),
    root: Path | None = typer.Option(
        None,
        "--root",
        help="Local copy of the data set, read offline: a folder with features.csv, or a Hugging Face cache. "
        "Without it the devkit's own cache and the network are used.",
    ),
    revision: str | None = typer.Option(None, "--revision", metavar="COMMIT", help="Revision of the data set."),
    camera: list[str] = typer.Option([], "--camera", metavar="ID", help="Only this camera; may be given again."),
    start_ns: int | None = typer.Option(
        None, "--start-ns", metavar="NS", help="Stamp of the clip's time 0; by default whole seconds above its history."
    ),
    quality: int = typer.Option(95, "--quality", metavar="1-100", help="Quality of the JPEG pictures."),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON summary."),
) -> int:
    """Import one clip of NVIDIA's gated PhysicalAI-Autonomous-Vehicles: cameras, odometry, camera poses.

    Needs NVIDIA's devkit (pip install physical_ai_av, Python 3.11 or newer) and access to the data set.
    """
    from alpamayo_ros.cli.bag_import import bag_import_physical_ai_av

    bag_import_physical_ai_av(
        clip,
        destination,
        root=root,
        revision=revision,
        cameras=camera,
        start_ns=start_ns,
        quality=quality,
        as_json=as_json,
    )
    return 0
