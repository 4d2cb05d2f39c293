"""The bags that a copy is made from, and what they say together: topics, identity, release, compression."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from alpamayo_ros.errors import BagError, ConfigurationError, TopicError
from alpamayo_ros.storage.digest import NO_HASH, stated_or_computed_hash
from alpamayo_ros.storage.distro import METADATA_VERSIONS
from alpamayo_ros.storage.identity import (
    MAX_SIDECAR_BYTES,
    SIDECAR,
    BagIdentity,
    IdentityReport,
    read_identity,
    validate_identity,
)
from alpamayo_ros.storage.mcap_files.writer import Compression
from alpamayo_ros.storage.message import TopicInfo
from alpamayo_ros.storage.reader import BagReader, open_bag
from alpamayo_ros.storage.ros1 import converted_ros1, is_ros1
from alpamayo_ros.storage.staging import real_path
from alpamayo_ros.storage.trace import CarriedMessage, Trace
from alpamayo_ros.structs.lineage import NONE

NEWEST_DISTRO = "kilted"
_UNNAMED = ("", NONE)
_MAX_SHOWN = 10


@dataclass(frozen=True, slots=True)
class CopySource:
    """One open bag that is copied.

    Attributes:
        path: As it was given.
        reader: The bag; of a bag of ROS 1 its conversion.
        identity: What it says about itself.
        identity_sha256: ``sha256:`` digest of its identity.json, empty without one.
        from_ros1: Whether it is a bag of ROS 1.
    """

    path: Path
    reader: BagReader
    identity: IdentityReport
    identity_sha256: str
    from_ros1: bool = False

    @property
    def name(self) -> str:
        """Name of its folder or file; where that lies is no part of what was done."""
        return os.fsencode(real_path(self.path).name).decode(errors="backslashreplace")

    @property
    def trace(self) -> Trace:
        """What was done to it before."""
        return self.identity.trace

    @property
    def carried(self) -> tuple[CarriedMessage, ...]:
        """Its messages that stand at another time than they were received."""
        return self.trace[-1].carried if self.trace else ()


@contextmanager
def opened_sources(paths: Sequence[Path], *, take_ros1: bool) -> Iterator[tuple[CopySource, ...]]:
    """Open bags for copying; in the end they are closed.

    Args:
        paths: Bag folders or files.
        take_ros1: Whether a bag of ROS 1 will do; it is converted into a temporary folder first.

    Raises:
        ConfigurationError: A bag is given twice.
        BagError: A bag is missing, damaged, not supported, or contradicts itself about what produced it.
    """
    real_paths: set[Path] = set()
    for path in paths:
        if real_path(path) in real_paths:
            raise ConfigurationError(f"bag {path} is given twice; expected each bag once")
        real_paths.add(real_path(path))
    with ExitStack() as stack:
        sources = []
        for path in paths:
            from_ros1 = take_ros1 and path.is_file() and is_ros1(path)
            folder = stack.enter_context(converted_ros1(path)) if from_ros1 else path
            reader = stack.enter_context(open_bag(folder))
            identity = read_identity(folder, reader)
            _validate_agreement(path, identity)
            sources.append(CopySource(path, reader, identity, _sidecar_digest(folder), from_ros1))
        yield tuple(sources)


def _validate_agreement(path: Path, identity: IdentityReport) -> None:
    for what, agreed, named in (
        ("lineage", identity.lineage_id, [place.lineage_id for place in identity.places.values()]),
        ("envelope", identity.envelope_id, [place.envelope_id for place in identity.places.values()]),
    ):
        if not agreed and any(named):
            raise BagError(
                f"bag {path} names no one {what} ({'; '.join(identity.disagreements)}); expected one to carry on: "
                "run 'alpamayo bag verify' on the bag"
            )


def _sidecar_digest(path: Path) -> str:
    sidecar = path / SIDECAR
    try:
        # A pipe or a device never ends, and a larger file is no identity.
        if not sidecar.is_file():
            return ""
        with sidecar.open("rb") as file:
            data = file.read(MAX_SIDECAR_BYTES + 1)
    except OSError:
        return ""
    return f"sha256:{hashlib.sha256(data).hexdigest()}" if len(data) <= MAX_SIDECAR_BYTES else ""


def joined_topics(sources: Sequence[CopySource], chosen: Sequence[frozenset[str]]) -> dict[str, TopicInfo]:
    """Return the topics of a copy: those that are chosen of each source, with one type each.

    Raises:
        TopicError: A topic has two types, formats or definitions.
    """
    joined: dict[str, TopicInfo] = {}
    origin: dict[str, CopySource] = {}
    for source, names in zip(sources, chosen, strict=True):
        for name, topic in source.reader.topics.items():
            if name not in names:
                continue
            if name in joined:
                joined[name] = _joined(joined[name], topic, origin[name].path, source.path)
            else:
                joined[name], origin[name] = topic, source
    return joined


def _joined(one: TopicInfo, other: TopicInfo, first: Path, second: Path) -> TopicInfo:
    hashes = stated_or_computed_hash(one), stated_or_computed_hash(other)
    texts_differ = bool(one.definition and other.definition) and one.definition != other.definition
    for what, one_value, other_value, differ in (
        ("type", one.type_name, other.type_name, one.type_name != other.type_name),
        ("type hash", *hashes, NO_HASH not in hashes and hashes[0] != hashes[1]),
        (
            "serialization format",
            one.serialization_format,
            other.serialization_format,
            one.serialization_format != other.serialization_format,
        ),
        ("definition", _short(one), _short(other), NO_HASH in hashes and texts_differ),
    ):
        if differ:
            raise TopicError(
                f"topic {one.name} has the {what} {one_value!r} in bag {first} and {other_value!r} in bag {second}; "
                "expected the same in every bag: leave it out of one by 'alpamayo bag filter' first"
            )
    defined = one if one.definition else other
    return replace(
        one,
        message_count=one.message_count + other.message_count,
        type_hash=one.type_hash or other.type_hash,
        definition=defined.definition,
        definition_encoding=defined.definition_encoding,
        offered_qos=tuple(dict.fromkeys((*one.offered_qos, *other.offered_qos))),
    )


def _short(topic: TopicInfo) -> str:
    digest = hashlib.sha256(topic.definition.encode(errors="surrogateescape")).hexdigest()
    return f"sha256:{digest[:12]}"


@dataclass(frozen=True, slots=True)
class JoinedIdentity:
    """What a copy is written as, and what of its sources could not be carried on.

    Attributes:
        identity: Ids, manifest and tags; None where no source says anything.
        tags_dropped: Values of the tags that were dropped, by name.
        warnings: One sentence each.
    """

    identity: BagIdentity
    tags_dropped: Mapping[str, tuple[str, ...]]
    warnings: tuple[str, ...]


def joined_identity(sources: Sequence[CopySource], *, allow_different_tags: bool) -> JoinedIdentity:
    """Return the one identity that sources have together.

    Args:
        sources: The bags.
        allow_different_tags: Whether tags with different values are dropped rather than refused.

    Raises:
        ConfigurationError: They name different lineages, envelopes or tags.
    """
    warnings: list[str] = []
    lineage_id = _one_id("lineage", [(source, source.identity.lineage_id) for source in sources], warnings)
    envelope_id = _one_id("envelope", [(source, source.identity.envelope_id) for source in sources], warnings)
    manifest = next(
        (
            source.identity.manifest
            for source in sources
            if source.identity.manifest and source.identity.lineage_id == lineage_id
        ),
        "",
    )
    tags, dropped = _joined_tags(sources, allow_different_tags=allow_different_tags)
    for key in [key for key, value in tags.items() if not _is_storable(key, value)]:
        warnings.append(f"tag {key[:80]!r} is left out; a tag has a name and a value of printable text")
        dropped[key] = (tags.pop(key),)
    warnings += _spread_tags(sources, tags)
    return JoinedIdentity(BagIdentity(lineage_id, envelope_id, manifest, tags), dropped, tuple(warnings))


def _one_id(what: str, said: Sequence[tuple[CopySource, str]], warnings: list[str]) -> str:
    named = {value: source for source, value in reversed(said) if value not in _UNNAMED}
    if len(named) > 1:
        shown = "; ".join(f"{source.path} names {value}" for value, source in sorted(named.items()))
        raise ConfigurationError(
            f"the bags name different {what}s ({shown}); expected one: a bag names one {what} for all that is in it"
        )
    if not named:
        return next((value for _, value in said if value), "")
    value = next(iter(named))
    unnamed = [str(source.path) for source, stated in said if stated in _UNNAMED]
    if unnamed:
        warnings.append(f"{', '.join(unnamed)}: names no {what}; the merged bag names {value}")
    return value


def _joined_tags(
    sources: Sequence[CopySource], *, allow_different_tags: bool
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    values: dict[str, dict[str, None]] = {}
    for source in sources:
        for key, value in source.identity.tags.items():
            values.setdefault(key, {})[value] = None
    different = {key: tuple(found) for key, found in values.items() if len(found) > 1}
    if different and not allow_different_tags:
        shown = "; ".join(f"{key}: {' or '.join(value[:60] for value in different[key])}" for key in sorted(different))
        raise ConfigurationError(
            f"the bags have different tags, so these are two drives ({shown}); expected parts of one drive: "
            "--allow-different-tags merges them all the same and leaves those tags out"
        )
    return {key: next(iter(found)) for key, found in values.items() if key not in different}, different


def _spread_tags(sources: Sequence[CopySource], tags: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each bag about whose messages the tags of others will speak too."""
    for source in sources:
        lacking = sorted(key for key in tags if key not in source.identity.tags)
        if not lacking or not source.reader.message_count:
            continue
        origins = dict.fromkeys(
            str(next(other.path for other in sources if key in other.identity.tags)) for key in lacking
        )
        names = ", ".join(key[:40] for key in lacking[:_MAX_SHOWN]) + (" and more" if len(lacking) > _MAX_SHOWN else "")
        yield (
            f"tags {names} come from {', '.join(origins)}; {source.path} has none of them, "
            "and in the merged bag they speak for its messages too"
        )


def _is_storable(key: str, value: str) -> bool:
    try:
        validate_identity(BagIdentity("", "", tags={key: value}))
    except ConfigurationError:
        return False
    return True


def distro_like(sources: Sequence[CopySource]) -> str:
    """Return the release that sources are for, as far as they say; the oldest of them, which all later ones read."""
    return min((_distro_of(source.reader) for source in sources), key=METADATA_VERSIONS.__getitem__)


def _distro_of(reader: BagReader) -> str:
    if reader.ros_distro in METADATA_VERSIONS:
        return reader.ros_distro
    version = reader.metadata_version
    if version is None or version > METADATA_VERSIONS["iron"]:
        return NEWEST_DISTRO
    return "humble" if version <= METADATA_VERSIONS["humble"] else "iron"


def compression_like(sources: Sequence[CopySource]) -> Compression:
    """Return the compression that sources have, whether by chunk, file or message."""
    methods = {text.split(" ", 1)[0] for source in sources for text in source.reader.compressions}
    return "zstd" if "zstd" in methods else "lz4" if "lz4" in methods else "none"
