"""One replay from bag to verdict, in process."""

import errno
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alpamayo_ros.errors import (
    BackendError,
    BagCorruptError,
    BagWriteError,
    ConfigurationError,
    InconclusiveError,
    NotComparableError,
    OutputError,
    ProfileError,
    TopicError,
)
from alpamayo_ros.inference.backends import reference_backend
from alpamayo_ros.inference.backends.reference_backend import Program
from alpamayo_ros.replay.baseline import approve_result, load_baseline
from alpamayo_ros.replay.output_digest import OutputDigest
from alpamayo_ros.replay.outputs import read_outputs
from alpamayo_ros.replay.session import ReplayRequest, output_folder, run_session, write_text
from alpamayo_ros.storage.identity import read_identity
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.structs.tick import TickOutcome
from alpamayo_ros.structs.verdict import ReplayResult, Verdict

Make = Callable[..., Any]


def replay(bag: Path, out: Path, **options: Any) -> ReplayResult:
    request = ReplayRequest(bag=bag, profile=options.pop("profile", "kinematic"), out=out, **options)
    return run_session(request, clock=lambda: 0.0)


@pytest.fixture
def approved(make_odometry_bag: Make, tmp_path: Path) -> tuple[Path, Path]:
    """Return a bag and its approved baseline."""
    bag = make_odometry_bag()
    replay(bag, tmp_path / "first")
    approve_result(tmp_path / "first", tmp_path / "baseline", author="a", reason="b")
    return bag, tmp_path / "baseline"


@pytest.fixture
def moved_planner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant a change of 5 cm to the left in the planner's program."""
    original = reference_backend.PROGRAMS["constant_turn_rate_velocity"]

    def moved(inputs: Any, generator: Any) -> Any:
        outputs = original.function(inputs, generator)
        outputs["trajectories"][:, 1, 20:] += 0.05
        return outputs

    changed = {
        **reference_backend.PROGRAMS,
        "constant_turn_rate_velocity": Program(original.inputs, original.outputs, moved),
    }
    monkeypatch.setattr(reference_backend, "PROGRAMS", changed)


def test_every_tick_is_answered_rejected_or_open(make_odometry_bag: Make, tmp_path: Path) -> None:
    result = replay(make_odometry_bag(duration_s=6.0), tmp_path / "out")
    assert result.verdict is Verdict.NOT_COMPARED
    assert result.ticks == {"ANSWERED": 46, "HISTORY_TOO_SHORT": 15, "open_at_end": 0}


def test_a_drive_at_constant_turn_rate_and_speed_is_predicted_exactly(make_odometry_bag: Make, tmp_path: Path) -> None:
    result = replay(make_odometry_bag(duration_s=9.0, rate_hz=100.0), tmp_path / "out")
    by_horizon = {error.horizon_s: error for error in result.ade_m}
    assert by_horizon[6.4].tick_count == 12
    # The driven path is interpolated linearly between samples 10 ms apart, and outputs are float32.
    assert max(error.mean_m or 0.0 for error in result.ade_m) < 1e-5


def test_the_result_has_every_file_and_the_documented_keys(make_odometry_bag: Make, tmp_path: Path) -> None:
    replay(make_odometry_bag(), tmp_path / "out")
    assert {entry.name for entry in (tmp_path / "out").iterdir()} == {
        "outputs",
        "result.json",
        "junit.xml",
        "report.html",
    }
    document = json.loads((tmp_path / "out" / "result.json").read_text())
    assert {
        "verdict",
        "reasons",
        "ticks",
        "content_digest",
        "input_order_digest",
        "output_digest",
        "lineage_id",
        "envelope_id",
        "ade_m",
        "timings",
    } <= set(document)


def test_the_output_bag_names_its_lineage_everywhere(make_odometry_bag: Make, tmp_path: Path) -> None:
    result = replay(make_odometry_bag(), tmp_path / "out")
    report = read_identity(tmp_path / "out" / "outputs")
    assert not report.disagreements
    assert report.lineage_id == result.lineage.lineage_id
    assert report.envelope_id == "none"
    with open_bag(tmp_path / "out" / "outputs") as reader:
        for tick in read_outputs(reader):
            assert tick.status.lineage_id == result.lineage.lineage_id
            if tick.trajectories is not None:
                assert tick.trajectories.lineage_id == result.lineage.lineage_id


