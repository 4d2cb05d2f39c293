"""rosbag2's metadata.yaml, read strictly."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.errors import BagCorruptError, BagError
from alpamayo_ros.storage.metadata import (
    MAX_METADATA_BYTES,
    ROOT_KEY,
    VERSIONS,
    BagMetadata,
    FileMetadata,
    TopicMetadata,
    dump_yaml,
    load_yaml,
    metadata_document,
    parse_metadata,
)
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS

EXAMPLE = BagMetadata(
    storage_id="mcap",
    relative_paths=("a_0.mcap", "a_1.mcap"),
    topics=(
        TopicMetadata("/odom", "nav_msgs/msg/Odometry", 3, "RIHS01_ab", "cdr", (OUTPUT_QOS,)),
        TopicMetadata("/map", "nav_msgs/msg/OccupancyGrid", 1, "", "cdr", (LATCHED_QOS, OUTPUT_QOS)),
        TopicMetadata("/none", "std_msgs/msg/String", 0),
    ),
    message_count=4,
    start_ns=1_700_000_000_000_000_000,
    duration_ns=5,
    files=(FileMetadata("a_0.mcap", 1_700_000_000_000_000_000, 2, 3), FileMetadata("a_1.mcap", 3, 2, 1)),
    custom_data={"lineage_id": "sha256:00", "number": "007", "night": "no", "at": "22:30", "nothing": "~", "empty": ""},
    ros_distro="kilted",
)


def text_of(metadata: BagMetadata) -> str:
    return dump_yaml({ROOT_KEY: metadata_document(metadata)})


def test_metadata_comes_back_as_it_was_written() -> None:
    assert parse_metadata(text_of(EXAMPLE), "metadata.yaml") == EXAMPLE
    rootless = dump_yaml(metadata_document(EXAMPLE))
    assert parse_metadata(rootless, "metadata.yaml", rooted=False) == EXAMPLE


def test_unquoted_tags_stay_the_text_that_they_are() -> None:
    text = text_of(EXAMPLE).replace("'007'", "007").replace("'22:30'", "22:30")
    custom = parse_metadata(text, "metadata.yaml").custom_data
    assert (custom["number"], custom["at"], custom["night"]) == ("007", "22:30", "no")


TAG_NAMES = st.text(min_size=1, max_size=20).filter(str.isprintable)
TAG_VALUES = st.text(max_size=40).filter(lambda text: text.replace("\n", "").isprintable())


@given(st.dictionaries(TAG_NAMES, TAG_VALUES, max_size=5))
@settings(deadline=None, max_examples=60)
def test_every_tag_text_that_a_writer_takes_survives(tags: dict[str, str]) -> None:
    text = text_of(replace(EXAMPLE, custom_data=tags))
    assert parse_metadata(text, "metadata.yaml").custom_data == tags


def test_keys_stand_in_the_order_of_rosbag2() -> None:
    keys = [line.strip(" :") for line in text_of(EXAMPLE).splitlines() if re.match(r"  [a-z_]+:", line)]
    assert [key.split(":")[0] for key in keys] == list(metadata_document(EXAMPLE))


@pytest.mark.parametrize("version", [0, 1, 3, 10])
def test_another_version_is_named_with_what_is_supported(version: int) -> None:
    with pytest.raises(BagError, match=f"metadata version {version}.*expected 4 to 9") as caught:
        parse_metadata(text_of(replace(EXAMPLE, version=version)), "metadata.yaml")
    assert not isinstance(caught.value, BagCorruptError)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_comes_back_as_it_was_written(version: int) -> None:
    metadata = replace(EXAMPLE, version=version)
    assert parse_metadata(text_of(metadata), "metadata.yaml") == metadata


@pytest.mark.parametrize(
    ("version", "absent"),
    [(4, 4), (5, 3), (6, 2), (7, 1), (8, 0)],
)
def test_a_version_needs_only_the_keys_that_it_had(version: int, absent: int) -> None:
    """As the release wrote it: the keys came one version after the other."""
    document: Any = metadata_document(replace(EXAMPLE, version=version))
    younger = ["ros_distro", "type_description_hash", "custom_data", "files"][:absent]
    for key in set(younger) - {"type_description_hash"}:
        del document[key]
    if "type_description_hash" in younger:
        for topic in document["topics_with_message_count"]:
            del topic["topic_metadata"]["type_description_hash"]
    read = parse_metadata(dump_yaml({ROOT_KEY: document}), "metadata.yaml")
    assert read.warnings == ()
    assert [topic.offered_qos for topic in read.topics] == [topic.offered_qos for topic in EXAMPLE.topics]
    assert (read.files == ()) == ("files" in younger)
    assert (read.custom_data == {}) == ("custom_data" in younger)
    assert (read.ros_distro == "") == ("ros_distro" in younger)
    assert (read.topics[0].type_hash == "") == ("type_description_hash" in younger)


def test_old_versions_hold_their_qos_as_text_with_numbers() -> None:
    document: Any = metadata_document(replace(EXAMPLE, version=5))
    text = document["topics_with_message_count"][1]["topic_metadata"]["offered_qos_profiles"]
    assert text.startswith(
        "- history: 1\n  depth: 1\n  reliability: 1\n  durability: 1\n  deadline:\n    sec: 9223372036"
    )
    assert document["topics_with_message_count"][2]["topic_metadata"]["offered_qos_profiles"] == ""


def test_qos_in_the_form_of_another_version_is_read_and_said() -> None:
    text = text_of(replace(EXAMPLE, version=8)).replace("version: 8", "version: 9")
    read = parse_metadata(text, "metadata.yaml")
    assert read.topics[0].offered_qos == EXAMPLE.topics[0].offered_qos
    assert any("/odom: offered_qos_profiles is a text" in warning for warning in read.warnings)


@pytest.mark.parametrize("text", ["garbage", "- 3", "- history: 1", "{", "a: 1", "'a text'"])
def test_a_qos_text_that_is_none_is_a_warning_only(text: str) -> None:
    document: Any = metadata_document(replace(EXAMPLE, version=5))
    document["topics_with_message_count"][0]["topic_metadata"]["offered_qos_profiles"] = text
    read = parse_metadata(dump_yaml({ROOT_KEY: document}), "metadata.yaml")
    assert read.topics[0].offered_qos == ()
    assert any("/odom" in warning for warning in read.warnings)


@pytest.mark.parametrize("key", list(metadata_document(EXAMPLE)))
def test_a_missing_key_is_named(key: str) -> None:
    document = metadata_document(EXAMPLE)
    del document[key]
    with pytest.raises(BagCorruptError, match=f"no key '{key}'.*alpamayo bag recover"):
        parse_metadata(dump_yaml({ROOT_KEY: document}), "metadata.yaml")


@pytest.mark.parametrize(
    "text",
    ["", "~", "[]", "just a text", "a: [", "rosbag2_bagfile_information: 3", "\x00", "a: 1\na: 2", "[" * 1200],
)
def test_a_text_that_is_no_metadata_is_refused(text: str) -> None:
    with pytest.raises(BagCorruptError, match="expected"):
        parse_metadata(text, "metadata.yaml")


@pytest.mark.parametrize("path", ["../a.mcap", "/etc/passwd", "a/../../b.mcap", "", ".", "..", "a\0b", "sub/../x.mcap"])
def test_a_file_outside_of_the_bag_is_refused(path: str) -> None:
    document = metadata_document(replace(EXAMPLE, relative_paths=("a_0.mcap",)))
    document["relative_file_paths"] = [path]
    with pytest.raises(BagCorruptError, match=r"file|not YAML"):
        parse_metadata(dump_yaml({ROOT_KEY: document}), "metadata.yaml")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("message_count", -1),
        ("message_count", "many"),
        ("message_count", 1.5),
        ("duration", {"nanoseconds": -5}),
        ("duration", 3),
        ("starting_time", {}),
        ("topics_with_message_count", [3]),
        ("topics_with_message_count", {"a": 1}),
        ("files", [{"path": "a"}]),
        ("relative_file_paths", [["a"]]),
        ("custom_data", {"nested": {"a": 1}}),
        ("custom_data", ["a"]),
        ("storage_identifier", ["mcap"]),
    ],
)
def test_a_value_of_another_form_is_refused(key: str, value: object) -> None:
    document = {**metadata_document(EXAMPLE), key: value}
    with pytest.raises(BagCorruptError, match="expected"):
        parse_metadata(dump_yaml({ROOT_KEY: document}), "metadata.yaml")


@pytest.mark.parametrize("value", ["~", "null", "", "{}"])
def test_no_custom_data_is_an_empty_map(value: str) -> None:
    text = re.sub(r"  custom_data:\n(    .*\n)+", f"  custom_data: {value}\n", text_of(EXAMPLE))
    assert parse_metadata(text, "metadata.yaml").custom_data == {}


def test_quality_of_service_that_cannot_be_read_is_a_warning() -> None:
    document = metadata_document(EXAMPLE)
    topics = document["topics_with_message_count"]
    assert isinstance(topics, list)
    topics[0]["topic_metadata"]["offered_qos_profiles"] = "garbage"
    metadata = parse_metadata(dump_yaml({ROOT_KEY: document}), "metadata.yaml")
    assert metadata.topics[0].offered_qos == ()
    assert "/odom" in metadata.warnings[0]


def test_an_endless_document_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(BagCorruptError, match="at most"):
        load_yaml("a" * (MAX_METADATA_BYTES + 1), "metadata.yaml")
