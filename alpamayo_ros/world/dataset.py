"""Dataset manifests: which episodes a data set holds, what each was made from, and which of them are real.

Real and simulated are exclusive: an episode is a human demonstration or from a fleet, and then real, or a simulation.
Its kind, its ``provenance`` tag and what a generator leaves in the tags must all say the same, and one source cannot
stand in a data set as both.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import ConfigurationError, DigestMismatchError, expected_one_of
from alpamayo_ros.lineage.canonical import document_id
from alpamayo_ros.params.documents import read_text, require_mapping, validate_document
from alpamayo_ros.storage.provenance import REAL, SIMULATED, provenance_of
from alpamayo_ros.world.output import make_folder, require_absent, write_file

SIMULATION = "simulation"
REAL_KINDS = ("human_demonstration", "fleet")
KINDS = (*REAL_KINDS, SIMULATION)
SPLITS = ("train", "held_out")
MANIFEST_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class DatasetEpisode:
    """One drive of a data set.

    Attributes:
        id: Its name, such as ``red_light:17``.
        kind: ``human_demonstration``, ``fleet`` or ``simulation``.
        source: ``sha256:`` id of what it was made from: a bag's content digest, or that of a specification.
        samples: Training samples taken from it.
        duration_s: Its length.
        split: ``train`` or ``held_out``.
        tags: Flat texts that are true of this episode; they go before the common ones.
    """

    id: str
    kind: str
    source: str
    samples: int
    duration_s: float
    split: str = "train"
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def real(self) -> bool:
        """Whether it was recorded by a vehicle on the road."""
        return self.kind != SIMULATION


@dataclass(frozen=True, slots=True)
class DatasetManifest:
    """What a data set holds.

    Attributes:
        name: Name of the data set.
        episodes: Its episodes; their order is no part of the digest.
        tags: Flat texts that are true of every episode.
        licence: Of the data set as a whole.
    """

    name: str
    episodes: tuple[DatasetEpisode, ...]
    tags: Mapping[str, str] = field(default_factory=dict)
    licence: str = "Apache-2.0"

    def __post_init__(self) -> None:
        """Refuse what is real and simulated at once, and whatever cannot be counted.

        Raises:
            ConfigurationError: An episode contradicts itself, the common tags or another one.
        """
        for episode in self.episodes:
            _validate_numbers(episode)
            _validate_provenance(episode, {**self.tags, **episode.tags})
        _validate_together(self.episodes)

    @property
    def counts(self) -> dict[str, dict[str, float | int]]:
        """Episodes, samples and seconds by kind, and of all real and all simulated ones."""
        kinds = {kind: [one for one in self.episodes if one.kind == kind] for kind in KINDS}
        kinds[REAL] = [one for one in self.episodes if one.real]
        kinds[SIMULATED] = [one for one in self.episodes if not one.real]
        return {
            kind: {
                "episodes": len(found),
                "samples": sum(one.samples for one in found),
                "duration_s": _rounded(math.fsum(one.duration_s for one in found)),
            }
            for kind, found in kinds.items()
        }

    @property
    def real_to_simulated(self) -> dict[str, list[float | int]]:
        """The ratio as two numbers each, real before simulated; either may be 0."""
        counts = self.counts
        return {unit: [counts[REAL][unit], counts[SIMULATED][unit]] for unit in counts[REAL]}

    @property
    def digest(self) -> str:
        """``sha256:`` id of the canonical document: what lineage's ``dataset`` component names."""
        return document_id(_body(self))

    def document(self) -> dict[str, Any]:
        """Return the manifest as it is written, ready for JSON."""
        return {**_body(self), "digest": self.digest}


def write_manifest(path: Path, manifest: DatasetManifest, *, force: bool = False) -> None:
    """Write a manifest as JSON; the same episodes give the same bytes.

    Args:
        path: File to make.
        manifest: What to write.
        force: Replace an existing file.

    Raises:
        OutputError: The file exists already or cannot be written.
        BagWriteError: The disk is full or faulty.
    """
    document = manifest.document()
    validate_document(document, "dataset", f"dataset manifest {manifest.name!r}")
    if not force:
        require_absent(path)
    if not path.parent.exists():
        make_folder(path.parent)
    write_file(path, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode())


