"""``alpamayo world dataset``: write and verify manifests of data sets."""

from collections.abc import Sequence
from pathlib import Path

from alpamayo_ros.cli.console import OUT, print_aligned, print_json, progress_bar
from alpamayo_ros.cli.world_episodes import named_episodes
from alpamayo_ros.errors import ConfigurationError, DigestMismatchError
from alpamayo_ros.world.dataset import DatasetEpisode, DatasetManifest, load_manifest, write_manifest
from alpamayo_ros.world.output import require_absent


def write_dataset(
    out: Path,
    *,
    name: str,
    bags: Sequence[Path],
    real_kind: str,
    scenario: str | None,
    seeds: str | None,
    held_out: bool,
    licence: str,
    force: bool,
    as_json: bool,
) -> None:
    """Write a manifest of bags and episodes and print what it counts.

    Args:
        out: File to make.
        name: Of the data set.
        bags: To read.
        real_kind: What real bags are, empty if none is given.
        scenario: Of the episodes, or ``all``; None for no episodes.
        seeds: Of the episodes.
        held_out: Whether the episodes are held out.
        licence: Of the data set.
        force: Replace an existing file.
        as_json: Print the counts as JSON.
    """
    from alpamayo_ros.world.dataset_sources import bag_episode, spec_episode

    if not force:
        require_absent(out)
    specs = named_episodes(None, scenario, seeds, held_out=held_out) if scenario or seeds else ()
    if not bags and not specs:
        raise ConfigurationError("no episode is named; expected --bag, or --scenario and --seeds, or both")
    rows: list[DatasetEpisode] = []
    with progress_bar("reading") as progress:
        for done, bag in enumerate(bags, start=1):
            rows.append(bag_episode(bag, real_kind=real_kind))
            progress(done, len(bags) + len(specs))
        rows += [spec_episode(spec) for spec in specs]
    manifest = DatasetManifest(name=name, episodes=tuple(rows), licence=licence)
    write_manifest(out, manifest, force=force)
    _report(manifest, out, as_json=as_json)


def verify_dataset(path: Path, *, bags: Sequence[Path], as_json: bool) -> None:
    """Verify a manifest, and that bags hold what it says; print what it counts.

    Args:
        path: Manifest.
        bags: That must be in it.
        as_json: Print the counts as JSON.

    Raises:
        DigestMismatchError: The manifest was changed, or does not hold a bag as it is.
    """
    from alpamayo_ros.storage.digest import content_digest
    from alpamayo_ros.storage.reader import open_bag

    manifest = load_manifest(path)
    sources = {episode.source for episode in manifest.episodes}
    with progress_bar("reading") as progress:
        for done, bag in enumerate(bags, start=1):
            with open_bag(bag) as reader:
                digest = content_digest(reader)
            if digest not in sources:
                raise DigestMismatchError(
                    f"bag {bag} has the content digest {digest}, which no episode of data set {manifest.name!r} was "
                    "made from; expected the bag as it was, or a new manifest"
                )
            progress(done, len(bags))
    _report(manifest, path, as_json=as_json)


def _report(manifest: DatasetManifest, path: Path, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "path": str(path),
                "name": manifest.name,
                "digest": manifest.digest,
                "counts": manifest.counts,
                "real_to_simulated": manifest.real_to_simulated,
            }
        )
        return
    rows = [("kind", "episodes", "samples", "s")]
    rows += [
        (kind.replace("_", " "), str(row["episodes"]), str(row["samples"]), f"{row['duration_s']:.1f}")
        for kind, row in manifest.counts.items()
    ]
    print_aligned(OUT, rows, right=(1, 2, 3))
    real, simulated = manifest.real_to_simulated["episodes"]
    OUT.print(f"real to simulated: {real} to {simulated} episodes", markup=False)
    OUT.print(f"data set {manifest.name}: {manifest.digest}", markup=False)
    OUT.print(f"manifest: {path}", markup=False)