def test_outputs_stand_at_t0_plus_the_declared_latency(make_odometry_bag: Make, tmp_path: Path) -> None:
    replay(make_odometry_bag(), tmp_path / "out")
    with open_bag(tmp_path / "out" / "outputs") as reader:
        first = next(iter(read_outputs(reader))).status.t0_ns
        stamps = {m.receive_ns for m in reader.messages() if m.topic == "/alpamayo/output/tick"}
    assert first + 50_000_000 in stamps


def test_ten_replays_have_one_digest(make_odometry_bag: Make, tmp_path: Path) -> None:
    bag = make_odometry_bag()
    results = [replay(bag, tmp_path / f"out{index}") for index in range(10)]
    assert len({(r.output_digest, r.content_digest, r.input_order_digest) for r in results}) == 1


def test_the_same_behaviour_passes(approved: tuple[Path, Path], tmp_path: Path) -> None:
    result = replay(approved[0], tmp_path / "second", baseline=approved[1])
    assert result.verdict is Verdict.PASS
    assert result.comparison is not None
    assert result.comparison.compared_tick_count == 61


def test_a_change_of_five_centimetres_is_a_regression_with_its_first_tick_named(
    approved: tuple[Path, Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("moved_planner")
    result = replay(approved[0], tmp_path / "second", baseline=approved[1])
    assert result.verdict is Verdict.REGRESSION
    assert result.comparison is not None
    first = result.comparison.first_difference
    assert first is not None
    assert first.t0_ns == 1_700_000_001_500_000_000
    assert first.field.startswith("y[0]")
    assert first.magnitude == pytest.approx(0.05, abs=1e-3)
    assert str(first.t0_ns) in result.reasons[0]
    assert result.output_digest != json.loads((approved[1] / "baseline.json").read_text())["output_digest"]


def test_a_changed_parameter_is_shown_as_a_changed_component(approved: tuple[Path, Path], tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("planner:\n  ros__parameters: {max_speed_mps: 60.0}\n")
    result = replay(approved[0], tmp_path / "second", baseline=approved[1], parameters=params)
    assert result.verdict is Verdict.PASS
    assert result.comparison is not None
    assert [row[0] for row in result.comparison.lineage_changes] == ["config"]


def test_another_bag_is_not_comparable(approved: tuple[Path, Path], make_odometry_bag: Make, tmp_path: Path) -> None:
    other = make_odometry_bag("other", duration_s=7.0)
    result = replay(other, tmp_path / "second", baseline=approved[1])
    assert result.verdict is Verdict.NOT_COMPARABLE
    assert "another bag than the baseline's" in result.reasons[0]


def test_other_ticks_are_not_comparable(approved: tuple[Path, Path], tmp_path: Path) -> None:
    document = json.loads((approved[1] / "baseline.json").read_text())
    document["key"]["ticks_requested"] = "recorded"
    (approved[1] / "baseline.json").write_text(json.dumps(document))
    result = replay(approved[0], tmp_path / "second", baseline=approved[1])
    assert result.verdict is Verdict.NOT_COMPARABLE


def test_a_tampered_baseline_is_refused(approved: tuple[Path, Path], tmp_path: Path) -> None:
    file = next((approved[1] / "outputs").glob("*.mcap"))
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(NotComparableError, match="is not the file that was approved"):
        replay(approved[0], tmp_path / "second", baseline=approved[1])


def test_a_folder_that_is_no_baseline_is_a_usage_error(make_odometry_bag: Make, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has no baseline"):
        replay(make_odometry_bag(), tmp_path / "out", baseline=tmp_path)


def test_a_short_drive_is_inconclusive_and_cannot_be_approved(make_odometry_bag: Make, tmp_path: Path) -> None:
    result = replay(make_odometry_bag(duration_s=2.0), tmp_path / "out")
    assert result.verdict is Verdict.INCONCLUSIVE
    with pytest.raises(InconclusiveError, match="6 ticks were answered; at least 10"):
        approve_result(tmp_path / "out", tmp_path / "baseline", author="a", reason="b")
    assert not (tmp_path / "baseline").exists()


def test_a_nan_sample_rejects_its_ticks_and_changes_no_verdict(
    make_odometry_bag: Make, make_odometry: Make, drive_poses: Make, tmp_path: Path
) -> None:
    messages = [make_odometry(*pose) for pose in drive_poses(8.0, 20.0)]
    messages[100].pose.pose.position.x = math.nan
    result = replay(make_odometry_bag("nan", messages), tmp_path / "out")
    assert result.verdict is Verdict.NOT_COMPARED
    assert result.ticks["ODOMETRY_INVALID"] == 16
    assert result.ticks["ANSWERED"] == 50


def test_duplicated_stamps_are_dropped_and_counted(
    make_odometry_bag: Make, make_odometry: Make, drive_poses: Make, tmp_path: Path
) -> None:
    messages = [make_odometry(*pose) for pose in drive_poses(6.0, 20.0)]
    clean = replay(make_odometry_bag("clean", messages), tmp_path / "clean_out")
    doubled = [message for message in messages for _ in range(2)]
    result = replay(make_odometry_bag("doubled", doubled), tmp_path / "out")
    assert result.ticks["dropped_odometry"] == len(messages)
    assert result.output_digest == clean.output_digest


def test_a_step_back_of_the_clock_starts_again(
    make_odometry_bag: Make, make_odometry: Make, drive_poses: Make, tmp_path: Path
) -> None:
    messages = [make_odometry(*pose) for pose in drive_poses(6.0, 20.0)]
    result = replay(make_odometry_bag("twice", messages + messages), tmp_path / "out")
    assert result.ticks == {"ANSWERED": 92, "HISTORY_TOO_SHORT": 30, "open_at_end": 0}
    approve_result(tmp_path / "out", tmp_path / "baseline", author="a", reason="b")
    again = replay(tmp_path / "twice", tmp_path / "again", baseline=tmp_path / "baseline")
    assert again.verdict is Verdict.PASS


def test_recorded_ticks_are_run_again(make_odometry_bag: Make, tmp_path: Path) -> None:
    bag = make_odometry_bag()
    first = replay(bag, tmp_path / "first")
    merged = merge(bag, tmp_path / "first" / "outputs", tmp_path / "merged", drop_every=5)
    result = replay(merged, tmp_path / "second", ticks="recorded")
    assert result.content_digest == first.content_digest
    assert 0 < result.ticks["ANSWERED"] < first.ticks["ANSWERED"]
    everything = replay(merged, tmp_path / "third")
    assert everything.output_digest == first.output_digest


def merge(inputs: Path, outputs: Path, target: Path, drop_every: int) -> Path:
    """Record a bag that holds inputs and outputs, with some ticks marked as skipped."""
    from alpamayo_ros.messages.typestore import deserialize, serialize
    from alpamayo_ros.storage.writer import BagWriter

    with open_bag(inputs) as left, open_bag(outputs) as right, BagWriter(target, identity=None) as writer:
        messages = [*left.messages(), *right.messages()]
        for name, topic in {**left.topics, **right.topics}.items():
            writer.add_topic(name, topic.type_name)
        for index, message in enumerate(messages):
            payload = message.payload
            if message.type_name.endswith("TickStatus") and not index % drop_every:
                status = deserialize(payload, message.type_name)
                status.outcome = int(TickOutcome.SKIPPED_BUSY)
                payload = serialize(status, message.type_name)
            writer.write(message.topic, payload, receive_ns=message.receive_ns, publish_ns=message.publish_ns)
    return target


def test_recorded_ticks_need_a_bag_that_recorded_some(make_odometry_bag: Make, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no topic of type alpamayo_ros/msg/TickStatus"):
        replay(make_odometry_bag(), tmp_path / "out", ticks="recorded")


def test_odometry_of_another_frame_without_a_transform_is_refused(
    make_odometry_bag: Make, make_odometry: Make, drive_poses: Make, tmp_path: Path
) -> None:
    messages = [make_odometry(*pose, child_frame="imu") for pose in drive_poses(3.0, 20.0)]
    with pytest.raises(TopicError, match="child_frame_id 'imu', and neither the calibration nor"):
        replay(make_odometry_bag("imu", messages), tmp_path / "out")


def test_an_unknown_profile_touches_nothing(make_odometry_bag: Make, tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="expected one of: kinematic"):
        replay(make_odometry_bag(), tmp_path / "out", profile="nanoo")
    assert not (tmp_path / "out").exists()


def test_an_existing_output_is_kept_without_force_and_replaced_with_it(make_odometry_bag: Make, tmp_path: Path) -> None:
    bag = make_odometry_bag()
    replay(bag, tmp_path / "out")
    before = (tmp_path / "out" / "result.json").read_bytes()
    with pytest.raises(OutputError, match="exists already; expected a new path, or --force"):
        replay(bag, tmp_path / "out")
    assert (tmp_path / "out" / "result.json").read_bytes() == before
    assert replay(bag, tmp_path / "out", force=True).verdict is Verdict.NOT_COMPARED


def test_force_deletes_nothing_that_no_replay_wrote(make_odometry_bag: Make, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="holds something that no replay wrote"):
        replay(make_odometry_bag(), tmp_path / "home", force=True)
    assert (tmp_path / "home" / "thesis.txt").exists()


def test_a_result_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(BagWriteError, match="cannot be written"):
        write_text(tmp_path / "absent" / "result.json", "{}")
    write_text(tmp_path / "result.json", "{}")
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]


def test_a_failing_stage_fails_its_tick_with_the_reason(
    make_odometry_bag: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = reference_backend.PROGRAMS["constant_turn_rate_velocity"]

    def broken(inputs: Any, generator: Any) -> Any:
        outputs = original.function(inputs, generator)
        outputs["trajectories"][0, 0, 5] = np.nan
        return outputs

    monkeypatch.setattr(
        reference_backend,
        "PROGRAMS",
        {
            **reference_backend.PROGRAMS,
            "constant_turn_rate_velocity": Program(original.inputs, original.outputs, broken),
        },
    )
    result = replay(make_odometry_bag(), tmp_path / "out")
    assert result.ticks["STAGE_FAILED"] == 46
    assert result.verdict is Verdict.INCONCLUSIVE
    with open_bag(tmp_path / "out" / "outputs") as reader:
        failed = [t.status for t in read_outputs(reader) if t.status.outcome is TickOutcome.STAGE_FAILED]
    assert failed[0].error_code == 300
    assert "'x' is not finite" in failed[0].text


def test_force_never_touches_an_input_that_lies_in_the_output(make_odometry_bag: Make, tmp_path: Path) -> None:
    bag = make_odometry_bag()
    replay(bag, tmp_path / "result")
    recording = tmp_path / "result" / "outputs"
    before = {file.name: file.read_bytes() for file in recording.iterdir()}
    for given in ({"bag": recording}, {"bag": bag, "baseline": tmp_path / "result"}):
        with pytest.raises((OutputError, ConfigurationError)):
            replay(out=tmp_path / "result", force=True, **given)
    with pytest.raises(OutputError, match="lie in each other"):
        replay(bag, bag / "inside")
    assert {file.name: file.read_bytes() for file in recording.iterdir()} == before


def test_force_keeps_a_folder_called_outputs_that_no_replay_wrote(make_odometry_bag: Make, tmp_path: Path) -> None:
    bag = make_odometry_bag()
    (tmp_path / "keep" / "outputs").mkdir(parents=True)
    (tmp_path / "keep" / "outputs" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match=r"holds something that no replay wrote \(outputs/\)"):
        replay(bag, tmp_path / "keep", force=True)
    replay(bag, tmp_path / "mixed")
    (tmp_path / "mixed" / "outputs" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"\(outputs/notes.txt\)"):
        replay(bag, tmp_path / "mixed", force=True)


def test_an_earlier_result_stays_until_the_new_one_is_whole(
    make_odometry_bag: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bag = make_odometry_bag()
    replay(bag, tmp_path / "out")
    before = (tmp_path / "out" / "result.json").read_bytes()
    calls = iter(range(100))

    def interrupted(done: int, total: int) -> None:
        if next(calls) == 0:
            raise KeyboardInterrupt

    request = ReplayRequest(bag=bag, profile="kinematic", out=tmp_path / "out", force=True)
    with pytest.raises(KeyboardInterrupt):
        run_session(request, clock=lambda: 0.0, progress=interrupted)
    assert (tmp_path / "out" / "result.json").read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["drive", "out"]


def test_an_interrupted_first_replay_leaves_a_readable_part_that_says_so(
    make_odometry_bag: Make, tmp_path: Path
) -> None:
    bag = make_odometry_bag(duration_s=60.0)

    def interrupted(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    request = ReplayRequest(bag=bag, profile="kinematic", out=tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        run_session(request, clock=lambda: 0.0, progress=interrupted)
    with open_bag(tmp_path / "out" / "outputs") as reader:
        assert reader.custom_data["state"] == "recovered"
        assert len(list(read_outputs(reader))) > 0
    assert not (tmp_path / "out" / "result.json").exists()


def test_a_profile_that_cannot_run_leaves_an_earlier_result_alone(make_odometry_bag: Make, tmp_path: Path) -> None:
    bag = make_odometry_bag()
    replay(bag, tmp_path / "out")
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        "name: broken\ndescription: x\nlearned: false\ntrigger: odometry\n"
        "stages: {reason: {program: magic}, plan: {program: constant_turn_rate_velocity}}\n"
    )
    with pytest.raises(BackendError, match="magic"):
        replay(bag, tmp_path / "out", profile=str(broken), force=True)
    assert (tmp_path / "out" / "result.json").exists()


def test_outputs_that_are_not_the_results_own_cannot_be_approved(make_odometry_bag: Make, tmp_path: Path) -> None:
    replay(make_odometry_bag("one"), tmp_path / "one_out")
    replay(make_odometry_bag("two", duration_s=7.0), tmp_path / "two_out")
    shutil.rmtree(tmp_path / "one_out" / "outputs")
    shutil.copytree(tmp_path / "two_out" / "outputs", tmp_path / "one_out" / "outputs")
    with pytest.raises(NotComparableError, match=r"its outputs have digest .* but result.json says"):
        approve_result(tmp_path / "one_out", tmp_path / "baseline", author="a", reason="b")
    assert not (tmp_path / "baseline").exists()


def test_damaged_outputs_cannot_be_approved(make_odometry_bag: Make, tmp_path: Path) -> None:
    replay(make_odometry_bag(), tmp_path / "out")
    file = next((tmp_path / "out" / "outputs").glob("*.mcap"))
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises((NotComparableError, BagCorruptError)):
        approve_result(tmp_path / "out", tmp_path / "baseline", author="a", reason="b")


def test_a_baseline_inside_the_result_is_refused(make_odometry_bag: Make, tmp_path: Path) -> None:
    replay(make_odometry_bag(), tmp_path / "out")
    with pytest.raises(OutputError, match="lies in the result"):
        approve_result(tmp_path / "out", tmp_path / "out" / "outputs" / "b", author="a", reason="b")


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("content_digest"),
        lambda d: d.update(lineage=[]),
        lambda d: d.update(too_little=3),
        lambda d: d.update(verdict="zzz"),
        lambda d: d.pop("reasons"),
    ],
)
def test_a_result_that_is_not_complete_cannot_be_approved(
    make_odometry_bag: Make, tmp_path: Path, change: Callable[[Any], Any]
) -> None:
    replay(make_odometry_bag(), tmp_path / "out")
    document = json.loads((tmp_path / "out" / "result.json").read_text())
    change(document)
    (tmp_path / "out" / "result.json").write_text(json.dumps(document))
    with pytest.raises(ConfigurationError, match="not valid at"):
        approve_result(tmp_path / "out", tmp_path / "baseline", author="a", reason="b")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda d: d.update(files={}), ConfigurationError),
        (lambda d: d["key"].update(type_hashes=None), ConfigurationError),
        (lambda d: d["files"].pop("identity.json"), NotComparableError),
        (lambda d: d.update(output_digest="sha256:" + "0" * 64), NotComparableError),
        (lambda d: d["files"].update({"../../x": "sha256:" + "0" * 64}), NotComparableError),
    ],
)
def test_a_baseline_that_contradicts_itself_is_refused(
    approved: tuple[Path, Path], tmp_path: Path, change: Callable[[Any], Any], error: type[Exception]
) -> None:
    document = json.loads((approved[1] / "baseline.json").read_text())
    change(document)
    (approved[1] / "baseline.json").write_text(json.dumps(document))
    with pytest.raises(error):
        replay(approved[0], tmp_path / "second", baseline=approved[1])


@pytest.mark.parametrize("stamp", [(-5, 0), (2**31 - 1, 999_999_999)])
def test_an_absurd_stamp_is_dropped_and_counted(
    make_odometry_bag: Make, make_odometry: Make, drive_poses: Make, tmp_path: Path, stamp: tuple[int, int]
) -> None:
    messages = [make_odometry(*pose) for pose in drive_poses(6.0, 20.0)]
    clean = replay(make_odometry_bag("clean", messages), tmp_path / "clean_out")
    wrong = make_odometry(0, (0.0, 0.0, 0.0))
    wrong.header.stamp.sec, wrong.header.stamp.nanosec = stamp
    bag = make_odometry_bag("wrong", [*messages[:60], wrong, *messages[60:]], receive_by_order=True)
    result = replay(bag, tmp_path / "out")
    assert result.ticks["dropped_odometry"] == 1
    assert result.output_digest == clean.output_digest


def test_other_recorded_ticks_are_another_request(make_odometry_bag: Make, tmp_path: Path) -> None:
    bag = make_odometry_bag()
    replay(bag, tmp_path / "first")
    few = merge(bag, tmp_path / "first" / "outputs", tmp_path / "few", drop_every=5)
    more = merge(bag, tmp_path / "first" / "outputs", tmp_path / "more", drop_every=7)
    replay(few, tmp_path / "few_out", ticks="recorded")
    approve_result(tmp_path / "few_out", tmp_path / "baseline", author="a", reason="b")
    result = replay(more, tmp_path / "more_out", ticks="recorded", baseline=tmp_path / "baseline")
    assert result.verdict is Verdict.NOT_COMPARABLE
    assert "other ticks were requested" in result.reasons[0]


def test_the_result_says_what_it_was_compared_with(approved: tuple[Path, Path], tmp_path: Path) -> None:
    result = replay(approved[0], tmp_path / "second", baseline=approved[1])
    assert result.baseline is not None
    assert (result.baseline.author, result.baseline.reason) == ("a", "b")


def test_the_course_of_a_difference_covers_the_whole_drive(
    approved: tuple[Path, Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("moved_planner")
    comparison = replay(approved[0], tmp_path / "second", baseline=approved[1]).comparison
    assert comparison is not None
    course = [row for row in comparison.over_time if row.field == "y"]
    assert len(course) == 46
    assert all(row.multiple == pytest.approx(5.0, rel=0.02) for row in course)


def test_memory_of_a_digest_grows_by_a_few_bytes_per_output() -> None:
    digest = OutputDigest()
    for t0_ns in range(10_000):
        digest.add("tick", t0_ns, b"x")
    assert len(digest._digests) + len(digest._t0_ns) * 8 + len(digest._interface) == 41 * 10_000


def test_approving_replaces_a_baseline_and_nothing_else(make_odometry_bag: Make, tmp_path: Path) -> None:
    replay(make_odometry_bag(), tmp_path / "out")
    approve_result(tmp_path / "out", tmp_path / "baseline", author="a", reason="b")
    approve_result(tmp_path / "out", tmp_path / "baseline", author="c", reason="d", force=True)
    assert load_baseline(tmp_path / "baseline").author == "c"
    (tmp_path / "baseline" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"is not a baseline alone \(notes.txt\)"):
        approve_result(tmp_path / "out", tmp_path / "baseline", author="e", reason="f", force=True)
    assert (tmp_path / "baseline" / "notes.txt").exists()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda d: d.update(lineage_id="sha256:" + "0" * 64), "lineage"),
        (lambda d: d.update(envelope_id="sha256:" + "0" * 64), "envelope"),
        (lambda d: d["ticks"].update(ANSWERED=99), "ticks"),
    ],
)
def test_a_result_that_speaks_of_other_outputs_cannot_be_approved(
    make_odometry_bag: Make, tmp_path: Path, change: Callable[[Any], Any], what: str
) -> None:
    replay(make_odometry_bag(), tmp_path / "out")
    document = json.loads((tmp_path / "out" / "result.json").read_text())
    change(document)
    (tmp_path / "out" / "result.json").write_text(json.dumps(document))
    with pytest.raises(NotComparableError, match=f"its outputs have the {what} "):
        approve_result(tmp_path / "out", tmp_path / "baseline", author="a", reason="b")


def test_other_words_for_ticks_are_refused(make_odometry_bag: Make, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ticks 'sometimes' is not known; expected one of: all, recorded"):
        replay(make_odometry_bag(), tmp_path / "out", ticks="sometimes")


def test_an_error_of_the_replay_is_not_taken_for_one_of_its_folder(tmp_path: Path) -> None:
    def fail() -> None:
        with output_folder(tmp_path / "out", force=False):
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error") as caught:
        fail()
    assert caught.value.errno == errno.EIO


def test_a_file_that_was_cut_off_by_a_kill_is_replaced_with_force(make_odometry_bag: Make, tmp_path: Path) -> None:
    bag = make_odometry_bag()
    replay(bag, tmp_path / "out")
    (tmp_path / "out" / ".report.html.tmp").write_text("<html")
    assert replay(bag, tmp_path / "out", force=True).verdict is Verdict.NOT_COMPARED
