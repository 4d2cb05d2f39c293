"""What importers share when they write."""

import pytest

from alpamayo_ros.errors import OutputError
from alpamayo_ros.importers import payloads
from alpamayo_ros.importers.imported_bag import Event, event, imported_identity, write_bag, write_topics_file
from alpamayo_ros.storage.qos import SENSOR_QOS
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.staging import staged_bag

FIXES = {"/fix": (payloads.FIX, SENSOR_QOS), "/silent": (payloads.FIX, SENSOR_QOS)}


def test_only_topics_with_a_message_are_in_the_bag(tmp_path):
    events = [event(7, "/fix", payloads.nav_sat_fix, "gnss", 1.0, 2.0)]
    assert write_bag(tmp_path / "bag", events, FIXES, imported_identity({}, [], [])) == {"/fix": 1}
    with open_bag(tmp_path / "bag") as reader:
        assert set(reader.topics) == {"/fix"}
        assert [(message.receive_ns, message.publish_ns) for message in reader.messages()] == [(7, 7)]


def test_a_message_is_built_when_its_turn_comes(tmp_path):
    order = []

    def build(stamp_ns):
        order.append(stamp_ns)
        return payloads.nav_sat_fix(stamp_ns, "gnss", 1.0, 2.0)

    events = [event(stamp_ns, "/fix", build) for stamp_ns in (1, 2, 3)]
    assert order == []
    write_bag(
        tmp_path / "bag", events, FIXES, imported_identity({}, [], []), progress=lambda done, _: order.append(-done)
    )
    assert order == [1, -1, 2, -2, 3, -3]


def test_tags_hold_what_is_assumed_and_absent():
    assert imported_identity({"source": "x"}, ["A.", "B."], ["c: d", "e: f"]).tags == {
        "source": "x",
        "assumptions": "A. B.",
        "absent": "c: d; e: f",
    }
    assert imported_identity({}, [], []).tags == {}


def test_the_topics_file_holds_what_there_is(tmp_path):
    write_topics_file(tmp_path / "a", odometry="/odometry", cameras={"front": "/front"})
    write_topics_file(tmp_path / "b", cameras={"front": "/front"})
    write_topics_file(tmp_path / "c")
    assert (tmp_path / "a").read_text() == "odometry: /odometry\ncameras:\n  front: /front\n"
    assert (tmp_path / "b").read_text() == "cameras:\n  front: /front\n"
    assert (tmp_path / "c").read_text() == ""
    with pytest.raises(OutputError, match="cannot be written"):
        write_topics_file(tmp_path / "a")


def test_a_message_that_cannot_be_built_leaves_no_bag(tmp_path):
    def fail():
        raise OutputError("no")

    with pytest.raises(OutputError, match="no"), staged_bag(tmp_path / "bag") as folder:
        write_bag(folder, [Event(1, "/fix", fail)], FIXES, imported_identity({}, [], []))
    assert list(tmp_path.iterdir()) == []
