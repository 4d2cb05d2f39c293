"""``alpamayo world render`` and ``alpamayo world record``: an episode as pictures, a video, or a bag."""

from pathlib import Path

from alpamayo_ros.cli.console import OUT, print_aligned, print_json, progress_bar
from alpamayo_ros.cli.quiet_video import quiet_video
from alpamayo_ros.cli.world_arguments import parse_cameras, parse_size
from alpamayo_ros.storage.staging import validate_destination
from alpamayo_ros.world.bag import BagPlan, write_episode_bag
from alpamayo_ros.world.episode import EpisodeRecord, drive_expert
from alpamayo_ros.world.output import require_absent
from alpamayo_ros.world.pictures import render_episode
from alpamayo_ros.world.rendering.rig import FRONT_FOUR
from alpamayo_ros.world.scenarios import episode as episode_named
from alpamayo_ros.world.tags import episode_tags


def render_pictures(
    episode: str,
    *,
    out: Path | None,
    video: Path | None,
    cameras: str,
    size: str,
    from_s: float,
    to_s: float | None,
    as_json: bool,
) -> None:
    """Render an episode and say what was written.

    Args:
        episode: Its name.
        out: Folder of pictures to make, None for none.
        video: Video to make, None for none.
        cameras: Ids with commas, empty for the front four.
        size: Such as ``480x288``.
        from_s: Where to begin.
        to_s: Where to end, None for the end.
        as_json: Print the summary as JSON.
    """
    plan = _plan(cameras, size, from_s, to_s)
    for path in (out, video):
        if path is not None:
            require_absent(path)
    quiet_video()
    record = _driven(episode)
    with progress_bar("rendering") as progress:
        summary = render_episode(record, plan, folder=out, video=video, progress=progress)
    if as_json:
        print_json(
            {
                "episode": episode,
                "pictures": dict(summary.pictures),
                "folder": None if summary.folder is None else str(summary.folder),
                "video": None if summary.video is None else str(summary.video),
                "video_frames": summary.video_frames,
            }
        )
        return
    print_aligned(OUT, [(name, f"{count} pictures") for name, count in summary.pictures.items()])
    for path in (summary.folder, summary.video):
        if path is not None:
            OUT.print(f"wrote {path}", markup=False)


def record_bag(
    episode: str,
    *,
    out: Path,
    cameras: str,
    size: str,
    quality: int,
    from_s: float,
    to_s: float | None,
    as_json: bool,
) -> None:
    """Record an episode as a bag and say what was written.

    Args:
        episode: Its name.
        out: Bag folder to make.
        cameras: Ids with commas, empty for the front four.
        size: Such as ``480x288``.
        quality: Of the JPEG files.
        from_s: Where to begin.
        to_s: Where to end, None for the end.
        as_json: Print the summary as JSON.
    """
    plan = _plan(cameras, size, from_s, to_s, quality)
    validate_destination(out)
    record = _driven(episode)
    with progress_bar("recording") as progress:
        summary = write_episode_bag(out, record, episode_tags(record.spec), plan, progress=progress)
    if as_json:
        print_json(
            {
                "episode": episode,
                "path": str(summary.path),
                "duration_s": summary.duration_s,
                "size_bytes": summary.size_bytes,
                "topics": dict(summary.topics),
            }
        )
        return
    print_aligned(OUT, [(topic, str(count)) for topic, count in summary.topics.items()], right=(1,))
    OUT.print(
        f"bag {summary.path}: {sum(summary.topics.values())} messages, {summary.duration_s:.1f} s, "
        f"{summary.size_bytes / 1e6:.1f} MB, simulated",
        markup=False,
    )


def _plan(cameras: str, size: str, from_s: float, to_s: float | None, quality: int = 60) -> BagPlan:
    return BagPlan(
        cameras=parse_cameras(cameras) if cameras else FRONT_FOUR,
        size=parse_size(size),
        quality=quality,
        from_s=from_s,
        to_s=to_s,
    )


def _driven(episode: str) -> EpisodeRecord:
    spec = episode_named(episode)
    with progress_bar("driving"):
        return drive_expert(spec)
