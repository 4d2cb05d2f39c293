"""The Lineage message of a graph, and the identity that a bag takes from it."""

import hashlib
import re
from collections.abc import Mapping

from alpamayo_ros.errors import DigestMismatchError, TopicError
from alpamayo_ros.messages.bag_translator import BAG
from alpamayo_ros.messages.topics import output_topic
from alpamayo_ros.messages.translator import lineage_components
from alpamayo_ros.messages.typestore import deserialize, serialize
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.structs.lineage import NONE, UNKNOWN, Lineage

LINEAGE_TYPE = output_topic("lineage").type_name

_ID = re.compile(r"sha256:[0-9a-f]{64}")


def lineage_payload(lineage: Lineage, stamp_ns: int) -> bytes:
    """Return the serialized Lineage message of a lineage that is valid from a time in ns on."""
    return serialize(BAG.lineage(lineage, stamp_ns), LINEAGE_TYPE)


def lineage_of(payload: bytes) -> Lineage:
    """Return the lineage that a serialized Lineage message names; details and provenance are not part of it.

    Raises:
        TopicError: The payload is no Lineage message of this version, or its ids are no ids.
        DigestMismatchError: The lineage id is not the digest of the manifest.
    """
    try:
        message = deserialize(payload, LINEAGE_TYPE)
    except ValueError as error:
        raise TopicError(f"a Lineage message cannot be read: {error}") from error
    lineage = Lineage(
        lineage_id=str(message.lineage_id),
        envelope_id=str(message.envelope_id),
        components=lineage_components(message),
        manifest=str(message.manifest),
        details={},
        provenance={},
    )
    for what, value in (("lineage id", lineage.lineage_id), ("envelope id", lineage.envelope_id)):
        if value not in (NONE, UNKNOWN) and not _ID.fullmatch(value):
            raise TopicError(
                f"a Lineage message has the {what} {value[:80]!r}; expected 'sha256:' and 64 hexadecimal digits, "
                f"{NONE!r} or {UNKNOWN!r}"
            )
    digest = hashlib.sha256(lineage.manifest.encode()).hexdigest()
    if lineage.manifest and lineage.lineage_id != f"sha256:{digest}":
        raise DigestMismatchError(
            f"a Lineage message names {lineage.lineage_id}, but its manifest has the digest sha256:{digest}; "
            "expected both to be equal"
        )
    return lineage


def bag_identity(lineage: Lineage | None, tags: Mapping[str, str]) -> BagIdentity:
    """Return what a bag is written as; without a lineage it was produced by no model.

    Args:
        lineage: Lineage of the system whose outputs are recorded, None if there is none.
        tags: Further flat texts for people and searches.
    """
    if lineage is None:
        return BagIdentity(NONE, NONE, "", dict(tags))
    return BagIdentity(lineage.lineage_id, lineage.envelope_id, lineage.manifest, dict(tags))
