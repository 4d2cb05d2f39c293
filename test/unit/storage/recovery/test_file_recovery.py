"""What is said about the files of a damaged bag: how much is lost, of which topics, and from when."""

from dataclasses import replace
from pathlib import Path

from alpamayo_ros.storage.recovery.file_recovery import FileRecovery, Recovery, losses_parts, losses_sentence
from alpamayo_ros.storage.recovery.salvage import Gap, LostRange

NS = 1_000_000_000
WHOLE = FileRecovery(
    name="drive_0.mcap",
    size_bytes=1000,
    message_count=7,
    unverified_count=0,
    expected_count=7,
    topics={"/imu": 5, "/odom": 2},
    expected_topics={"/imu": 5, "/odom": 2},
    gaps=(),
    lost=(),
    lost_bytes=0,
    lost_ranges=0,
    stray={},
    end_missing=False,
    notes=(),
)
GAPS = (
    "messages are missing between 8.660 s and 17.410 s, before 1.000 s, from 59.000 s on, at unknown times "
    "(seconds after the start of the bag)"
)
PART = replace(
    WHOLE,
    expected_count=19,
    expected_topics={"/imu": 6, "/odom": 13},
    gaps=(Gap(8 * NS + 660_000_000, 17 * NS + 410_000_000), Gap(None, NS), Gap(59 * NS, None), Gap(None, None)),
    lost=(LostRange(3, 10, "has a damaged chunk at byte 3"),),
    lost_bytes=10,
    lost_ranges=1,
    end_missing=True,
)


def test_a_whole_file_has_one_part() -> None:
    assert WHOLE.is_whole
    assert losses_sentence(WHOLE) == "drive_0.mcap: 7 of 7 messages recovered"


def test_losses_are_given_in_messages_by_topic_and_in_seconds() -> None:
    assert not PART.is_whole
    assert losses_parts(PART) == [
        "7 of 19 messages recovered",
        "12 lost, of them 11 on /odom, 1 on /imu",
        GAPS,
        "10 bytes not readable (10 at byte 3)",
        "the end is missing",
    ]


def test_many_topics_and_gaps_are_counted_rather_than_named() -> None:
    many = {f"/t{number:02}": 1 for number in range(30)}
    file = replace(PART, expected_count=37, expected_topics=many, topics={}, gaps=(Gap(0, NS),) * 12)
    assert "and others on 20 more topics" in losses_sentence(file)
    assert "and in 2 more places" in losses_sentence(file)


def test_a_bag_adds_up_its_files() -> None:
    recovery = Recovery(Path("a"), Path("b"), (WHOLE, PART), 14, {"/imu": 12, "/odom": 15}, (), ())
    assert recovery.topics == {"/imu": 10, "/odom": 4}
    assert recovery.lost_topics == {"/odom": 11, "/imu": 2}
    assert not recovery.is_whole
