"""Definitions come from the installed interface packages and mean what the type store means."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from rosbags.typesys import get_types_from_msg

from alpamayo_ros.errors import TopicError
from alpamayo_ros.messages.typestore import message_definition, type_hash, typestore
from alpamayo_ros.recording.definitions import MAX_FILE_BYTES, STORE, DefinitionSource, prefixes_of

COMMON = [
    "nav_msgs/msg/Odometry",
    "sensor_msgs/msg/CompressedImage",
    "sensor_msgs/msg/CameraInfo",
    "visualization_msgs/msg/MarkerArray",
    "rcl_interfaces/msg/Log",
    "std_msgs/msg/Empty",
    "diagnostic_msgs/msg/DiagnosticArray",
]
RULE = "=" * 80
OTHER_HASH = f"RIHS01_{'0' * 64}"


@pytest.mark.parametrize("type_name", COMMON)
def test_an_installed_definition_means_what_the_type_store_means(ros_prefix: Path, type_name: str) -> None:
    found = DefinitionSource([ros_prefix]).find(type_name)
    assert found.origin == str(ros_prefix / "share" / f"{type_name}.msg")
    assert found.encoding == "ros2msg"
    parsed = get_types_from_msg(found.text, type_name)
    stored = get_types_from_msg(message_definition(type_name), type_name)
    assert {name: fields[:2] for name, fields in parsed.items()} == {
        name: fields[:2] for name, fields in stored.items()
    }


def test_the_hash_of_every_installed_type_is_that_of_the_type_store(ros_prefix: Path) -> None:
    source = DefinitionSource([ros_prefix])
    names = [
        f"{file.parents[1].name}/msg/{file.stem}"
        for package in {name.split("/")[0] for name in COMMON}
        for file in (ros_prefix / "share" / package / "msg").glob("*.msg")
    ]
    # Of Char the store has another hash: rosbags takes ROS 2's char, which is a uint8, for a type of its own.
    compared = [name for name in names if name in typestore().fielddefs and name != "std_msgs/msg/Char"]
    assert len(compared) > 60
    assert {name: source.find(name).type_hash for name in compared} == {name: type_hash(name) for name in compared}


@pytest.mark.parametrize("type_name", COMMON)
def test_where_no_hash_is_installed_it_is_computed(
    ros_prefix: Path, install: Callable[..., Path], type_name: str
) -> None:
    files = {
        f"{file.relative_to(ros_prefix / 'share')}": file.read_text(encoding="utf-8")
        for package in ("builtin_interfaces", "std_msgs", "geometry_msgs", *{name.split("/")[0] for name in COMMON})
        for file in (ros_prefix / "share" / package / "msg").glob("*.msg")
    }
    assert DefinitionSource([install(files)]).find(type_name).type_hash == type_hash(type_name)


def test_our_own_messages_are_found_where_the_package_is_built(ros_prefix: Path) -> None:
    found = DefinitionSource([ros_prefix]).find("alpamayo_ros/msg/Lineage")
    assert found.type_hash == type_hash("alpamayo_ros/msg/Lineage")


def test_without_any_prefix_the_type_store_answers() -> None:
    found = DefinitionSource().find("nav_msgs/msg/Odometry")
    assert (found.text, found.origin) == (message_definition("nav_msgs/msg/Odometry"), STORE)
    assert found.type_hash == type_hash("nav_msgs/msg/Odometry")


def test_nested_types_stand_behind_the_type_as_rosbag2_puts_them(install: Callable[..., Path]) -> None:
    prefix = install(
        {
            "robot_msgs/msg/Thing.msg": (
                "# Geometry of a thing\nuint8 KIND=1 # a/B c\nstring<=5[<=3] words\nwstring wide\n"
                "Part[3] parts  # three\nother_msgs/Piece[] pieces\nstd_msgs/msg/Header header\nPart again\n"
            ),
            "robot_msgs/msg/Part.msg": "other_msgs/Piece piece\nfloat64 x 0.5\n",
            "other_msgs/msg/Piece.msg": "int8 a\n",
            "std_msgs/msg/Header.msg": "string frame_id\n",
        }
    )
    found = DefinitionSource([prefix]).find("robot_msgs/msg/Thing")
    headings = [line for line in found.text.splitlines() if line.startswith("MSG: ")]
    assert headings == ["MSG: other_msgs/Piece", "MSG: robot_msgs/Part", "MSG: std_msgs/Header"]
    assert found.text.startswith("# Geometry of a thing\n")
    assert f"Part again\n\n{RULE}\nMSG: other_msgs/Piece\nint8 a\n\n{RULE}\nMSG: robot_msgs/Part\n" in found.text


def test_a_type_that_is_not_parsed_has_a_definition_but_no_hash(install: Callable[..., Path]) -> None:
    prefix = install({"robot_msgs/msg/Thing.msg": "wstring wide\n"})
    found = DefinitionSource([prefix]).find("robot_msgs/msg/Thing")
    assert (found.text, found.type_hash) == ("wstring wide\n", "")
    assert DefinitionSource([prefix]).find("robot_msgs/msg/Thing", OTHER_HASH).type_hash == OTHER_HASH


def test_no_hash_is_computed_that_ros_2_would_compute_otherwise(install: Callable[..., Path]) -> None:
    prefix = install({"a/msg/A.msg": "int8 a # char b\n", "a/msg/B.msg": "char[2] a\n"})
    assert DefinitionSource([prefix]).find("a/msg/A").type_hash != ""
    assert DefinitionSource([prefix]).find("a/msg/B").type_hash == ""
    assert DefinitionSource().find("std_msgs/msg/Char").type_hash == ""
    assert DefinitionSource().find("std_msgs/msg/Char", OTHER_HASH).type_hash == OTHER_HASH


def test_a_package_that_is_written_in_idl_is_stored_as_idl(ros_prefix: Path, install: Callable[..., Path]) -> None:
    types = ["std_msgs/msg/Header", "builtin_interfaces/msg/Time"]
    files = {f"{name}.idl": (ros_prefix / "share" / f"{name}.idl").read_text(encoding="utf-8") for name in types}
    found = DefinitionSource([install(files)]).find("std_msgs/msg/Header")
    assert found.encoding == "ros2idl"
    assert found.text == "\n".join(f"{RULE}\nIDL: {name}\n{files[f'{name}.idl']}" for name in types)
    stated = (ros_prefix / "share" / "std_msgs/msg/Header.json").read_text(encoding="utf-8")
    source = DefinitionSource([install({"std_msgs/msg/Header.json": stated})])
    assert source.find("std_msgs/msg/Header").type_hash == type_hash("std_msgs/msg/Header")


def test_a_small_idl_is_hashed_like_a_msg(install: Callable[..., Path]) -> None:
    idl = "module a {\n  module msg {\n    struct A {\n      int8 a;\n    };\n  };\n};\n"
    found = DefinitionSource([install({"a/msg/A.idl": idl}, "idl")]).find("a/msg/A")
    assert found.type_hash == DefinitionSource([install({"a/msg/A.msg": "int8 a\n"}, "msg")]).find("a/msg/A").type_hash


def test_the_first_prefix_that_has_the_package_hides_the_others(install: Callable[..., Path]) -> None:
    over = install({"robot_msgs/msg/Thing.msg": "int8 new\n"}, "over")
    under = install({"robot_msgs/msg/Thing.msg": "int8 old\n", "robot_msgs/msg/Gone.msg": "int8 a\n"}, "under")
    source = DefinitionSource([over, under])
    assert source.find("robot_msgs/msg/Thing").text == "int8 new\n"
    with pytest.raises(TopicError, match="robot_msgs/msg/Gone is not known"):
        source.find("robot_msgs/msg/Gone")


def test_an_installed_type_is_believed_over_the_store(install: Callable[..., Path]) -> None:
    prefix = install({"std_msgs/msg/String.msg": "string data\nint8 added\n"})
    source = DefinitionSource([prefix])
    assert source.find("std_msgs/msg/String").text == "string data\nint8 added\n"
    announced = type_hash("std_msgs/msg/String")
    assert source.find("std_msgs/msg/String", announced).origin == STORE


def test_another_version_of_a_type_than_is_known_is_refused(install: Callable[..., Path]) -> None:
    with pytest.raises(TopicError, match=f"is published as {OTHER_HASH}, which is another version"):
        DefinitionSource().find("std_msgs/msg/String", OTHER_HASH)


@pytest.mark.parametrize("announced", ["", "INVALID", "RIHS01_", "RIHS02_" + "0" * 64, OTHER_HASH + "\n"])
def test_what_is_no_hash_counts_as_none(announced: str) -> None:
    assert DefinitionSource().find("std_msgs/msg/String", announced).type_hash == type_hash("std_msgs/msg/String")


def test_an_unknown_type_is_named_with_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(TopicError) as caught:
        DefinitionSource([tmp_path / "a", tmp_path / "b"]).find("robot_msgs/msg/Thing")
    for part in ("robot_msgs/msg/Thing.msg", str(tmp_path / "a" / "share"), str(tmp_path / "b" / "share"), STORE):
        assert part in str(caught.value)


def test_an_unknown_type_inside_a_type_is_named_with_its_holder(install: Callable[..., Path]) -> None:
    prefix = install({"robot_msgs/msg/Thing.msg": "gone_msgs/Part part\n"})
    with pytest.raises(TopicError, match="gone_msgs/msg/Part, which is in robot_msgs/msg/Thing, is not known"):
        DefinitionSource([prefix]).find("robot_msgs/msg/Thing")


def test_a_broken_installation_of_a_common_type_leaves_it_to_the_store(install: Callable[..., Path]) -> None:
    prefix = install({"nav_msgs/msg/Odometry.msg": "std_msgs/Header header\n"})
    assert DefinitionSource([prefix]).find("nav_msgs/msg/Odometry").origin == STORE


@pytest.mark.parametrize(
    "name",
    [
        "", "String", "std_msgs/String", "std_msgs/msg/../../../etc/passwd", "../msg/x", "a/msg/b\0", "a/msg/b\n",
        "/abs/msg/x", "std_msgs/msg/Ü", "a/msg/" + "b/" * 1000, "a/idl/b",
    ],
)  # fmt: skip
def test_a_name_that_is_no_type_is_refused_before_the_disk_is_asked(name: str) -> None:
    with pytest.raises(TopicError, match="is not a ROS 2 type"):
        DefinitionSource([Path("/")]).find(name)


def test_types_that_hold_each_other_end(install: Callable[..., Path]) -> None:
    prefix = install({"a/msg/A.msg": "B b\n", "a/msg/B.msg": "A a\nB b\n"})
    found = DefinitionSource([prefix]).find("a/msg/A")
    assert found.text.count("MSG: ") == 1
    assert found.type_hash == ""


def test_a_type_of_too_many_types_is_refused(install: Callable[..., Path]) -> None:
    prefix = install({f"a/msg/T{number}.msg": f"T{number + 1} next\n" for number in range(400)})
    with pytest.raises(TopicError, match="holds more than 256 types"):
        DefinitionSource([prefix]).find("a/msg/T0")


def test_a_huge_definition_is_refused(install: Callable[..., Path]) -> None:
    prefix = install({"a/msg/A.msg": "#" * (MAX_FILE_BYTES + 1), "a/msg/B.msg": "#" * 300_000})
    with pytest.raises(TopicError, match="expected a definition of at most"):
        DefinitionSource([prefix]).find("a/msg/A")
    with pytest.raises(TopicError, match="has a definition of 300000 characters"):
        DefinitionSource([prefix]).find("a/msg/B")


def test_a_file_that_is_no_text_is_refused(install: Callable[..., Path]) -> None:
    prefix = install({"a/msg/A.msg": ""})
    (prefix / "share" / "a" / "msg" / "A.msg").write_bytes(b"int8 a # \xff\xfe\n")
    with pytest.raises(TopicError, match="is not UTF-8"):
        DefinitionSource([prefix]).find("a/msg/A")


@pytest.mark.parametrize(
    "text",
    ["", "[", "[]", "{}", '{"type_hashes": 5}', '{"type_hashes": [5]}', "[" * 100_000,
     json.dumps({"type_hashes": [{"type_name": "a/msg/A", "hash_string": "none"}]})],
)  # fmt: skip
def test_a_damaged_description_leaves_the_hash_to_be_computed(install: Callable[..., Path], text: str) -> None:
    bare = DefinitionSource([install({"a/msg/A.msg": "int8 a\n"}, "bare")]).find("a/msg/A").type_hash
    prefix = install({"a/msg/A.msg": "int8 a\n", "a/msg/A.json": text})
    assert DefinitionSource([prefix]).find("a/msg/A").type_hash == bare
    assert bare.startswith("RIHS01_")


def test_prefixes_are_asked_in_the_order_of_ros() -> None:
    path = os.pathsep.join(["/ws/over", "", "/opt/ros", "/ws/over"])
    assert prefixes_of(path, "/venv") == (Path("/ws/over"), Path("/opt/ros"), Path("/venv"))
    assert prefixes_of("", "/venv") == (Path("/venv"),)
