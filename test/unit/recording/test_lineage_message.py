"""The lineage of a graph becomes the identity of a bag, unless it contradicts itself."""

from dataclasses import replace

import pytest

from alpamayo_ros.errors import DigestMismatchError, TopicError
from alpamayo_ros.recording.lineage_message import bag_identity, lineage_of, lineage_payload
from alpamayo_ros.structs.lineage import Lineage


def test_a_lineage_comes_back_from_its_message(lineage: Lineage) -> None:
    assert lineage_of(lineage_payload(lineage, 5)) == lineage


def test_a_lineage_that_is_not_the_digest_of_its_manifest_is_refused(lineage: Lineage) -> None:
    with pytest.raises(DigestMismatchError, match="its manifest has the digest"):
        lineage_of(lineage_payload(replace(lineage, manifest="{}"), 5))


@pytest.mark.parametrize("value", ["", "sha256:12", "sha256:" + "g" * 64, "yes\nno", "sha256:" + "a" * 64 + "\n"])
@pytest.mark.parametrize("field", ["lineage_id", "envelope_id"])
def test_an_id_that_is_none_is_refused(lineage: Lineage, field: str, value: str) -> None:
    with pytest.raises(TopicError, match=field.replace("_", " ")):
        lineage_of(lineage_payload(replace(lineage, **{field: value}), 5))


@pytest.mark.parametrize("payload", [b"", b"\0\1\0\0", b"\xff" * 100])
def test_a_payload_that_is_no_lineage_is_refused(payload: bytes) -> None:
    with pytest.raises(TopicError, match="cannot be read"):
        lineage_of(payload)


def test_a_bag_takes_its_identity_from_the_lineage(lineage: Lineage) -> None:
    identity = bag_identity(lineage, {"route": "7"})
    assert (identity.lineage_id, identity.envelope_id) == (lineage.lineage_id, lineage.envelope_id)
    assert (identity.manifest, identity.tags) == (lineage.manifest, {"route": "7"})


def test_a_bag_without_a_lineage_was_produced_by_no_model() -> None:
    identity = bag_identity(None, {})
    assert (identity.lineage_id, identity.envelope_id, identity.manifest) == ("none", "none", "")
