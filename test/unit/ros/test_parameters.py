"""A node's parameters: declared with their bounds, refused with a sentence, resolved with those of the other nodes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="rclpy is not installed")

from rcl_interfaces.msg import FloatingPointRange, IntegerRange
from rclpy.parameter import Parameter

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.params.node_parameters import NODES, NodeParameters
from alpamayo_ros.params.parameter import Declaration, declarations
from alpamayo_ros.ros.parameters import ParameterServer, _descriptor

pytestmark = pytest.mark.ros

Make = Callable[..., Any]
Type = Parameter.Type


@pytest.fixture
def make_server(make_node: Make) -> Callable[..., tuple[Any, ParameterServer]]:
    """Return a function that makes a node with its parameters, by overrides such as ``rate:=2.0``."""

    def make(key: str, *overrides: str) -> tuple[Any, ParameterServer]:
        words = [word for override in overrides for word in ("-p", override)]
        node = make_node(key, *words)
        return node, ParameterServer(node, key)

    return make


Server = Callable[..., tuple[Any, ParameterServer]]


def text(name: str, value: str) -> Parameter[Any]:
    return Parameter(name, Type.STRING, value)


def number(name: str, value: int) -> Parameter[Any]:
    return Parameter(name, Type.INTEGER, value)


def refusals(node: Any, *parameters: Parameter[Any]) -> list[str]:
    return [result.reason for result in node.set_parameters(list(parameters)) if not result.successful]


@pytest.mark.parametrize("key", sorted(NODES))
def test_every_parameter_is_declared_with_its_default(make_server: Server, key: str) -> None:
    node, server = make_server(key)
    for name, (_, default, declaration) in declarations(NODES[key]).items():
        shown = server.own(name)
        assert (tuple(shown) if isinstance(default, tuple) else shown) == default, name
        descriptor = node.describe_parameter(name)
        assert descriptor.description.startswith(declaration.description)
        assert descriptor.description.endswith(" Live.") == declaration.live
    assert server.resolve() == NodeParameters()


def test_bounds_units_and_choices_are_told(make_server: Server) -> None:
    node, _ = make_server("recorder")
    described = node.describe_parameter("discovery_period_ms")
    assert described.integer_range == [IntegerRange(from_value=100, to_value=60_000, step=0)]
    assert "Unit: ms." in described.description
    assert node.describe_parameter("compression").additional_constraints == "one of: zstd, lz4, none"
    assert node.describe_parameter("bag_prefix").integer_range == []


def test_a_bound_of_zero_is_a_bound() -> None:
    below = _descriptor("x", int, Declaration("X.", maximum=0))
    assert (below.integer_range[0].from_value, below.integer_range[0].to_value) == (-(2**63) + 1, 0)
    above = _descriptor("x", int, Declaration("X.", minimum=0))
    assert (above.integer_range[0].from_value, above.integer_range[0].to_value) == (0, 2**63 - 1)
    half = _descriptor("x", float, Declaration("X.", maximum=0.0))
    assert half.floating_point_range[0].to_value == 0.0


def test_an_open_end_leaves_every_number_in() -> None:
    largest = 1.7976931348623157e308
    row = _descriptor("x", float, Declaration("X.", minimum=0.0)).floating_point_range
    assert row == [FloatingPointRange(from_value=0.0, to_value=largest, step=0.0)]


@pytest.mark.parametrize("value", ["1.7976931348623157e308", "1.75e308", "0.0"])
def test_the_largest_number_that_is_allowed_ends_no_process(make_server: Server, value: str) -> None:
    _, server = make_server("perception", f"max_fov_error_deg:={value}")
    assert server.resolve().perception.max_fov_error_deg == float(value)


def test_overrides_are_taken_and_shown(make_server: Server) -> None:
    _, server = make_server("recorder", "topics:=['/a', '/b']", "max_file_mb:=5", "compression:=lz4")
    assert list(server.own("topics")) == ["/a", "/b"]
    resolved = server.resolve().recorder
    assert (resolved.topics, resolved.max_file_mb, resolved.compression) == (("/a", "/b"), 5, "lz4")


def test_an_integer_is_taken_where_a_float_is_declared(make_server: Server) -> None:
    node, server = make_server("planner", "max_speed_mps:=20")
    assert server.resolve().planner.max_speed_mps == 20.0
    assert node.get_parameter("max_speed_mps").type_ is Type.DOUBLE


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("max_wait_ms:=soon", "perception.max_wait_ms is 'soon', a str; expected an integer from 200 to 5000 ms"),
        ("max_wait_ms:=300.0", "perception.max_wait_ms is 300.0, a float; expected an integer"),
        ("max_wait_ms:=true", "is True, a bool; expected an integer"),
        ("max_wait_ms:=[300]", "expected an integer"),
        ("max_wait_ms:=9000", "is 9000 ms, out of range; expected from 200 to 5000 ms"),
        ("max_quaternion_error:=.nan", "out of range"),
        ("profile:=7", "perception.profile is 7, an int; expected a string"),
        ("max_wait:=300", "parameter perception.'max_wait' is not known; expected one of: answer_timeout_ms"),
        ("max_wait_ms.x:=300", "parameter perception.'max_wait_ms.x' is not known"),
        ("max_wait_ms:=200", "max_wait_ms is 200 ms, but max_odometry_gap_ms is 150 ms; expected at least 200"),
    ],
)
def test_an_override_that_does_not_fit_is_a_sentence_and_no_end(make_server: Server, override: str, said: str) -> None:
    overrides = [override] if "200" not in override else [override, "max_odometry_gap_ms:=151"]
    _, server = make_server("perception", *overrides)
    with pytest.raises(ParameterError) as refused:
        server.resolve()
    assert said.replace("150 ms; expected at least 200", "151 ms; expected at least 201") in str(refused.value)


def test_what_rclpy_and_the_other_nodes_declare_is_not_unknown(make_server: Server) -> None:
    overrides = ("use_sim_time:=false", "motion_window_ms:=500", "rate:=3.0", "qos_overrides./x.publisher.depth:=3")
    _, server = make_server("perception", *overrides)
    assert server.resolve() == NodeParameters()


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("motion_window_ms:=300", "parameter reasoning.motion_window_ms is 300 for this node 'perception', and 500 by"),
        ("motion_window_ms:=7", "parameter reasoning.motion_window_ms is 7 ms, out of range"),
        ("rate:=nonsense", "parameter replayer.rate is 'nonsense', a str; expected a number"),
    ],
)
def test_parameters_of_other_nodes_are_valid_and_what_the_lineage_names(
    make_server: Server, override: str, words: str
) -> None:
    _, server = make_server("perception", override)
    with pytest.raises(ParameterError, match=words):
        server.resolve()


def test_a_behavioural_parameter_for_everybody_is_taken_from_the_parameter_file(
    make_server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "all.yaml"
    path.write_text("/**:\n  ros__parameters: {motion_window_ms: 300}\n", encoding="utf-8")
    _, server = make_server("perception", "motion_window_ms:=300", f"parameter_file:={path}")
    assert server.resolve().reasoning.motion_window_ms == 300


def test_a_wrong_override_is_mended_by_setting_the_parameter(make_server: Server) -> None:
    node, server = make_server("perception", "max_wait_ms:=soon")
    assert refusals(node, number("max_wait_ms", 400)) == []
    assert server.resolve().perception.max_wait_ms == 400


def test_while_unconfigured_anything_may_be_set_and_frozen_only_what_is_live(make_server: Server) -> None:
    node, server = make_server("perception")
    assert refusals(node, number("max_wait_ms", 400)) == []
    server.freeze(frozen=True)
    (refusal,) = refusals(node, number("max_wait_ms", 500), number("silence_after_ms", 700))
    assert refusal == (
        "parameter perception.max_wait_ms can be changed while the node is unconfigured only; "
        "live parameters: silence_after_ms"
    )
    assert server.live("silence_after_ms") == 700
    assert (server.resolve().perception.max_wait_ms, server.resolve().perception.silence_after_ms) == (400, 700)
    server.freeze(frozen=False)
    assert refusals(node, number("max_wait_ms", 500)) == []


def test_a_node_without_live_parameters_says_so(make_server: Server) -> None:
    node, server = make_server("lineage")
    server.freeze(frozen=True)
    assert refusals(node, number("heartbeat_ms", 500))[0].endswith("live parameters: none")


def test_a_value_out_of_range_or_of_another_type_is_refused_and_the_old_one_stays(make_server: Server) -> None:
    node, server = make_server("recorder")
    wrong = (number("max_file_mb", -1), text("max_file_mb", "x"), text("compression", "gzip"), number("topics", 1))
    assert len(refusals(node, *wrong)) == 4
    assert server.resolve() == NodeParameters()
    assert "expected one of: lz4, none, zstd" in refusals(node, text("compression", "gzip"))[0]


def test_of_several_that_are_set_at_once_none_is_taken_if_one_is_refused(make_server: Server) -> None:
    node, server = make_server("perception")
    result = node.set_parameters_atomically(
        [number("max_wait_ms", 400), text("profile", "x"), number("max_wait_ms", 1)]
    )
    assert not result.successful
    assert server.own("max_wait_ms") == 300
    assert server.resolve() == NodeParameters()


def test_of_several_that_are_refused_while_frozen_the_live_one_is_not_taken(make_server: Server) -> None:
    node, server = make_server("perception")
    server.freeze(frozen=True)
    assert not node.set_parameters_atomically([number("silence_after_ms", 700), number("max_wait_ms", 400)]).successful
    assert server.live("silence_after_ms") == 1000
    assert server.resolve() == NodeParameters()


def test_several_that_fit_are_taken_at_once(make_server: Server) -> None:
    node, server = make_server("perception")
    assert node.set_parameters_atomically([number("max_wait_ms", 400), number("silence_after_ms", 700)]).successful
    assert (server.resolve().perception.max_wait_ms, server.resolve().perception.silence_after_ms) == (400, 700)


@pytest.fixture
def parameter_file(tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes a parameter file and gives its path."""

    def write(**nodes: dict[str, Any]) -> str:
        path = tmp_path / "all.yaml"
        sections = {node: {"ros__parameters": values} for node, values in nodes.items()}
        path.write_text(json.dumps(sections), encoding="utf-8")
        return str(path)

    return write