def load_manifest(path: Path) -> DatasetManifest:
    """Read a manifest and verify that its counts and its digest are those of its episodes.

    Raises:
        ConfigurationError: It is missing, not well formed, or an episode claims to be both real and simulated.
        DigestMismatchError: It was changed after it was written.
    """
    what = f"dataset manifest {path}"
    text = read_text(path, "dataset manifest")
    try:
        parsed = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{what} is not well-formed JSON: {error}; expected what 'write' makes") from error
    document = require_mapping(parsed, what)
    validate_document(document, "dataset", what)
    manifest = DatasetManifest(
        name=document["name"],
        episodes=tuple(DatasetEpisode(**row) for row in document["episodes"]),
        tags=document["tags"],
        licence=document["licence"],
    )
    for name, value in (("counts", manifest.counts), ("real_to_simulated", manifest.real_to_simulated)):
        if document[name] != value:
            raise DigestMismatchError(
                f"{what} states {name} {document[name]}; its episodes give {value}: it was edited"
            )
    if document["digest"] != manifest.digest:
        raise DigestMismatchError(
            f"{what} has the digest {manifest.digest} and states {document['digest']}; it was changed after it was "
            "written: expected the file as written, or a new one"
        )
    return manifest


def _body(manifest: DatasetManifest) -> dict[str, Any]:
    return {
        "schema": MANIFEST_SCHEMA,
        "name": manifest.name,
        "licence": manifest.licence,
        "tags": dict(manifest.tags),
        "episodes": [_row(episode) for episode in sorted(manifest.episodes, key=lambda one: one.id)],
        "counts": manifest.counts,
        "real_to_simulated": manifest.real_to_simulated,
    }


def _row(episode: DatasetEpisode) -> dict[str, Any]:
    return {
        "id": episode.id,
        "kind": episode.kind,
        "source": episode.source,
        "split": episode.split,
        "samples": episode.samples,
        "duration_s": _rounded(episode.duration_s),
        "tags": dict(episode.tags),
    }


def _rounded(seconds: float) -> float:
    return round(float(seconds), 3)


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _validate_numbers(episode: DatasetEpisode) -> None:
    if episode.kind not in KINDS:
        raise ConfigurationError(expected_one_of(f"kind of dataset episode {episode.id!r},", episode.kind, KINDS))
    if episode.split not in SPLITS:
        raise ConfigurationError(expected_one_of(f"split of dataset episode {episode.id!r},", episode.split, SPLITS))
    if type(episode.samples) is not int or episode.samples < 0:  # a bool is an int, and no count
        raise ConfigurationError(
            f"dataset episode {episode.id!r} has {episode.samples!r} samples; expected a whole number from 0"
        )
    if not (math.isfinite(episode.duration_s) and episode.duration_s >= 0.0):
        raise ConfigurationError(
            f"dataset episode {episode.id!r} lasts {episode.duration_s!r} s; expected a finite number from 0"
        )


def _validate_provenance(episode: DatasetEpisode, tags: Mapping[str, str]) -> None:
    """Require that the kind and every tag that makes a claim agree."""
    try:
        said = provenance_of(tags)
    except ConfigurationError as error:
        raise ConfigurationError(f"dataset episode {episode.id!r}: {error}") from error
    if said and said != (REAL if episode.real else SIMULATED):
        raise ConfigurationError(
            f"dataset episode {episode.id!r} is of kind {episode.kind!r} and its tags say that it is {said}; expected "
            f"one of the two: what is {SIMULATED} is of kind {SIMULATION!r}, and nothing else is"
        )


def _validate_together(episodes: Sequence[DatasetEpisode]) -> None:
    ids: set[str] = set()
    sources: dict[str, DatasetEpisode] = {}
    for episode in episodes:
        if episode.id in ids:
            raise ConfigurationError(f"dataset episode {episode.id!r} stands twice in one data set; expected it once")
        ids.add(episode.id)
        other = sources.setdefault(episode.source, episode)
        if other.real != episode.real:
            raise ConfigurationError(
                f"dataset episodes {other.id!r} and {episode.id!r} have one source, {episode.source}, and the kinds "
                f"{other.kind!r} and {episode.kind!r}; expected it to be real or simulated, not both"
            )
        if other.split != episode.split:
            raise ConfigurationError(
                f"dataset episodes {other.id!r} and {episode.id!r} have one source, {episode.source}, and stand in "
                "both splits; expected it in one: what is held out must not be trained on"
            )
