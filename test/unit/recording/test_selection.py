"""A recorder takes the topics that ``ros2 bag record`` would take."""

import pytest

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.recording.selection import TopicSelection, is_full_name, is_hidden

GRAPH = [
    "/odometry",
    "/camera/front/compressed",
    "/camera/rear/compressed",
    "/rosout",
    "/parameter_events",
    "/drive/_action/feedback",
    "/plan/_service_event",
    "/_hidden",
]


def selected(**choice: object) -> list[str]:
    selection = TopicSelection(**choice)  # type: ignore[arg-type]
    return [name for name in GRAPH if selection.selects(name)]


def test_listed_topics_are_taken_by_their_exact_names() -> None:
    assert selected(topics=("/odometry", "/camera/front")) == ["/odometry"]


def test_a_regex_is_searched_for_anywhere_in_the_name() -> None:
    assert selected(regex="camera") == ["/camera/front/compressed", "/camera/rear/compressed"]
    assert selected(regex="^/camera/.*/compressed$") == ["/camera/front/compressed", "/camera/rear/compressed"]
    assert selected(regex="(?i)FRONT") == ["/camera/front/compressed"]


def test_a_regex_adds_to_the_list() -> None:
    assert selected(topics=("/odometry",), regex="front") == ["/odometry", "/camera/front/compressed"]


def test_everything_is_all_that_is_not_hidden() -> None:
    assert selected(everything=True) == GRAPH[:5]
    assert selected(everything=True, regex="front") == GRAPH[:5]


def test_logs_and_parameter_events_come_only_when_they_are_asked_for() -> None:
    assert "/rosout" not in selected(topics=("/odometry",), regex="camera")
    assert selected(topics=("/rosout",)) == ["/rosout"]
    assert selected(regex="^/parameter_events$") == ["/parameter_events"]


@pytest.mark.parametrize("choice", [{"topics": ("/odometry", "/camera/front/compressed")}, {"regex": "."}])
def test_an_exclusion_works_on_top_of_everything_else(choice: dict[str, object]) -> None:
    assert "/camera/front/compressed" not in selected(exclude_regex="front", **choice)
    assert "/odometry" in selected(exclude_regex="front", **choice)
    assert "/rosout" not in selected(everything=True, exclude_regex="^/rosout$")


def test_a_hidden_topic_is_taken_only_if_it_is_listed() -> None:
    assert selected(regex="_action|_hidden") == []
    assert selected(topics=("/drive/_action/feedback",)) == ["/drive/_action/feedback"]
    assert is_hidden("/a/_b/c")
    assert not is_hidden("/a_b/c_")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("(", "unterminated subpattern at character 1"),
        ("/camera/[a-", "unterminated character set at character 9"),
        ("*", "nothing to repeat at character 1"),
        ("a{99999999999999999999}", "too large"),
        ("(?P<1>a)", "bad character in group name"),
    ],
)
@pytest.mark.parametrize("parameter", ["regex", "exclude_regex"])
def test_a_bad_regex_is_refused_with_what_is_wrong_and_where(parameter: str, text: str, problem: str) -> None:
    with pytest.raises(ParameterError, match=f"^{parameter} is ") as caught:
        TopicSelection(topics=("/a",), **{parameter: text})  # type: ignore[arg-type]
    assert problem in str(caught.value)
    assert "expected" in str(caught.value)


@pytest.mark.parametrize("name", ["odometry", "", "/", "/a//b", "/a/", "/1a", "/a b", "/a\0", "~/a", "/ä", "/a\n"])
def test_a_listed_name_that_no_topic_can_have_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(ParameterError, match=r"^topics\[1\] is "):
        TopicSelection(topics=("/fine", name))
    assert not is_full_name(name)


@pytest.mark.parametrize("choice", [{}, {"exclude_regex": "a"}])
def test_a_selection_of_nothing_is_refused(choice: dict[str, str]) -> None:
    with pytest.raises(ParameterError, match="no topic is selected"):
        TopicSelection(**choice)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "/\0", "/" + "a" * 100_000, "/\ud800", "no slash"])
def test_any_name_of_a_graph_gets_an_answer(name: str) -> None:
    assert TopicSelection(everything=True).selects(name)
    assert not TopicSelection(topics=("/a",), regex="^/b$").selects(name)


def test_equal_choices_are_equal() -> None:
    assert TopicSelection(("/a",), "b") == TopicSelection(("/a",), "b")
    assert hash(TopicSelection(("/a",), "b")) == hash(TopicSelection(("/a",), "b"))
    assert repr(TopicSelection(("/a",))) == (
        "TopicSelection(topics=('/a',), regex='', exclude_regex='', everything=False)"
    )
