"""YAML whose scalars are text: what is written comes back by any loader, and no text is too much to read."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from alpamayo_ros.storage.yaml_text import MAX_DEPTH, YamlTextError, parse_yaml_text, yaml_text

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
VALUES = st.recursive(
    TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=20,
)


@given(st.lists(VALUES, max_size=3) | st.dictionaries(TEXTS, VALUES, max_size=3))
def test_every_text_comes_back_by_every_loader(value: Any) -> None:
    text = yaml_text(value)
    assert parse_yaml_text(text) == value
    assert yaml.safe_load(text) == value
    assert YAML(typ="safe", pure=True).load(text) == value


@pytest.mark.parametrize(
    "word", ["no", "Null", "~", "007", "1e3", "22:30", "0x1f", "", " a", "a: b", "a #b", "-", "<<"]
)
def test_a_text_that_looks_like_something_else_is_quoted(word: str) -> None:
    assert yaml_text({word: word}) == f"'{word}': '{word}'\n"


def test_names_types_and_digests_stand_plain() -> None:
    value = {"name": "/camera/front", "type": "sensor_msgs/msg/Image", "id": "sha256:00ff", "hash": "RIHS01_00"}
    assert yaml_text(value) == "".join(f"{key}: {item}\n" for key, item in value.items())


def test_the_layout_is_that_of_rosbag2() -> None:
    value = {"a": {"b": 1}, "c": [{"d": True, "e": [{"f": {"g": "h"}}, "i"]}, {}], "j": [], "k": {}}
    assert yaml_text(value) == ("a:\n  b: 1\nc:\n- d: true\n  e:\n  - f:\n      g: h\n  - i\n- {}\nj: []\nk: {}\n")


def test_what_has_no_place_in_metadata_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes"):
        yaml_text({"a": b"b"})


def test_scalars_are_texts_whatever_their_tag() -> None:
    assert parse_yaml_text("{a: 1, b: !!int '2', c: ~, d: no, e: !x y, f: }") == dict(
        zip("abcdef", ["1", "2", "~", "no", "y", ""], strict=True)
    )


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n"])
def test_an_empty_text_has_no_value(text: str) -> None:
    assert parse_yaml_text(text) is None


def test_what_aliases_share_is_shared() -> None:
    value = parse_yaml_text("a: &a [x, &b y]\nc: *a\nd: *b\n")
    assert value == {"a": ["x", "y"], "c": ["x", "y"], "d": "y"}
    assert value["a"] is value["c"]


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "found duplicate key 'a'", 3),
        ("a: 1\n? [b]\n: 2\n", "a key that is a text", 2),
        ("a: &a {b: c}\n? *a\n: 2\n", "a key that is a text", 2),
        ("a: 1\n---\nb: 2\n", "found another", 2),
        ("a: *b\n", "undefined alias 'b'", 1),
        ("a: &a\n  - *a\n", "undefined alias 'a'", 2),
        ("a: 1\nb: [c\n", "did not find expected", 3),
        ("a: 1\nb: \0\n", "control characters are not allowed", 0),
        ("a: \ud800\n", "a character that is none", 0),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, problem: str, line: int) -> None:
    with pytest.raises(YamlTextError, match=problem) as caught:
        parse_yaml_text(text)
    assert caught.value.line == line


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_nesting_is_refused_beyond_its_limit(opening: str) -> None:
    with pytest.raises(YamlTextError, match=f"more than {MAX_DEPTH} deep"):
        parse_yaml_text(opening * 1_000_000)


def test_nesting_is_read_up_to_its_limit() -> None:
    value = parse_yaml_text("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    for _ in range(MAX_DEPTH - 1):
        (value,) = value
    assert value == []


def test_aliases_do_not_multiply() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 9)]
    with pytest.raises(YamlTextError, match="more than 2000000 values"):
        parse_yaml_text("\n".join(lines))


@pytest.mark.parametrize("text", ["[" + "a, " * 2_500_000 + "]", "- a\n" * 2_500_000])
def test_millions_of_values_are_refused(text: str) -> None:
    with pytest.raises(YamlTextError, match="more than 2000000 values"):
        parse_yaml_text(text)


def test_directives_are_refused_in_the_line_where_they_stand() -> None:
    """Libyaml takes half an hour for sixteen megabytes of them."""
    with pytest.raises(YamlTextError, match="directives") as caught:
        parse_yaml_text("# text\n%TAG !a! b\n---\na: 1\n")
    assert caught.value.line == 2
