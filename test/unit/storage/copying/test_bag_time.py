"""Times are read as people write and copy them."""

import pytest

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.storage.copying.bag_time import BagTime, parse_bag_time, parse_duration, span_text, utc_text

START_NS = 1_700_000_000_000_000_000
S = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("0", BagTime(0)),
        ("12.5", BagTime(12_500_000_000)),
        (" 12.5s ", BagTime(12_500_000_000)),
        ("0.000000001", BagTime(1)),
        ("1700000000.5", BagTime(START_NS + S // 2)),
        ("1700000000000000001ns", BagTime(START_NS + 1, absolute=True)),
        ("1700000000000000001 ns", BagTime(START_NS + 1, absolute=True)),
        ("1700000000000000001 ns (2023-11-14 22:13:20 UTC)", BagTime(START_NS + 1, absolute=True)),
        ("1700000000000000001", BagTime(START_NS + 1, absolute=True)),
        ("1000000000000000", BagTime(10**15, absolute=True)),
        ("0ns", BagTime(0, absolute=True)),
    ],
)
def test_a_time_is_seconds_after_the_first_message_or_a_stamp(text: str, time: BagTime) -> None:
    assert parse_bag_time(text) == time


@pytest.mark.parametrize("zone", ["", "Z", " UTC", "+00:00"])
@pytest.mark.parametrize("between", [" ", "T"])
@pytest.mark.parametrize(
    ("fraction", "ns"), [("", 0), (".5", 500_000_000), (".000000001", 1), (".123456789", 123456789)]
)
def test_a_date_is_in_utc(zone: str, between: str, fraction: str, ns: int) -> None:
    assert parse_bag_time(f"2023-11-14{between}22:13:20{fraction}{zone}") == BagTime(START_NS + ns, absolute=True)


NO_TIMES = [
    *(
        "",
        "-1",
        "nan",
        "inf",
        "1e3",
        "1.",
        ".5",
        "1.0000000001",
        "5ms",
        "1.5ns",
        "٣",
        "12 s",
        "9" * 20 + "ns",
        "9" * 20,
    ),
    *("1700000000000", "17000000000000001.5", "2023-11-14", "22:13:20", "2023-11-14 22:13", "1 ns (a (b))", "1\nns\n2"),
    *("2023-11-14 22:13:20+01:00", "2023-11-14 22:13:20.", "1969-12-31 23:59:59", "2023-11-14 22:13:20.1234567890"),
]


@pytest.mark.parametrize("text", NO_TIMES)
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(ParameterError, match="expected seconds after the bag's first message"):
        parse_bag_time(text)


@pytest.mark.parametrize(
    "text", ["2023-02-30 00:00:00", "2023-13-01 00:00:00", "2023-01-01 24:00:00", "0000-01-01 00:00:00"]
)
def test_a_day_that_never_was_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="is no date"):
        parse_bag_time(text)


def test_a_duration_is_seconds_above_zero() -> None:
    assert [parse_duration(text) for text in ("8", "8.5s", "0.000000001")] == [8 * S, 8 * S + S // 2, 1]
    for text in ("0", "-1", "nan", "", "1ns", "2023-11-14 22:13:20", "1e9"):
        with pytest.raises(ParameterError, match="expected seconds above zero"):
            parse_duration(text)


def test_an_offset_as_large_as_a_date_is_suspicious_only_beyond_the_bag() -> None:
    assert BagTime(START_NS).looks_absolute(60 * S)
    assert not BagTime(START_NS).looks_absolute(START_NS)
    assert not BagTime(START_NS, absolute=True).looks_absolute(60 * S)
    assert not BagTime(99_999_999 * S).looks_absolute(60 * S)


def test_what_is_printed_can_be_read_again() -> None:
    for stamp_ns in (0, START_NS, START_NS + 999_000_000, 2**62):
        printed = utc_text(stamp_ns)
        assert parse_bag_time(printed) == BagTime(stamp_ns // 10**6 * 10**6, absolute=True)
    assert utc_text(10**23) == f"{10**23} ns"


@pytest.mark.parametrize(
    ("span_s", "text"),
    [
        (0, "0.0 s"),
        (119, "119.0 s"),
        (150, "2.5 min"),
        (7200, "2.0 h"),
        (172_800, "2.0 days"),
        (262_399_017, "8.3 years"),
    ],
)
def test_a_span_is_in_the_unit_of_people(span_s: int, text: str) -> None:
    assert span_text(span_s * S) == text
