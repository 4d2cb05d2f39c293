"""A split learned model gives in the graph what it gives in process, navigation commands and failures included."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.errors import BackendError, TopicError
from alpamayo_ros.messages.stage_translator import StageTranslator
from alpamayo_ros.messages.translator import rationale_struct
from alpamayo_ros.messages.typestore import deserialize, message_class, serialize
from alpamayo_ros.reasoning.driving_language import Answer, DrivingLanguage
from alpamayo_ros.ros.lockstep import start_graph
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter
from alpamayo_ros.structs.navigation import Navigation, NavigationCommand
from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction
from alpamayo_ros.structs.verdict import ReplayResult

pytestmark = pytest.mark.ros

DEMO = Path(__file__).resolve().parents[2] / "bags" / "demo"
NAVIGATION_TYPE = "alpamayo_ros/msg/NavigationCommand"
Replay = Callable[..., ReplayResult]
ANSWER = Answer(
    ("i", "stay", "behind", "."),
    "lead_vehicle",
    1,
    (10, 2, 14, 5),
    LongitudinalAction.KEEP_SPEED,
    LateralAction.STRAIGHT,
    LaneAction.KEEP,
)


@pytest.fixture
def profile(tmp_path: Path, tiny_model: Any) -> str:
    """Return the profile of a tiny model that says one answer."""
    return str(tiny_model.write_tiny_model(tmp_path / "model", DrivingLanguage().encode(ANSWER)[1:]))


def commands(start_ns: int) -> Iterator[tuple[int, int, Navigation]]:
    """Yield (receive time, stamp, command): in time, late by 0.25 s, out of order, twice, and then silence."""
    ms = 1_000_000
    for time_ms, stamp_ms, navigation in (
        (1000, 1000, Navigation.LEFT),
        (1900, 1900, Navigation.STRAIGHT),
        (2450, 2200, Navigation.RIGHT),
        (2460, 2100, Navigation.LEFT),
        (2470, 2200, Navigation.LEFT),
    ):
        yield start_ns + time_ms * ms, start_ns + stamp_ms * ms, navigation


def copy_without_commands(
    source: Path, target: Path, commands: Sequence[tuple[int, bytes]] = (), *, duration_ns: int
) -> None:
    """Copy the first part of a bag without its navigation commands, with others by receive time in their place."""
    due = list(commands)
    with open_bag(source) as reader, BagWriter(target, identity=None) as writer:
        kept = {name: topic for name, topic in reader.topics.items() if topic.type_name != NAVIGATION_TYPE}
        for name, topic in kept.items():
            writer.add_topic(name, topic.type_name)
        if due:
            writer.add_topic("/route", NAVIGATION_TYPE)
        for message in reader.messages(kept, end_ns=(reader.start_ns or 0) + duration_ns):
            while due and due[0][0] <= message.receive_ns:
                receive_ns, payload = due.pop(0)
                writer.write("/route", payload, receive_ns=receive_ns, publish_ns=receive_ns)
            writer.write(message.topic, message.payload, receive_ns=message.receive_ns, publish_ns=message.receive_ns)


@pytest.fixture
def navigated_bag(tmp_path: Path) -> Path:
    """Write the first seconds of the demo drive with navigation commands, and return it."""
    translator = StageTranslator(message_class)
    with open_bag(DEMO) as reader:
        assert reader.start_ns is not None
        given = [
            (receive_ns, serialize(translator.navigation(NavigationCommand(stamp_ns, navigation)), NAVIGATION_TYPE))
            for receive_ns, stamp_ns, navigation in commands(reader.start_ns)
        ]
    copy_without_commands(DEMO, tmp_path / "navigated", given, duration_ns=3_300_000_000)
    return tmp_path / "navigated"


def test_in_process_separate_processes_and_stack_give_one_digest(
    replay: Replay, navigated_bag: Path, profile: str, tmp_path: Path
) -> None:
    parameters = tmp_path / "parameters.yaml"
    own = "ros__parameters: {worker: true, worker_answer_ms: 60000}"
    parameters.write_text("".join(f"{node}:\n  {own}\n" for node in ("perception", "reasoning", "planner")))
    in_process = replay(navigated_bag, profile=profile)
    graph = replay(navigated_bag, start_graph, profile=profile)
    in_workers = replay(navigated_bag, start_graph, profile=profile, parameters=parameters)
    stack = replay(navigated_bag, partial(start_graph, composed=True), profile=profile)
    assert in_process.ticks["ANSWERED"] >= 14
    assert in_process.ticks["dropped_navigation"] == 1
    for result in (graph, stack, in_workers):
        assert dict(result.ticks) == dict(in_process.ticks)
        assert result.lineage.lineage_id == in_process.lineage.lineage_id
        assert result.input_order_digest == in_process.input_order_digest
        assert result.output_digest == in_process.output_digest
    with open_bag(tmp_path / "out1" / "outputs") as outputs:
        said = [rationale_struct(decoded(message)) for message in outputs.messages(["/alpamayo/output/rationale"])]
    assert {rationale.text for rationale in said} == {"I stay behind."}
    assert {factor.camera for rationale in said for factor in rationale.causal_factors} == {"camera_front_wide_120fov"}


def decoded(message: BagMessage) -> Any:
    return deserialize(message.payload, message.type_name)


def test_the_commands_change_the_plan(replay: Replay, navigated_bag: Path, profile: str, tmp_path: Path) -> None:
    with_commands = replay(navigated_bag, profile=profile)
    silent = tmp_path / "silent"
    copy_without_commands(navigated_bag, silent, duration_ns=10**12)
    without = replay(silent, profile=profile)
    assert without.output_digest != with_commands.output_digest
    assert without.content_digest != with_commands.content_digest, "a command is an input"
    assert "dropped_navigation" not in without.ticks


@pytest.mark.parametrize(
    ("fault", "composed"),
    [({"gain": 9e37}, True), ({"blind": True}, True), ({"blind": True}, False)],
    ids=["decoder in one process", "encoder in one process", "encoder in its own process"],
)
def test_a_stage_that_fails_fails_its_tick_alike(
    replay: Replay, navigated_bag: Path, tiny_model: Any, tmp_path: Path, fault: dict[str, Any], composed: bool
) -> None:
    broken = str(tiny_model.write_tiny_model(tmp_path / "broken", **fault))
    in_process = replay(navigated_bag, profile=broken)
    graph = replay(navigated_bag, partial(start_graph, composed=composed), profile=broken)
    assert in_process.ticks["STAGE_FAILED"] >= 14
    assert dict(graph.ticks) == dict(in_process.ticks)
    assert graph.output_digest == in_process.output_digest


def test_a_model_that_does_not_fit_is_refused_by_the_nodes(replay: Replay, navigated_bag: Path, profile: str) -> None:
    path = Path(profile)
    path.write_text(
        path.read_text(encoding="utf-8").replace("perceive: {program: vision.onnx}", "perceive: {program: action.onnx}")
    )
    with pytest.raises(BackendError, match="input of the vision encoder has the tensors"):
        replay(navigated_bag, profile=profile)
    with pytest.raises(Exception, match=r"'reasoning' would not .*stages perceive and reason do not fit"):
        replay(navigated_bag, start_graph, profile=profile)


def test_a_command_that_is_none_ends_the_replay_with_a_sentence(replay: Replay, tmp_path: Path, profile: str) -> None:
    bag = tmp_path / "odd"
    message = StageTranslator(message_class).navigation(NavigationCommand(10**18, Navigation.LEFT))
    message.navigation = 77
    copy_without_commands(DEMO, bag, [(1, serialize(message, NAVIGATION_TYPE))], duration_ns=500_000_000)
    with pytest.raises(TopicError, match="navigation command on /route received at 1 ns cannot be used: 77 is not a"):
        replay(bag, profile=profile)
