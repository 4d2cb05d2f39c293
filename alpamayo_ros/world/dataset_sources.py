"""Rows of a dataset manifest from what there is: bags, and episodes of the driving world."""

from pathlib import Path

from alpamayo_ros.errors import ConfigurationError, expected_one_of
from alpamayo_ros.lineage.canonical import document_id
from alpamayo_ros.storage.digest import content_digest
from alpamayo_ros.storage.identity import read_identity
from alpamayo_ros.storage.provenance import REAL, provenance_of
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.world.dataset import REAL_KINDS, SIMULATION, SPLITS, DatasetEpisode
from alpamayo_ros.world.scenarios import EpisodeSpec
from alpamayo_ros.world.tags import episode_tags, spec_document

SAMPLES_PER_S = 10
"""Ticks are 100 ms apart."""
_KEPT_TAGS = (
    "provenance",
    "generator",
    "generator_version",
    "map_asset_pack",
    "traffic_policy",
    "weather_model",
    "seed",
    "source",
    "licence",
)
"""Tags of a bag that say where it comes from."""


def bag_episode(path: Path, *, real_kind: str = "") -> DatasetEpisode:
    """Return the row of a bag: what it says of itself decides whether it is real.

    Args:
        path: Bag folder or bare bag file.
        real_kind: ``human_demonstration`` or ``fleet`` for a bag that is real; a bag does not say which.

    Raises:
        BagNotFoundError: The path is missing or is not a bag.
        BagCorruptError: The bag cannot be read.
        ConfigurationError: The bag does not say whether it is real, says both, or is real and no kind is given.
    """
    if real_kind and real_kind not in REAL_KINDS:
        raise ConfigurationError(expected_one_of("kind of a real bag", real_kind, REAL_KINDS))
    with open_bag(path) as reader:
        tags = dict(read_identity(path, reader).tags)
        digest = content_digest(reader)
        duration_s = ((reader.end_ns or 0) - (reader.start_ns or 0)) * 1e-9
    try:
        said = provenance_of(tags)
    except ConfigurationError as error:
        raise ConfigurationError(f"bag {path}: {error}") from error
    if not said:
        raise ConfigurationError(
            f"bag {path} does not say whether it is real or simulated; expected the tag 'provenance' in its identity: "
            "a data set must know"
        )
    if said == REAL and not real_kind:
        raise ConfigurationError(f"bag {path} is real; expected --real-kind with one of: {', '.join(REAL_KINDS)}")
    name = tags.get("episode") or path.resolve().name
    split = tags.get("split", SPLITS[0])
    return DatasetEpisode(
        id=f"bag:{name}",
        kind=real_kind if said == REAL else SIMULATION,
        source=digest,
        samples=int(duration_s * SAMPLES_PER_S + 1e-6),
        duration_s=duration_s,
        split=split if split in SPLITS else SPLITS[0],
        tags={key: tags[key] for key in _KEPT_TAGS if tags.get(key)},
    )


def spec_episode(spec: EpisodeSpec, *, samples: int | None = None) -> DatasetEpisode:
    """Return the row of an episode of the driving world.

    Args:
        spec: Of the episode.
        samples: Taken from it; by default one for each tick.
    """
    tags = episode_tags(spec)
    return DatasetEpisode(
        id=spec.id,
        kind=SIMULATION,
        source=document_id(spec_document(spec)),
        samples=round(spec.duration_s * SAMPLES_PER_S) if samples is None else samples,
        duration_s=spec.duration_s,
        split=spec.split,
        tags={key: tags[key] for key in _KEPT_TAGS if tags.get(key)},
    )
