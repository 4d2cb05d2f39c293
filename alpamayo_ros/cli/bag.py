"""``alpamayo bag``: look at bags and make them from other sources."""

from pathlib import Path

import typer

from alpamayo_ros.cli.verb_help import VerbCommand

app = typer.Typer(
    help="Look at bags, cut, merge, filter, convert, verify and recover them, and import other data sets as bags.",
    no_args_is_help=True,
)
import_app = typer.Typer(help="Import a foreign data set as a bag.", no_args_is_help=True)
app.add_typer(import_app, name="import")

_SOURCE = "Bag folder, or a bare .mcap or .db3 file."
_DESTINATION = typer.Argument(metavar="DST", help="Bag folder to make; it must not exist yet.")
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
    None,
    "--split-size",
    metavar="SIZE",
    help="Begin a new file after so much, such as 2GB, 2G (10^9 bytes) or 2GiB; by default one file.",
)
_JSON = typer.Option(False, "--json", help="Print a JSON summary.")
_COPY_CODES = (
    "Ends with 0 when the bag was made; 2 when it cannot be made as asked: nothing matches, DST exists, the bags do "
    "not belong together; 4 when a bag is damaged or contradicts itself; 74 when the disk is full. Then nothing is "
    "left."
)


@app.command("info", cls=VerbCommand)
def info(
    bag: Path = typer.Argument(help="Bag folder, or a bare .mcap or .db3 file."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> int:
    """Show topics, rates, gaps, duration, content digest, lineage and envelope of BAG."""
    from alpamayo_ros.cli.bag_info import bag_info

    bag_info(bag, as_json=as_json)
    return 0


@app.command("cut", cls=VerbCommand, epilog=_COPY_CODES)
def cut(
    bag: Path = typer.Argument(metavar="BAG", help=_SOURCE),
    destination: Path = _DESTINATION,
    start: str | None = typer.Option(
        None, "--start", metavar="TIME", help="Take messages from this time on; by default from the first."
    ),
    end: str | None = typer.Option(
        None, "--end", metavar="TIME", help="Take messages before this time; by default all to the last."
    ),
    duration: str | None = typer.Option(
        None, "--duration", metavar="SECONDS", help="With --start, instead of --end: take so much."
    ),
    for_distro: str | None = _FOR_DISTRO,
    compression: str | None = _COMPRESSION,
    split_size: str | None = _SPLIT_SIZE,
    as_json: bool = _JSON,
) -> int:
    """Copy a part of BAG into DST: from --start on, and before --end.

    TIME is one of: seconds after the bag's first message (12.5); a receive time in nanoseconds, as 'alpamayo bag info'
    prints it (1700000000000000000ns); a time in UTC ('2023-11-14 22:13:20.5').

    Latched messages from before the start, such as /tf_static and the lineage, are carried to it. Only what is in range
    is read.

    To replay an event, take about 1.6 s of history before it and 6.4 s after it.

    Example: alpamayo bag cut drive turn --start 12.5 --duration 8
    """
    from alpamayo_ros.cli.bag_copy import bag_copy

    bag_copy(
        "cut",
        [bag],
        destination,
        start=start,
        end=end,
        duration=duration,
        as_json=as_json,
        for_distro=for_distro,
        compression=compression,
        split_size=split_size,
    )
    return 0


@app.command("filter", cls=VerbCommand, epilog=_COPY_CODES)
def filter_topics(
    bag: Path = typer.Argument(metavar="BAG", help=_SOURCE),
    destination: Path = _DESTINATION,
    topics: list[str] = typer.Option([], "--topic", metavar="PATTERN", help="Take these topics; may be given again."),
    exclude: list[str] = typer.Option(
        [], "--exclude", metavar="PATTERN", help="Leave these topics out, whatever takes them; may be given again."
    ),
    types: list[str] = typer.Option(
        [],
        "--type",
        metavar="PATTERN",
        help="Take topics of these types, such as sensor_msgs/msg/Image, besides those of --topic; may be given again.",
    ),
    for_distro: str | None = _FOR_DISTRO,
    compression: str | None = _COMPRESSION,
    split_size: str | None = _SPLIT_SIZE,
    as_json: bool = _JSON,
) -> int:
    """Copy some topics of BAG into DST: those of --topic and --type, or all of them, less those of --exclude.

    PATTERN is a full name, in which * is any text, slashes included, and ? is one character. It is not a regular
    expression: all below /camera is '/camera/*'. Put it in quotes. A PATTERN that matches nothing is an error.

    Hidden topics (/_) are taken by a PATTERN that names them. The lineage stays unless it is excluded by name.

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


@app.command("merge", cls=VerbCommand, epilog=_COPY_CODES)
def merge(
    bags: list[Path] = typer.Argument(metavar="BAG BAG...", help="Bag folders, or bare .mcap or .db3 files."),
    destination: Path = typer.Option(
        ..., "--out", "-o", metavar="DST", help="Bag folder to make; it must not exist yet."
    ),
    allow_different_tags: bool = typer.Option(
        False,
        "--allow-different-tags",
        help="Merge different drives: tags that differ are left out, and more than a day may lie between the bags.",
    ),
    for_distro: str | None = _FOR_DISTRO,
    compression: str | None = _COMPRESSION,
    split_size: str | None = _SPLIT_SIZE,
    as_json: bool = _JSON,
) -> int:
    """Merge bags into one, in the order of their messages' receive times.

    The bags must name one lineage, one envelope and the same tags, and lie within a day of each other. A message that
    is equal in several of them (topic, receive time, publish time, payload) is kept once.

    The parts that a bag was cut into, overlapping or not, have the content digest of the whole when they are merged.

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


@app.command("convert", cls=VerbCommand, epilog=_COPY_CODES)
def convert(
    bag: Path = typer.Argument(metavar="BAG", help="Bag folder, .mcap, .db3 or ROS 1 .bag file; compressed or not."),
    destination: Path = _DESTINATION,
    for_distro: str | None = _FOR_DISTRO,
    compression: str | None = _COMPRESSION,
    split_size: str | None = _SPLIT_SIZE,
    as_json: bool = _JSON,
) -> int:
    """Copy BAG into MCAP files for another release, with other compression, or split.

    On Humble, which writes sqlite3 by default, the package ros-humble-rosbag2-storage-mcap reads them.

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


@app.command("verify", cls=VerbCommand)
def verify(
    bags: list[Path] = typer.Argument(metavar="BAG...", help="Bag folders or bag files."),
    decode: bool = typer.Option(False, "--decode", help="Decode every message whose type is known; takes longer."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> int:
    """Compare everything that BAG states with what is in it: checksums, index, counts, times, hashes, identity.

    Several bags get a line each, and --json then prints a list. Ends with 0 when nothing is wrong (a part that was
    recovered is sound and is named a part), 4 when something is wrong with any of them, else 2 when one is no bag.

    Example: alpamayo bag verify bags/*
    """
    from alpamayo_ros.cli.bag_verify import bag_verify

    return bag_verify(bags, decode=decode, as_json=as_json)


@app.command("recover", cls=VerbCommand)
def recover(
    bag: Path = typer.Argument(help="Bag folder or bag file in any state; it is not changed."),
    destination: Path | None = typer.Option(
        None, "--out", "-o", metavar="DST", help="Bag folder to make; by default NAME_recovered beside BAG."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON summary."),
) -> int:
    """Make a valid bag of what is left of BAG, which was cut, killed or damaged, and say what is missing.

    Of a sound bag nothing is written. Ends with 0 when a bag was made, whole or a part (the output says which, and
    "whole" in --json), or when BAG is sound; 4 when no message can be recovered, 2 when BAG is no bag or DST exists,
    74 when the disk is full.

    Example: alpamayo bag recover drive --out drive_saved
    """
    from alpamayo_ros.cli.bag_recover import bag_recover

    bag_recover(bag, destination=destination, as_json=as_json)
    return 0


@import_app.command("pandaset", cls=VerbCommand)
def import_pandaset(
    source: Path = typer.Argument(help="Folder of one PandaSet sequence (camera/, lidar/, meta/)."),
    destination: Path = typer.Argument(help="Bag folder to make."),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON summary."),
) -> int:
    """Import one PandaSet sequence: six cameras, odometry, GNSS, labelled actors, calibration."""
    from alpamayo_ros.cli.bag_import import bag_import_pandaset

    bag_import_pandaset(source, destination, as_json=as_json)
    return 0


@import_app.command("comma2k19", cls=VerbCommand)
def import_comma2k19(
    source: Path = typer.Argument(help="Folder of one comma2k19 segment (global_pose/, processed_log/)."),
    destination: Path = typer.Argument(help="Bag folder to make."),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON summary."),
) -> int:
    """Import one comma2k19 segment: odometry, inertial unit, GNSS, speed, steering, wheels, radar; no pictures."""
    from alpamayo_ros.cli.bag_import import bag_import_comma2k19

    bag_import_comma2k19(source, destination, as_json=as_json)
    return 0


@import_app.command("video", cls=VerbCommand)
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


@import_app.command("physical-ai-av", cls=VerbCommand)
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
