"""Exit codes, sentences and what is left on disk, as a user of the installed program sees them."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.storage.reader import open_bag

Run = Callable[..., subprocess.CompletedProcess[str]]
Make = Callable[..., Path]
ONE_CAMERA = Path(__file__).parents[2] / "profiles" / "one_camera.yaml"


def sentence(run: subprocess.CompletedProcess[str]) -> str:
    """Return the one line of complaint, and require that there is nothing like a traceback."""
    assert "Traceback" not in run.stderr + run.stdout
    complaints = [line for line in run.stderr.splitlines() if line.startswith("alpamayo: ")]
    assert len(complaints) == 1, run.stderr
    return complaints[0].removeprefix("alpamayo: ")


def test_a_replay_without_baseline_exits_0_and_says_that_nothing_was_compared(
    alpamayo: Run, make_odometry_bag: Make
) -> None:
    run = alpamayo("replay", "run", make_odometry_bag(), "--profile", "kinematic", "--out", "result")
    assert run.returncode == 0, run.stderr
    assert "NOT COMPARED: no baseline was given" in run.stdout
    assert "report.html" in run.stdout
    assert "odometry: /odometry" in run.stderr


def test_json_on_standard_output_is_result_json_and_nothing_else(
    alpamayo: Run, make_odometry_bag: Make, tmp_path: Path
) -> None:
    run = alpamayo("replay", "run", make_odometry_bag(), "--profile", "kinematic", "--out", "result", "--json")
    printed, written = json.loads(run.stdout), json.loads((tmp_path / "result" / "result.json").read_text())
    for document in (printed, written):
        document.pop("timings")
    assert printed == written


def test_approved_outputs_pass_and_a_changed_parameter_is_a_regression(
    alpamayo: Run, make_odometry_bag: Make, tmp_path: Path
) -> None:
    bag = make_odometry_bag()
    assert alpamayo("replay", "run", bag, "--profile", "kinematic", "--out", "first").returncode == 0
    approved = alpamayo("replay", "approve", "first", "--author", "a", "--reason", "first drive")
    assert approved.returncode == 0, approved.stderr
    again = alpamayo("replay", "run", bag, "--profile", "kinematic", "--out", "b", "--baseline", "first_baseline")
    assert again.returncode == 0
    assert "PASS: every tick agrees" in again.stdout
    (tmp_path / "slow.yaml").write_text("reasoning:\n  ros__parameters: {turn_rate_threshold_radps: 0.5}\n")
    arguments = ("--profile", "kinematic", "--out", "c", "--baseline", "first_baseline", "--params", "slow.yaml")
    changed = alpamayo("replay", "run", bag, *arguments)
    assert changed.returncode == 1
    assert "REGRESSION: first difference at t0 1700000001500000000 ns" in changed.stdout
    assert "changed config" in changed.stdout


def test_a_baseline_of_another_bag_exits_4(alpamayo: Run, make_odometry_bag: Make) -> None:
    first, second = make_odometry_bag("one"), make_odometry_bag("two", duration_s=7.0)
    alpamayo("replay", "run", first, "--profile", "kinematic", "--out", "first")
    alpamayo("replay", "approve", "first", "--author", "a", "--reason", "b")
    arguments = ("--profile", "kinematic", "--out", "second", "--baseline", "first_baseline")
    run = alpamayo("replay", "run", second, *arguments)
    assert run.returncode == 4
    assert "NOT COMPARABLE: the input is another bag than the baseline's" in run.stdout


def test_too_few_ticks_exit_3_and_so_does_approving_them(alpamayo: Run, make_odometry_bag: Make) -> None:
    run = alpamayo("replay", "run", make_odometry_bag(duration_s=2.0), "--profile", "kinematic", "--out", "short")
    assert run.returncode == 3
    assert "INCONCLUSIVE: 6 ticks were answered" in run.stdout
    approve = alpamayo("replay", "approve", "short", "--author", "a", "--reason", "b")
    assert approve.returncode == 3
    assert "at least 10 are needed" in sentence(approve)


def test_a_bag_without_messages_is_inconclusive(alpamayo: Run, make_odometry_bag: Make) -> None:
    run = alpamayo("replay", "run", make_odometry_bag("empty", []), "--profile", "kinematic", "--out", "o")
    assert run.returncode == 3
    assert "0 ticks were answered" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replay", "run"], "Missing argument"),
        (["replay", "fly"], "No such command"),
        (["replay", "run", "x", "--profile"], "requires an argument"),
        (["replay", "run", "x", "--profile", "kinematic", "--ticks", "some"], "'some'"),
        (["--frobnicate"], "No such option"),
        ([], "Usage"),
    ],
)
def test_wrong_arguments_exit_2(alpamayo: Run, arguments: list[str], message: str) -> None:
    run = alpamayo(*arguments)
    assert run.returncode == 2
    assert message in run.stderr + run.stdout
    assert "Traceback" not in run.stderr


def test_a_missing_path_exits_2(alpamayo: Run) -> None:
    run = alpamayo("replay", "run", "nowhere", "--profile", "kinematic", "--out", "o")
    assert run.returncode == 2
    assert "nowhere" in sentence(run)


def test_a_folder_that_is_no_bag_exits_2(alpamayo: Run, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.txt").write_text("meow")
    run = alpamayo("replay", "run", "photos", "--profile", "kinematic", "--out", "o")
    assert run.returncode == 2
    assert "photos" in sentence(run)
    assert not (tmp_path / "o").exists()


def test_a_truncated_bag_exits_4_and_says_so(alpamayo: Run, make_odometry_bag: Make) -> None:
    bag = make_odometry_bag()
    file = next(bag.glob("*.mcap"))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    run = alpamayo("replay", "run", bag, "--profile", "kinematic", "--out", "o")
    assert run.returncode == 4
    assert file.name in sentence(run)


def test_an_unknown_profile_exits_2_with_the_known_ones(alpamayo: Run, make_odometry_bag: Make) -> None:
    run = alpamayo("replay", "run", make_odometry_bag(), "--profile", "nanoo", "--out", "o")
    assert run.returncode == 2
    assert "profile 'nanoo' is not known; expected one of: kinematic" in sentence(run)


def test_a_missing_topic_lists_the_candidates(alpamayo: Run, make_odometry_bag: Make, tmp_path: Path) -> None:
    (tmp_path / "topics.yaml").write_text("odometry: /odom\n")
    arguments = ("--profile", "kinematic", "--topics", "topics.yaml", "--out", "o")
    run = alpamayo("replay", "run", make_odometry_bag(), *arguments)
    assert run.returncode == 2
    assert "topic '/odom' is not in the bag; candidates: /odometry" in sentence(run)


def test_a_topic_of_another_type_is_refused(alpamayo: Run, make_camera_bag: Make, tmp_path: Path) -> None:
    (tmp_path / "topics.yaml").write_text("odometry: /camera/front/image\n")
    run = alpamayo(
        "replay", "run", make_camera_bag(), "--profile", "kinematic", "--topics", "topics.yaml", "--out", "o"
    )
    assert run.returncode == 2
    assert "has type sensor_msgs/msg/CompressedImage; expected nav_msgs/msg/Odometry" in sentence(run)


def test_a_camera_that_the_bag_lacks_is_refused(alpamayo: Run, make_odometry_bag: Make) -> None:
    run = alpamayo("replay", "run", make_odometry_bag(), "--profile", ONE_CAMERA, "--out", "o")
    assert run.returncode == 2
    assert "no picture topic for camera 'front'" in sentence(run)


def ticks(alpamayo: Run, bag: Path) -> dict[str, int]:
    run = alpamayo("replay", "run", bag, "--profile", ONE_CAMERA, "--out", f"{bag}_out", "--json")
    assert "Traceback" not in run.stderr
    assert run.returncode in (0, 3), run.stderr
    counts: dict[str, int] = json.loads(run.stdout)["ticks"]
    return counts


def test_pictures_are_part_of_the_answer(alpamayo: Run, make_camera_bag: Make) -> None:
    assert ticks(alpamayo, make_camera_bag()) == {"ANSWERED": 26, "HISTORY_TOO_SHORT": 15, "open_at_end": 0}


def test_a_corrupt_picture_rejects_the_ticks_that_use_it_and_no_other(
    alpamayo: Run, make_camera_bag: Make, camera_messages: Any
) -> None:
    broken_ns = 1_700_000_002_500_000_000

    def picture(stamp_ns: int) -> Any:
        data = camera_messages.jpeg()
        return camera_messages.compressed(stamp_ns, data[:80] if stamp_ns == broken_ns else data)

    counts = ticks(alpamayo, make_camera_bag(picture=picture))
    assert counts["IMAGE_INVALID"] == 2
    assert counts["ANSWERED"] == 24


@pytest.mark.parametrize(
    ("height", "width", "step", "data_bytes"),
    [(36, 64, 192, 10), (36, 64, 10, 36 * 192), (10**9, 10**9, 192, 100), (0, 0, 0, 0)],
)
def test_a_picture_whose_header_lies_rejects_its_ticks(
    alpamayo: Run, make_camera_bag: Make, camera_messages: Any, height: int, width: int, step: int, data_bytes: int
) -> None:
    bag = make_camera_bag(
        picture=lambda stamp_ns: camera_messages.raw(stamp_ns, height, width, step, data_bytes),
        picture_type="sensor_msgs/msg/Image",
    )
    assert ticks(alpamayo, bag) == {"ANSWERED": 0, "HISTORY_TOO_SHORT": 15, "IMAGE_INVALID": 26, "open_at_end": 0}


def test_a_calibration_for_other_cameras_is_refused(alpamayo: Run, make_camera_bag: Make, tmp_path: Path) -> None:
    (tmp_path / "rig.yaml").write_text(
        "version: 1\nrig_frame: base_link\ncameras:\n  rear:\n"
        "    rig_from_optical: {position_m: [0, 0, 1], quaternion_xyzw: [0, 0, 0, 1]}\n"
    )
    arguments = ("--calibration", "rig.yaml", "--out", "o")
    for profile in ("kinematic", ONE_CAMERA):
        run = alpamayo("replay", "run", make_camera_bag(f"bag_{Path(profile).stem}"), "--profile", profile, *arguments)
        assert run.returncode == 2
        assert "calibration rig.yaml is for the cameras rear" in sentence(run)


def test_an_existing_output_exits_2_and_is_kept(alpamayo: Run, make_odometry_bag: Make, tmp_path: Path) -> None:
    bag = make_odometry_bag()
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "precious").write_text("x")
    for options in ([], ["--force"]):
        run = alpamayo("replay", "run", bag, "--profile", "kinematic", "--out", "o", *options)
        assert run.returncode == 2
        assert "output o" in sentence(run)
    assert (tmp_path / "o" / "precious").read_text() == "x"


def test_an_unwritable_output_exits_2(alpamayo: Run, make_odometry_bag: Make) -> None:
    # /proc refuses new folders to everyone, also to root, as a read-only disk does.
    run = alpamayo("replay", "run", make_odometry_bag(), "--profile", "kinematic", "--out", "/proc/alpamayo")
    assert run.returncode == 2
    assert "output /proc/alpamayo cannot be written" in sentence(run)


def test_a_full_disk_exits_74_and_what_was_written_stays_readable(
    program: Path, make_odometry_bag: Make, tmp_path: Path
) -> None:
    bag = make_odometry_bag(duration_s=300.0)
    # A file size limit refuses the write as a full disk does; SIGXFSZ is ignored so that the write returns an error.
    command = f"trap '' XFSZ; ulimit -f 64; exec {program} replay run {bag} --profile kinematic --out full"
    run = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 74, run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "full" / "result.json").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("delay_s", [0.25, 0.6, 1.2, 2.0])
def test_an_interrupt_at_any_moment_ends_with_one_sentence_and_a_readable_bag(
    program: Path, make_odometry_bag: Make, tmp_path: Path, number: signal.Signals, code: int, delay_s: float
) -> None:
    bag = make_odometry_bag(duration_s=600.0)
    process = subprocess.Popen(
        [str(program), "replay", "run", str(bag), "--profile", "kinematic", "--out", "o"],
        cwd=tmp_path,
        env={**os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(delay_s)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert f"interrupted by {signal.Signals(number).name}" in errors
    assert not (tmp_path / "o" / "result.json").exists()
    outputs = tmp_path / "o" / "outputs"
    if outputs.exists():
        with open_bag(outputs) as reader:
            assert sum(1 for _ in reader.messages()) == reader.message_count


def test_a_closed_pipe_is_no_traceback(program: Path, make_odometry_bag: Make, tmp_path: Path) -> None:
    command = f"{program} bag info {make_odometry_bag()} | true"
    run = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("environment", [{"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "7"}])
def test_hash_seed_and_threads_change_no_digest(
    alpamayo: Run, make_camera_bag: Make, environment: dict[str, str]
) -> None:
    bag = make_camera_bag()
    digests = set()
    for out, variables in (("a", {}), ("b", environment)):
        run = alpamayo("replay", "run", bag, "--profile", ONE_CAMERA, "--out", out, "--json", **variables)
        digests.add(json.loads(run.stdout)["output_digest"])
    assert len(digests) == 1


def test_load_changes_no_digest(alpamayo: Run, make_camera_bag: Make) -> None:
    bag = make_camera_bag()
    burners = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(4)]
    try:
        loaded = alpamayo("replay", "run", bag, "--profile", ONE_CAMERA, "--out", "a", "--json")
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    quiet = alpamayo("replay", "run", bag, "--profile", ONE_CAMERA, "--out", "b", "--json")
    assert json.loads(loaded.stdout)["output_digest"] == json.loads(quiet.stdout)["output_digest"]


def test_a_code_stands_even_where_nobody_can_be_told(program: Path, tmp_path: Path) -> None:
    for redirection in (">&-", "2>&-", "2>/dev/full", ">/dev/full 2>/dev/full"):
        command = f"{program} replay run nowhere --profile kinematic {redirection}"
        run = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == 2, redirection
        assert "Traceback" not in run.stderr + run.stdout


def test_a_path_of_any_language_is_printed_in_any_locale(alpamayo: Run, make_odometry_bag: Make) -> None:
    bag = make_odometry_bag()
    run = alpamayo("replay", "run", bag, "--profile", "kinematic", "--out", "öffentlich 日", PYTHONIOENCODING="ascii")
    assert run.returncode == 0, run.stderr
    assert "ffentlich" in run.stdout


@pytest.mark.parametrize("info_size", [(0, 0), None])
def test_an_uncalibrated_camera_stops_nothing(
    alpamayo: Run, make_camera_bag: Make, tmp_path: Path, info_size: tuple[int, int] | None
) -> None:
    bag = make_camera_bag(info_size=info_size)
    run = alpamayo("replay", "run", bag, "--profile", "kinematic", "--out", "o")
    assert run.returncode == 0, run.stderr
    assert "give a calibration file" in (tmp_path / "o" / "report.html").read_text()
    assert ticks(alpamayo, bag)["ANSWERED"] == 26
