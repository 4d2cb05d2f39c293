"""Digests say what a bag says, and nothing about its files."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rosbags.typesys import Stores, get_typestore

from alpamayo_ros.messages.typestore import message_definition, type_hash
from alpamayo_ros.storage import digest as digest_module
from alpamayo_ros.storage.digest import (
    ContentDigest,
    InputOrderDigest,
    content_digest,
    is_content,
    stated_or_computed_hash,
)
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.metadata import load_yaml
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter

ROWS = [("/odom" if number % 3 else "/imu", 1000 + number // 4, b"payload %d" % number) for number in range(200)]


def digest_of(path: Path) -> str:
    with open_bag(path) as reader:
        return content_digest(reader)


def test_a_line_is_what_the_design_says() -> None:
    topic = TopicInfo("/a", "std_msgs/msg/String", type_hash="RIHS01_ab")
    digest = ContentDigest({"/a": topic})
    digest.update(BagMessage("/a", topic.type_name, 12, 99, b"abc"))
    digest.update(BagMessage("/a", topic.type_name, 13, 99, b""))
    lines = "".join(
        f"/a\tstd_msgs/msg/String\tRIHS01_ab\t{stamp}\t{hashlib.sha256(payload).hexdigest()}\n"
        for stamp, payload in ((12, b"abc"), (13, b""))
    )
    assert digest.hexdigest() == f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"
    assert digest.message_count == 2


def test_the_layout_of_the_files_changes_nothing(
    make_bag: Callable[..., Path], make_foreign_bag: Callable[..., Path]
) -> None:
    layouts: dict[str, dict[str, Any]] = {
        "zstd": {},
        "lz4": {"compression": "lz4"},
        "none": {"compression": "none", "chunk_size": 100},
        "split": {"max_file_bytes": 12_000, "chunk_size": 200, "compression": "none"},
    }
    digests = {name: digest_of(make_bag(name, ROWS, **options)) for name, options in layouts.items()}
    digests["sqlite3"] = digest_of(make_foreign_bag("sqlite3", ROWS))
    digests["foreign mcap"] = digest_of(make_foreign_bag("foreign_mcap", ROWS, "MCAP"))
    digests["bare"] = digest_of(make_foreign_bag("bare", ROWS, "MCAP") / "bare.mcap")
    digests["bare sqlite3"] = digest_of(make_foreign_bag("bare_sqlite3", ROWS) / "bare_sqlite3.db3")
    assert len(set(digests.values())) == 1, digests
    with open_bag(make_bag("many", ROWS, **layouts["split"])) as reader:
        assert len(reader.files) > 1


def test_the_publish_time_changes_nothing(tmp_path: Path) -> None:
    digests = set()
    for publish_ns in (0, 5):
        path = tmp_path / f"bag{publish_ns}"
        with BagWriter(path, identity=None) as writer:
            writer.add_topic("/a", "std_msgs/msg/String")
            writer.write("/a", b"x", receive_ns=9, publish_ns=publish_ns)
        digests.add(digest_of(path))
    assert len(digests) == 1


@pytest.mark.parametrize(
    "changed",
    [
        [("/odom", 1000, b"other"), *ROWS[1:]],
        [(ROWS[0][0], 999, ROWS[0][2]), *ROWS[1:]],
        ROWS[:-1],
        [*ROWS, ROWS[-1]],
        [("/odom", *ROWS[0][1:]), *ROWS[1:]],
        [ROWS[3], *ROWS[1:3], ROWS[0], *ROWS[4:]],
    ],
)
def test_every_change_of_a_message_changes_it(make_bag: Callable[..., Path], changed: list[Any]) -> None:
    assert digest_of(make_bag("one", ROWS)) != digest_of(make_bag("other", changed))


def test_our_outputs_and_logs_are_no_content(tmp_path: Path) -> None:
    def write(name: str, *, outputs: bool) -> Path:
        with BagWriter(tmp_path / name, identity=None) as writer:
            writer.add_topic("/a", "std_msgs/msg/String")
            extra = {
                "/rosout": "rcl_interfaces/msg/Log",
                "/diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
                "/events/write_split": "std_msgs/msg/String",
                "/alpamayo/output/tick": "alpamayo_ros/msg/TickStatus",
            }
            for topic, type_name in extra.items() if outputs else ():
                writer.add_topic(topic, type_name)
                writer.write(topic, b"log", receive_ns=4, publish_ns=4)
            writer.write("/a", b"x", receive_ns=5, publish_ns=5)
        return tmp_path / name

    assert digest_of(write("with", outputs=True)) == digest_of(write("without", outputs=False))


@pytest.mark.parametrize(
    ("name", "type_name", "expected"),
    [
        ("/odom", "nav_msgs/msg/Odometry", True),
        ("/rosout", "rcl_interfaces/msg/Log", False),
        ("/car/rosout", "rcl_interfaces/msg/Log", True),
        ("/parameter_events", "rcl_interfaces/msg/ParameterEvent", False),
        ("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", False),
        ("/events/write_split", "rosbag2_interfaces/msg/WriteSplitEvent", False),
        ("/eventsource", "std_msgs/msg/String", True),
        ("/any/name", "alpamayo_ros/msg/Rationale", False),
        ("/any/name", "alpamayo_ros/msg/NavigationCommand", True),
        ("/rosout", "alpamayo_ros/msg/NavigationCommand", False),
        ("/any/name", "alpamayo_ros_tools/msg/Thing", True),
    ],
)
def test_what_counts_as_content(name: str, type_name: str, expected: bool) -> None:
    assert is_content(name, type_name) is expected


def test_an_output_of_a_standard_type_is_recognised_under_any_node(monkeypatch: pytest.MonkeyPatch) -> None:
    from alpamayo_ros.messages.topics import OutputTopic
    from alpamayo_ros.storage import digest

    row = OutputTopic("path", "~/output/path", "nav_msgs/msg/Path", "output", "every tick", True, False)
    monkeypatch.setattr(digest, "OUTPUT_TOPICS", (row,))
    assert not is_content("/car/alpamayo/output/path", "nav_msgs/msg/Path")
    assert is_content("/car/alpamayo/output/path", "nav_msgs/msg/Odometry")
    assert is_content("/car/path", "nav_msgs/msg/Path")


def test_the_input_order_covers_everything_that_was_fed_in_its_order() -> None:
    topics = {name: TopicInfo(name, "alpamayo_ros/msg/TickStatus") for name in ("/a", "/b")}
    messages = [BagMessage(name, "alpamayo_ros/msg/TickStatus", 1, 1, b"x") for name in ("/a", "/b")]
    digests = []
    for order in (messages, messages[::-1]):
        digest = InputOrderDigest(topics)
        for message in order:
            digest.update(message)
        assert digest.message_count == 2
        digests.append(digest.hexdigest())
    assert digests[0] != digests[1]


def test_fed_content_has_the_digest_of_the_bag(make_bag: Callable[..., Path]) -> None:
    with open_bag(make_bag("bag", ROWS)) as reader:
        digest = InputOrderDigest(reader.topics)
        for message in reader.messages():
            digest.update(message)
        assert digest.hexdigest() == content_digest(reader)


def test_a_missing_hash_is_computed_from_the_definition_of_every_common_type() -> None:
    store = get_typestore(Stores.ROS2_KILTED)
    assert len(store.types) > 150
    for type_name in store.types:
        definition, _ = store.generate_msgdef(type_name, ros_version=2)
        topic = TopicInfo("/a", type_name, definition=definition, definition_encoding="ros2msg")
        assert stated_or_computed_hash(topic) == store.hash_rihs01(type_name)


def test_our_own_types_have_a_computable_hash() -> None:
    name = "alpamayo_ros/msg/Lineage"
    topic = TopicInfo("/a", name, definition=message_definition(name), definition_encoding="ros2msg")
    assert stated_or_computed_hash(topic) == type_hash(name)


def test_a_definition_in_idl_is_hashed_too() -> None:
    separator = "=" * 80 + "\n"
    text = (
        f"{separator}IDL: a_msgs/msg/Thing\n"
        "module a_msgs { module msg { struct Thing { int32 x; a_msgs::msg::Part part; }; }; };\n"
        f"{separator}IDL: a_msgs/msg/Part\nmodule a_msgs {{ module msg {{ struct Part {{ float y; }}; }}; }};\n"
    )
    idl = TopicInfo("/a", "a_msgs/msg/Thing", definition=text, definition_encoding="ros2idl")
    plain = f"int32 x\nPart part\n{separator}MSG: a_msgs/msg/Part\nfloat32 y\n"
    msg = replace(idl, definition=plain, definition_encoding="ros2msg")
    assert stated_or_computed_hash(idl) == stated_or_computed_hash(msg) != "-"


@pytest.mark.parametrize(
    ("definition", "encoding"),
    [
        ("", ""),
        ("int32 x", "protobuf"),
        ("int32 x", ""),
        ("this is no definition !!!", "ros2msg"),
        ("other_msgs/Missing thing", "ros2msg"),
        ("a_msgs/Thing itself", "ros2msg"),
        ("int32 x\n" * 100_000, "ros2msg"),
        ("}}}", "ros2idl"),
    ],
)
def test_a_definition_that_cannot_be_read_leaves_a_dash(definition: str, encoding: str) -> None:
    topic = TopicInfo("/a", "a_msgs/msg/Thing", definition=definition, definition_encoding=encoding)
    assert stated_or_computed_hash(topic) == "-"


def test_a_definition_is_never_executed(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    hostile = f"int32 x=5\nstring A=\"'); open({str(marker)!r}, 'w'); ('\"\n"
    stated_or_computed_hash(TopicInfo("/a", "a_msgs/msg/Thing", definition=hostile, definition_encoding="ros2msg"))
    assert not marker.exists()


def test_the_dropped_hash_of_a_converted_bag_changes_nothing(make_bag: Callable[..., Path]) -> None:
    path = make_bag("bag", ROWS)
    before = digest_of(path)
    text = (path / "metadata.yaml").read_text()
    assert "RIHS01_" in text
    lines = [line.split("RIHS01_")[0] + "''" if "RIHS01_" in line else line for line in text.splitlines()]
    (path / "metadata.yaml").write_text("\n".join(lines))
    load_yaml("\n".join(lines), "metadata.yaml")
    assert digest_of(path) == before


def test_progress_is_told(make_bag: Callable[..., Path]) -> None:
    told = []
    with open_bag(make_bag("bag", ROWS)) as reader:
        content_digest(reader, lambda done, total: told.append((done, total)))
    assert told == [(0, 200), (200, 200)]


def test_a_definition_that_many_topics_share_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    original = digest_module._computed_hash

    def counted(topic: TopicInfo) -> str:
        parsed.append(topic.name)
        return original(topic)

    monkeypatch.setattr(digest_module, "_computed_hash", counted)
    text = "string a_field_that_no_other_test_has\n"
    topics = {
        f"/{number}": TopicInfo(f"/{number}", "a_msgs/msg/A", definition=text, definition_encoding="ros2msg")
        for number in range(50)
    }
    ContentDigest(topics)
    assert parsed == ["/0"]


def test_definitions_without_end_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest_module, "MAX_DEFINITIONS_CHARACTERS", 100)
    topics = {
        f"/{number}": TopicInfo(
            f"/{number}", f"a_msgs/msg/A{number}", definition=f"string f{number}\n" * 4, definition_encoding="ros2msg"
        )
        for number in range(5)
    }
    hashes = digest_module._hashes_by_topic(topics)
    assert [value == digest_module.NO_HASH for value in hashes.values()] == [False, False, True, True, True]
