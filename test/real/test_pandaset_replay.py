"""Real driving: six cameras of PandaSet are imported, replayed and reported."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.replay.session import ReplayRequest, run_session
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.structs.verdict import ReplayResult, Verdict

SIX_CAMERAS = Path(__file__).parents[1] / "profiles" / "pandaset_six.yaml"
DEMO = Path(__file__).parents[2] / "bags"
PROGRAM = Path(sys.executable).with_name("alpamayo")


@pytest.fixture(scope="module")
def pandaset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return PandaSet as a bag, imported by the installed program."""
    if "ALPAMAYO_DATA" not in os.environ:
        pytest.skip("ALPAMAYO_DATA is not set")
    source = Path(os.environ["ALPAMAYO_DATA"]) / "pandaset_seq002"
    bag = tmp_path_factory.mktemp("pandaset") / "bag"
    command = [str(PROGRAM), "bag", "import", "pandaset", str(source), str(bag)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    return bag


def replay(bag: Path, out: Path, profile: str = "kinematic", **options: Any) -> ReplayResult:
    request = ReplayRequest(bag=bag, profile=profile, out=out, calibration=bag / "calibration.yaml", **options)
    return run_session(request, clock=lambda: 0.0)


def test_odometry_as_trigger_answers_every_tick_with_enough_history(pandaset: Path, tmp_path: Path) -> None:
    result = replay(pandaset, tmp_path / "a")
    assert result.ticks == {"ANSWERED": 65, "HISTORY_TOO_SHORT": 15, "open_at_end": 0}
    assert replay(pandaset, tmp_path / "b").output_digest == result.output_digest


def test_a_camera_as_trigger_synchronises_six_real_cameras(pandaset: Path, tmp_path: Path) -> None:
    result = replay(pandaset, tmp_path / "a", str(SIX_CAMERAS))
    assert result.ticks == {"ANSWERED": 63, "HISTORY_TOO_SHORT": 16, "open_at_end": 1}
    assert replay(pandaset, tmp_path / "b", str(SIX_CAMERAS)).output_digest == result.output_digest


def test_a_profile_with_its_cameras_swapped_is_a_mismatch(pandaset: Path, tmp_path: Path) -> None:
    text = SIX_CAMERAS.read_text().replace("yaw_deg: 58.0", "yaw_deg: -58.0", 1)
    (tmp_path / "swapped.yaml").write_text(text)
    result = replay(pandaset, tmp_path / "a", str(tmp_path / "swapped.yaml"))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.ticks["CAMERA_MISMATCH"] == 63


def test_displacement_errors_say_over_how_many_ticks(pandaset: Path, tmp_path: Path) -> None:
    errors = {error.horizon_s: error for error in replay(pandaset, tmp_path / "a").ade_m}
    assert [errors[h].tick_count for h in (1.0, 3.0, 6.3, 6.4)] == [55, 35, 1, 0]
    first, later, last = (errors[h].mean_m for h in (1.0, 3.0, 6.3))
    assert first is not None
    assert later is not None
    assert last is not None
    assert 0.0 < first < later < last < 21.72
    assert errors[6.4].mean_m is None


def test_the_report_shows_the_street_and_both_paths(pandaset: Path, tmp_path: Path) -> None:
    replay(pandaset, tmp_path / "a")
    page = (tmp_path / "a" / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 10
    assert "CC BY 4.0" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_the_rationale_states_the_measured_motion(pandaset: Path, tmp_path: Path) -> None:
    replay(pandaset, tmp_path / "a")
    with open_bag(tmp_path / "a" / "outputs") as reader:
        rationales = [
            deserialize(message.payload, message.type_name).text
            for message in reader.messages(topics=["/alpamayo/output/rationale"])
        ]
    assert "stopped" in rationales[0]
    assert "5.6 m/s" in rationales[-1]


def test_a_baseline_of_another_drive_is_not_comparable(pandaset: Path, tmp_path: Path) -> None:
    result = replay(pandaset, tmp_path / "a", baseline=DEMO / "demo_baseline")
    assert result.verdict is Verdict.NOT_COMPARABLE


def test_the_demo_passes_against_its_committed_baseline(
    tmp_path: Path, alpamayo_replay: Callable[..., ReplayResult]
) -> None:
    result = alpamayo_replay(DEMO / "demo", profile="kinematic", baseline=DEMO / "demo_baseline")
    assert result.verdict is Verdict.PASS
    document = json.loads((tmp_path / "alpamayo_replay_0" / "result.json").read_text())
    assert document["ticks"]["open_at_end"] == 0
    assert document["ade_m"]["6.4"]["ticks"] > 50


def test_the_demo_names_itself_simulated_with_its_assumptions() -> None:
    with open_bag(DEMO / "demo") as reader:
        tags = reader.custom_data
    assert tags["provenance"] == "simulated"
    assert sum(file.stat().st_size for file in (DEMO / "demo").iterdir()) <= 6_000_000