def test_the_file_gives_the_parameters_of_every_node_and_an_override_goes_before_it(
    make_server: Server, parameter_file: Callable[..., str]
) -> None:
    path = parameter_file(perception={"max_wait_ms": 600, "silence_after_ms": 900}, planner={"max_speed_mps": 20.0})
    _, server = make_server("perception", f"parameter_file:={path}", "max_wait_ms:=400")
    resolved = server.resolve()
    assert (resolved.perception.max_wait_ms, resolved.perception.silence_after_ms) == (400, 900)
    assert resolved.planner.max_speed_mps == 20.0
    assert resolved.perception.parameter_file == path


def test_what_was_resolved_is_what_a_person_is_shown(make_server: Server, parameter_file: Callable[..., str]) -> None:
    path = parameter_file(recorder={"topics": ["/a"], "max_file_mb": 7})
    _, server = make_server("recorder", f"parameter_file:={path}")
    server.resolve()
    assert (list(server.own("topics")), server.own("max_file_mb"), server.own("parameter_file")) == (["/a"], 7, path)


def test_a_file_that_was_taken_away_again_leaves_nothing_behind(
    make_server: Server, parameter_file: Callable[..., str]
) -> None:
    node, server = make_server("perception")
    assert refusals(node, text("parameter_file", parameter_file(perception={"max_wait_ms": 600}))) == []
    assert server.resolve().perception.max_wait_ms == 600
    assert refusals(node, text("parameter_file", "")) == []
    assert server.resolve() == NodeParameters()
    assert server.own("max_wait_ms") == 300


