"""A trace of what was done to a bag survives as one line of text, and nothing else is taken for one."""

import json
from typing import Any

import pytest

from alpamayo_ros.storage.trace import (
    MAX_TRACE_CHARACTERS,
    CarriedMessage,
    TraceSource,
    TraceStep,
    is_trace,
    parse_trace,
    trace_document,
    trace_text,
)

CUT = TraceStep(
    operation="cut",
    arguments={"start_ns": 1_700_000_000_000_000_001},
    version="1.2.3",
    sources=(TraceSource("drive ü\n", 12, 0, 2**62, "sha256:1", "sha256:2"),),
    carried=(CarriedMessage("/tf_static", 0, 5, "ab" * 32),),
)
MERGE = TraceStep(
    operation="merge",
    arguments={"allow_different_tags": True, "topics": ["/a", "/b"]},
    version="1.2.3",
    sources=(TraceSource("a", 0, None, None, trace=(CUT, CUT)), TraceSource("b", 1, 1, 1, content_digest="sha256:3")),
    topics_dropped=("/c",),
    tags_dropped={"source": ("x", "y")},
    kept_once={"/odom": 678, "/ü": 1},
)


def test_a_trace_is_read_back_from_its_text_and_from_its_document() -> None:
    trace = (CUT, MERGE)
    assert parse_trace(trace_text(trace)) == trace
    assert parse_trace(json.loads(json.dumps(trace_document(trace)))) == trace


def test_the_text_is_one_line_of_printable_ascii_whatever_a_bag_is_called() -> None:
    text = trace_text((CUT,))
    assert text.isascii()
    assert text.isprintable()
    assert is_trace(text)


@pytest.mark.parametrize("text", ["", "overland", '{"steps":[]}', " " + trace_text((CUT,))])
def test_a_text_of_somebody_else_is_no_trace(text: str) -> None:
    assert not is_trace(text)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ('{"alpamayo_ros_trace":1,"steps":[', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"alpamayo_ros_trace":2,"steps":[]}', "version 1"),
        ("[]", "version 1"),
        (None, "version 1"),
        ({"alpamayo_ros_trace": 1, "steps": {}}, "'steps'"),
        ({"alpamayo_ros_trace": 1, "steps": ["cut"]}, "'steps'"),
        ({"alpamayo_ros_trace": 1, "steps": [{"operation": 1}]}, "'operation'"),
        ({"alpamayo_ros_trace": 1, "steps": [{"arguments": []}]}, "'arguments'"),
        ({"alpamayo_ros_trace": 1, "steps": [{"arguments": {"a": 1.5}}]}, "argument 'a'"),
        ({"alpamayo_ros_trace": 1, "steps": [{"tags_dropped": {"a": "b"}}]}, "dropped tag"),
        ({"alpamayo_ros_trace": 1, "steps": [{"topics_dropped": [1]}]}, "'topics_dropped'"),
        ({"alpamayo_ros_trace": 1, "steps": [{"carried": [{"placed_ns": "1"}]}]}, "'placed_ns'"),
        ({"alpamayo_ros_trace": 1, "steps": [{"sources": [{"message_count": True}]}]}, "'message_count'"),
        ({"alpamayo_ros_trace": 1, "steps": [{"kept_once": {"/a": "1"}}]}, "'/a' that is no integer"),
        ({"alpamayo_ros_trace": 1, "steps": [{"kept_once": [1]}]}, "'kept_once'"),
        (" " * (MAX_TRACE_CHARACTERS + 1), "characters"),
    ],
)
def test_a_damaged_trace_is_refused_with_the_part_that_is_wrong(value: object, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        parse_trace(value)


def test_merges_within_merges_end_at_a_depth() -> None:
    step: dict[str, Any] = {"operation": "merge"}
    for _ in range(100):
        step = {"operation": "merge", "sources": [{"name": "a", "trace": [step]}]}
    with pytest.raises(ValueError, match="64 deep"):
        parse_trace({"alpamayo_ros_trace": 1, "steps": [step]})


def test_whoever_shows_a_trace_finds_its_names_empty_or_not() -> None:
    (step,) = trace_document(parse_trace({"alpamayo_ros_trace": 1, "steps": [{"sources": [{}], "carried": [{}]}]}))[
        "steps"
    ]
    assert (step["operation"], step["sources"][0]["name"], step["carried"][0]["topic"]) == ("", "", "")
