"""Whether a file that has the name of another bag is a missing file of this one: its content must say so."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from alpamayo_ros.errors import BagError
from alpamayo_ros.storage.compressed_file import plain_name
from alpamayo_ros.storage.metadata import BagMetadata, parse_metadata
from alpamayo_ros.storage.recovery.files import RecoverableFile, base_of
from alpamayo_ros.storage.recovery.identity import carried_identity
from alpamayo_ros.storage.recovery.salvage import Findings


@dataclass(frozen=True, slots=True)
class KnownBag:
    """What is known about a bag some of whose files may have other names.

    Attributes:
        lineage_id: The lineage that it names, empty if it names none.
        metadata: What metadata.yaml says, None if there is none that can be read.
        files: Those that are known so far, the missing ones too.
        findings: What is left of each of them.
    """

    lineage_id: str
    metadata: BagMetadata | None
    files: Sequence[RecoverableFile]
    findings: Sequence[Findings]

    def types(self) -> dict[str, str]:
        """Return the type of every topic of the bag by its name."""
        types = {name: topic.type_name for found in self.findings for name, topic in found.topics.items()}
        if self.metadata is not None:
            types.update({topic.name: topic.type_name for topic in self.metadata.topics})
        return types


def reason_against(candidate: RecoverableFile, found: Findings, bag: KnownBag) -> str:
    """Return why a file is not taken for one of a bag, empty if its content says that it belongs.

    It must have the topics and the lineage of the bag, no metadata of another one, and lie in time where a file is
    missing.

    Args:
        candidate: The file.
        found: What is left of it.
        bag: The bag.
    """
    first_ns, last_ns = found.times.first_ns, found.times.last_ns
    if first_ns is None or last_ns is None:
        return "it has no readable message"
    types = bag.types()
    for name, topic in found.topics.items():
        if types and topic.message_count and types.get(name, topic.type_name or None) != topic.type_name:
            return f"it has the topic {name} with another type, {topic.type_name}"
        if types and topic.message_count and name not in types:
            return f"it has the topic {name}, which the bag does not have"
    embedded = _embedded_metadata(found)
    own = _lineage_of(candidate, found, embedded)
    if own and bag.lineage_id and own != bag.lineage_id:
        return f"it names another lineage, {own}"
    named = {plain_name(name) for name in embedded.relative_paths} if embedded is not None else set()
    listed = {plain_name(file.name) for file in bag.files}
    if bag.metadata is None and not named:
        return "nothing says that it is of this bag"
    if bag.metadata is None:  # Nothing lists the files: those of one bag are numbered.
        named, listed = {base_of(name) for name in named}, {base_of(name) for name in listed}
    if named and not named & listed:
        return f"it says that it is of another bag, of {min(named)}"
    return _reason_of_time(first_ns, last_ns, bag)


def missing_number(found: Findings, files: Sequence[RecoverableFile]) -> int | None:
    """Return the number of the missing file that a file stands for by its times, None if it stands for none."""
    missing = [number for number, file in enumerate(files) if file.path is None and file.is_listed]
    for number in missing:
        if _lies_in(found, files[number].stated_range):
            return number
    return next((number for number in missing if files[number].stated_range is None), None)


def _lies_in(found: Findings, stated: tuple[int, int] | None) -> bool:
    first_ns, last_ns = found.times.first_ns, found.times.last_ns
    if stated is None or first_ns is None or last_ns is None:
        return False
    return stated[0] <= first_ns and last_ns <= stated[1]


def _reason_of_time(first_ns: int, last_ns: int, bag: KnownBag) -> str:
    windows = [file.stated_range for file in bag.files if file.path is None and file.stated_range is not None]
    if any(first <= first_ns and last_ns <= last for first, last in windows):
        return ""
    for file, found in zip(bag.files, bag.findings, strict=True):
        first, last = found.times.first_ns, found.times.last_ns
        if first is not None and last is not None and first <= last_ns and first_ns <= last:
            return f"it is of the same time as {file.name}, perhaps a copy"
    missing = [file for file in bag.files if file.path is None]
    if missing and all(file.stated_range is not None for file in missing):
        return "its times are not those of the missing file"
    metadata = bag.metadata
    if metadata is None or not metadata.message_count:
        return ""
    end_ns = metadata.start_ns + metadata.duration_ns
    if first_ns < metadata.start_ns or (missing and last_ns > end_ns):
        return "its times are not those of this bag"
    return ""


def _embedded_metadata(found: Findings) -> BagMetadata | None:
    if found.bag_metadata:
        with suppress(BagError):
            return parse_metadata(found.bag_metadata, "metadata in a file", rooted=False)
    return None


def _lineage_of(candidate: RecoverableFile, found: Findings, embedded: BagMetadata | None) -> str:
    tags: list[Mapping[str, str]] = [embedded.custom_data] if embedded is not None else []
    path = candidate.path if candidate.path is not None else Path(candidate.name)
    return carried_identity(path, tags, [found]).identity().lineage_id