def test_a_file_that_is_not_valid_is_refused(make_server: Server, parameter_file: Callable[..., str]) -> None:
    path = parameter_file(planner={"max_speed_mps": -1.0})
    for file, said in ((path, r"planner.max_speed_mps is -1.0 m/s, out of range"), ("/no.yaml", "cannot be read")):
        _, server = make_server("perception", f"parameter_file:={file}")
        with pytest.raises(ParameterError, match=said):
            server.resolve()


VALUES = st.one_of(
    st.booleans().map(lambda value: (Type.BOOL, value)),
    st.integers(-(2**63), 2**63 - 1).map(lambda value: (Type.INTEGER, value)),
    st.integers(-10, 7000).map(lambda value: (Type.INTEGER, value)),
    st.floats().map(lambda value: (Type.DOUBLE, value)),
    st.text(max_size=4).map(lambda value: (Type.STRING, value)),
    st.lists(st.text(max_size=3), max_size=2).map(lambda value: (Type.STRING_ARRAY, value)),
    st.just((Type.NOT_SET, None)),
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(sorted(declarations(NODES["recorder"]))), VALUES), min_size=1, max_size=3))
def test_whatever_is_set_what_is_resolved_is_what_is_shown(
    recorder: tuple[Any, ParameterServer], given_values: list[tuple[str, tuple[Any, Any]]]
) -> None:
    node, server = recorder
    parameters = [Parameter(name, kind, value) for name, (kind, value) in given_values if name != "parameter_file"]
    node.set_parameters_atomically(parameters)
    resolved = server.resolve().recorder
    for name in declarations(NODES["recorder"]):
        shown = server.own(name)
        expected = getattr(resolved, name)
        assert (tuple(shown) if isinstance(expected, tuple) else shown) == expected, name


@pytest.fixture
def recorder(make_server: Server) -> tuple[Any, ParameterServer]:
    """Give a recorder's parameters, which depend on no file."""
    return make_server("recorder")
