"""A bag's identity stands in four places, and every disagreement is said."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.errors import BagCorruptError, BagNotFoundError, ConfigurationError
from alpamayo_ros.messages.topics import output_topic
from alpamayo_ros.messages.typestore import message_class, serialize
from alpamayo_ros.storage.identity import BagIdentity, IdentityReport, read_identity, validate_identity, verify_identity
from alpamayo_ros.storage.metadata import ROOT_KEY, dump_yaml, metadata_document, parse_metadata
from alpamayo_ros.storage.qos import LATCHED_QOS
from alpamayo_ros.storage.writer import BagWriter

PLACES = {"custom_data", "MCAP records", "lineage topic", "identity.json"}
TYPE = output_topic("lineage").type_name
EMPTY_METADATA = """rosbag2_bagfile_information:
  version: 9
  storage_identifier: mcap
  duration: {nanoseconds: 0}
  starting_time: {nanoseconds_since_epoch: 0}
  message_count: 0
  topics_with_message_count: []
  compression_format: ''
  compression_mode: ''
  relative_file_paths: [bag_0.mcap]
  files: []
  custom_data: {}
  ros_distro: jazzy
"""


def lineage_payload(identity: BagIdentity) -> bytes:
    message = message_class(TYPE)(
        stamp=message_class("builtin_interfaces/msg/Time")(sec=0, nanosec=0),
        lineage_id=identity.lineage_id,
        envelope_id=identity.envelope_id,
        components=[],
        manifest=identity.manifest,
    )
    return serialize(message, TYPE)


def write(path: Path, identity: BagIdentity, *published: BagIdentity) -> Path:
    with BagWriter(path, identity=identity) as writer:
        writer.add_topic("/alpamayo/output/lineage", TYPE, qos=LATCHED_QOS)
        writer.add_topic("/a", "std_msgs/msg/String")
        for number, published_identity in enumerate(published or (identity,)):
            payload = lineage_payload(published_identity)
            writer.write("/alpamayo/output/lineage", payload, receive_ns=number, publish_ns=number)
        writer.write("/a", b"x", receive_ns=50, publish_ns=50)
    return path


def change_metadata(path: Path, custom_data: dict[str, str]) -> None:
    file = path / "metadata.yaml"
    metadata = replace(parse_metadata(file.read_text(), "metadata.yaml"), custom_data=custom_data)
    file.write_text(dump_yaml({ROOT_KEY: metadata_document(metadata)}))


def change_sidecar(path: Path, **changes: Any) -> None:
    file = path / "identity.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def sentences(report: IdentityReport) -> str:
    return "\n".join(report.disagreements)


def test_a_sound_bag_agrees_in_all_four_places(tmp_path: Path, identity: BagIdentity) -> None:
    report = verify_identity(write(tmp_path / "bag", identity))
    assert report.disagreements == ()
    assert set(report.places) == PLACES
    assert {place.lineage_id for place in report.places.values()} == {identity.lineage_id}
    assert {place.envelope_id for place in report.places.values()} == {"none"}
    assert (report.lineage_id, report.envelope_id, report.state) == (identity.lineage_id, "none", "closed")
    assert report.manifest == identity.manifest
    assert report.tags == identity.tags


def test_the_sidecar_lists_the_digest_of_every_file(tmp_path: Path, identity: BagIdentity) -> None:
    path = write(tmp_path / "bag", identity)
    files = json.loads((path / "identity.json").read_text())["files"]
    assert files == {
        name: f"sha256:{hashlib.sha256((path / name).read_bytes()).hexdigest()}"
        for name in ("bag_0.mcap", "metadata.yaml")
    }


def test_a_bag_that_never_had_an_identity_is_not_reproached(make_bag: Callable[..., Path]) -> None:
    report = verify_identity(make_bag("bag", []))
    assert (report.lineage_id, report.envelope_id, report.disagreements) == ("", "", ())


def test_a_foreign_bag_is_not_reproached(make_foreign_bag: Callable[..., Path]) -> None:
    report = verify_identity(make_foreign_bag("bag", [("/odom", 1, b"x")], custom={"driver": "7"}))
    assert (report.lineage_id, report.disagreements, report.tags) == ("", (), {"driver": "7"})


def test_custom_data_that_a_reindex_dropped_is_missed_but_not_needed(tmp_path: Path, identity: BagIdentity) -> None:
    path = write(tmp_path / "bag", identity)
    change_metadata(path, {})
    report = read_identity(path)
    assert report.lineage_id == identity.lineage_id
    assert report.tags == identity.tags
    assert "custom_data names no lineage and no envelope" in sentences(report)
    assert "metadata.yaml differs from its sha256" in sentences(verify_identity(path))


def test_another_lineage_in_custom_data_is_found(tmp_path: Path, identity: BagIdentity) -> None:
    path = write(tmp_path / "bag", identity)
    change_metadata(path, {**identity.custom_data("closed"), "lineage_id": "sha256:ff"})
    report = read_identity(path)
    assert report.lineage_id == ""
    assert report.envelope_id == "none"
    assert "the places name different lineages" in sentences(report)
    assert "custom_data says sha256:ff" in sentences(report)


def test_another_envelope_in_the_sidecar_is_found(tmp_path: Path, identity: BagIdentity) -> None:
    path = write(tmp_path / "bag", identity)
    change_sidecar(path, envelope_id="sha256:ee")
    assert "different envelopes" in sentences(read_identity(path))


def test_another_lineage_on_the_topic_is_found(tmp_path: Path, identity: BagIdentity) -> None:
    other = replace(identity, lineage_id="sha256:dd")
    assert "lineage topic says sha256:dd" in sentences(read_identity(write(tmp_path / "one", identity, other)))
    report = read_identity(write(tmp_path / "two", identity, identity, other))
    assert "lineage topic: lineage has 2 different values" in sentences(report)


def test_a_bag_without_the_latched_message_is_missed(tmp_path: Path, identity: BagIdentity) -> None:
    with BagWriter(tmp_path / "bag", identity=identity):
        pass
    assert "lineage topic names no lineage" in sentences(read_identity(tmp_path / "bag"))


def test_a_manifest_of_another_lineage_is_found(tmp_path: Path, identity: BagIdentity) -> None:
    report = read_identity(write(tmp_path / "bag", replace(identity, manifest='{"other":1}')))
    assert "is not the digest of the manifest" in sentences(report)


def test_another_tag_is_found(tmp_path: Path, identity: BagIdentity) -> None:
    path = write(tmp_path / "bag", identity)
    change_sidecar(path, tags={**identity.tags, "scenario": "8"})
    assert "tag 'scenario' has different values: '8' and '007'" in sentences(read_identity(path))


def test_a_changed_file_is_found_by_its_digest_only(tmp_path: Path, identity: BagIdentity) -> None:
    path = write(tmp_path / "bag", identity)
    file = path / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    # The name of the library in the header: no checksum covers it.
    data[data.index(b"alpamayo_ros")] ^= 1
    file.write_bytes(data)
    assert read_identity(path).disagreements == ()
    assert "file bag_0.mcap differs from its sha256" in sentences(verify_identity(path))


def test_a_damaged_bag_is_answered_from_its_sidecar(tmp_path: Path, identity: BagIdentity) -> None:
    path = write(tmp_path / "bag", identity)
    file = path / "bag_0.mcap"
    file.write_bytes(file.read_bytes()[:-100])
    report = verify_identity(path)
    assert report.lineage_id == identity.lineage_id
    assert "has no footer" in sentences(report)
    assert "differs from its sha256" in sentences(report)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"bag_0.mcap": "sha256:00", "gone.mcap": "sha256:00"}, "lists the file 'gone.mcap', which is missing"),
        ({"../../etc/passwd": "sha256:00"}, "lists the file '../../etc/passwd', which is missing"),
        ({"metadata.yaml": "sha256:00"}, "file bag_0.mcap belongs to the bag, but identity.json does not list it"),
    ],
)
def test_a_list_of_files_that_is_not_that_of_the_bag_is_found(
    tmp_path: Path, identity: BagIdentity, files: dict[str, str], reason: str
) -> None:
    path = write(tmp_path / "bag", identity)
    change_sidecar(path, files=files)
    assert reason in sentences(verify_identity(path))


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"\xff\xfe", b'{"lineage_id": 5, "files": [1], "tags": {"a": {}}}', b"[" * 100_000]
)
def test_a_damaged_sidecar_is_said_and_the_other_places_still_count(
    tmp_path: Path, identity: BagIdentity, text: bytes
) -> None:
    path = write(tmp_path / "bag", identity)
    (path / "identity.json").write_bytes(text)
    report = verify_identity(path)
    assert report.lineage_id == identity.lineage_id
    assert "identity.json" in sentences(report)


def test_a_lineage_message_that_cannot_be_decoded_is_said(tmp_path: Path, identity: BagIdentity) -> None:
    with BagWriter(tmp_path / "bag", identity=identity) as writer:
        writer.add_topic("/alpamayo/output/lineage", TYPE)
        writer.write("/alpamayo/output/lineage", b"\x00\x01", receive_ns=1, publish_ns=1)
    assert "is no Lineage of this version" in sentences(read_identity(tmp_path / "bag"))


def test_a_bare_file_has_no_sidecar_but_names_its_lineage(tmp_path: Path, identity: BagIdentity) -> None:
    path = write(tmp_path / "bag", identity)
    report = read_identity(path / "bag_0.mcap")
    assert report.lineage_id == identity.lineage_id
    assert set(report.places) == PLACES - {"identity.json"}
    assert report.disagreements == ()


def test_a_copy_without_its_sidecar_says_so(tmp_path: Path, identity: BagIdentity) -> None:
    path = write(tmp_path / "bag", identity)
    (path / "identity.json").unlink()
    assert "identity.json names no lineage" in sentences(read_identity(path))


def test_what_is_no_bag_is_not_answered(tmp_path: Path, identity: BagIdentity) -> None:
    with pytest.raises(BagNotFoundError):
        read_identity(tmp_path / "missing")
    path = write(tmp_path / "bag", identity)
    shutil.rmtree(path / "identity.json", ignore_errors=True)
    (path / "identity.json").unlink()
    (path / "bag_0.mcap").write_bytes(b"")
    with pytest.raises(BagCorruptError):
        read_identity(path)


@pytest.mark.parametrize("key", ["lineage_id", "envelope_id", "state", "", "a\nb", "a\tb", "\x1b", "\u202ea"])
def test_a_tag_name_that_would_collide_is_refused(identity: BagIdentity, key: str) -> None:
    with pytest.raises(ConfigurationError, match="tag"):
        validate_identity(replace(identity, tags={key: "x"}))


@pytest.mark.parametrize("value", ["a\0b", "\x1b[1m", "\r", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\ud800"])
def test_a_tag_value_that_yaml_would_change_is_refused(identity: BagIdentity, value: str) -> None:
    with pytest.raises(ConfigurationError, match="expected printable text"):
        validate_identity(replace(identity, tags={"a": value}))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "007",
        "no",
        "~",
        "22:30",
        "a: b",
        "# x",
        "- y",
        "ä 道 🚗",
        "one\ntwo",
        "'\"",
        "{}",
        "a\tb",
        "A\u00a0B",
        "\u3000",
        "\ufeff",
    ],
)
def test_every_other_tag_value_survives_in_every_place(tmp_path: Path, identity: BagIdentity, value: str) -> None:
    report = verify_identity(write(tmp_path / "bag", replace(identity, tags={"a": value})))
    assert report.disagreements == ()
    assert report.tags == {"a": value}


@pytest.mark.parametrize("key", ["driver name", "A\u00a0B", "走行\u3000番号", "\u0645\u06cc\u200c\u062e\u0648"])
def test_a_tag_name_may_hold_any_space_but_tab(tmp_path: Path, identity: BagIdentity, key: str) -> None:
    report = verify_identity(write(tmp_path / "bag", replace(identity, tags={key: "x"})))
    assert (report.disagreements, report.tags) == ((), {key: "x"})


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=12), max_size=3))
def test_every_tag_that_is_taken_comes_back_from_metadata(tags: dict[str, str]) -> None:
    identity = BagIdentity("a", "none", tags=tags)
    try:
        validate_identity(identity)
    except ConfigurationError:
        return
    written = replace(parse_metadata(EMPTY_METADATA, "metadata.yaml"), custom_data=identity.custom_data("closed"))
    text = dump_yaml({ROOT_KEY: metadata_document(written)})
    assert parse_metadata(text.encode().decode(), "metadata.yaml").custom_data == written.custom_data
    assert json.loads(identity.sidecar("closed", {}))["tags"] == tags


@pytest.mark.parametrize("key", ["manifest", "lineage_id", "state", "tags", "files", "trace"])
def test_a_sidecar_with_half_a_character_is_damaged(tmp_path: Path, identity: BagIdentity, key: str) -> None:
    path = write(tmp_path / "bag", identity)
    change_sidecar(path, **{key: {"a": "\ud800"} if key in ("tags", "files") else "\ud800"})
    report = verify_identity(path)
    assert "identity.json holds text that is no Unicode; it was damaged" in sentences(report)
    assert (report.lineage_id, report.manifest) == (identity.lineage_id, identity.manifest)


def test_a_trace_with_half_a_character_is_damaged(tmp_path: Path, identity: BagIdentity) -> None:
    path = write(tmp_path / "bag", identity)
    trace = json.dumps({"alpamayo_ros_trace": 1, "steps": [{"operation": "\ud800"}]}, separators=(",", ":"))
    change_metadata(path, {**identity.custom_data("closed"), "trace": trace})
    report = read_identity(path)
    assert "the trace of what was done to the bag holds text that is no Unicode" in sentences(report)
    assert report.trace == ()


def test_a_sidecar_with_a_number_of_thousands_of_digits_is_damaged(tmp_path: Path, identity: BagIdentity) -> None:
    path = write(tmp_path / "bag", identity)
    (path / "identity.json").write_text('{"a": ' + "1" * 5000 + "}")
    assert "identity.json is not JSON" in sentences(read_identity(path))


def test_a_lineage_message_of_megabytes_is_not_read(tmp_path: Path, identity: BagIdentity) -> None:
    large = replace(identity, manifest="a" * 1_100_000)
    report = read_identity(write(tmp_path / "bag", identity, identity, large, large))
    assert report.lineage_id == identity.lineage_id
    assert [text for text in report.disagreements if "more than 1048576 bytes and was not read" in text]
    assert len(report.disagreements) == 1


def test_many_different_lineage_messages_are_not_all_read(tmp_path: Path, identity: BagIdentity) -> None:
    others = [replace(identity, lineage_id=f"sha256:{number:064x}") for number in range(16)]
    report = read_identity(write(tmp_path / "sixteen", identity, *others))
    assert "lineage topic: lineage has 16 different values" in sentences(report)
    report = read_identity(write(tmp_path / "more", identity, identity, *others, identity))
    assert "lineage topic holds more than 16 different messages" in sentences(report)


def test_equal_lineage_messages_and_equal_damage_are_kept_once(tmp_path: Path, identity: BagIdentity) -> None:
    with BagWriter(tmp_path / "bag", identity=identity) as writer:
        writer.add_topic("/alpamayo/output/lineage", TYPE)
        for number in range(2000):
            payload = lineage_payload(identity) if number % 2 else b"damaged"
            writer.write("/alpamayo/output/lineage", payload, receive_ns=number, publish_ns=number)
    report = read_identity(tmp_path / "bag")
    assert len(report.disagreements) == 1
    assert "is no Lineage of this version" in sentences(report)
    assert report.lineage_id == identity.lineage_id
