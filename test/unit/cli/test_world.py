"""Exit codes, sentences and files of the world's verbs, as a user of the installed program sees them."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from alpamayo_ros.cli import world_drive
from alpamayo_ros.cli.application import run_application
from alpamayo_ros.errors import BagWriteError, ConfigurationError, DigestMismatchError
from alpamayo_ros.storage.reader import open_bag

Run = Callable[..., subprocess.CompletedProcess[str]]
SHORT = ("--cameras", "camera_front_wide_120fov", "--size", "64x40", "--to", "0.6")


def sentence(run: subprocess.CompletedProcess[str]) -> str:
    """Return the one line of complaint, and require that there is nothing like a traceback."""
    assert "Traceback" not in run.stderr + run.stdout
    complaints = [line for line in run.stderr.splitlines() if line.startswith("alpamayo: ")]
    assert len(complaints) == 1, run.stderr
    return complaints[0].removeprefix("alpamayo: ")


@pytest.fixture
def without_sumo(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which SUMO is not installed."""
    folder = tmp_path / "absent"
    folder.mkdir()
    for name in ("libsumo", "sumo"):
        (folder / f"{name}.py").write_text(f"raise ImportError('No module named {name}')\n")
    return {"PYTHONPATH": str(folder)}


def test_scenarios_are_listed_for_people_and_for_scripts(alpamayo: Run) -> None:
    run = alpamayo("world", "list")
    assert run.returncode == 0, run.stderr
    assert "crossing_pedestrian" in run.stdout
    document = json.loads(alpamayo("world", "list", "--json").stdout)
    assert len(document["scenarios"]) == 10
    for splits in document["scenarios"].values():
        assert not set(splits["train"]["map"]) & set(splits["held_out"]["map"])


def test_an_episode_is_shown_with_its_actors(alpamayo: Run) -> None:
    document = json.loads(alpamayo("world", "list", "stopped_vehicle:1", "--json").stdout)
    assert document["actors"][document["cause"]] in ("car", "van", "truck", "bus")
    assert alpamayo("world", "list", "stopped_vehicle:1").returncode == 0


def test_a_bag_and_pictures_are_written_and_counted(alpamayo: Run, tmp_path: Path) -> None:
    recorded = alpamayo("world", "record", "curve:1", "--out", "bag", *SHORT, "--json")
    assert recorded.returncode == 0, recorded.stderr
    document = json.loads(recorded.stdout)
    with open_bag(tmp_path / "bag") as reader:
        assert {name: info.message_count for name, info in reader.topics.items()} == document["topics"]
    rendered = alpamayo("world", "render", "curve:1", "--out", "pictures", "--video", "film.mp4", *SHORT, "--json")
    assert rendered.returncode == 0, rendered.stderr
    assert json.loads(rendered.stdout)["pictures"] == {"camera_front_wide_120fov": 7}
    assert json.loads(rendered.stdout)["video_frames"] == 7
    assert (tmp_path / "film.mp4").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("record", "no_such:1", "--out", "o"), "expected one of: construction"),
        (("record", "curve", "--out", "o"), "expected scenario:seed"),
        (("record", "curve:-1", "--out", "o"), "expected scenario:seed"),
        (("record", "curve:1", "--out", "o", "--from", "3", "--to", "1"), "expected times from 0"),
        (("record", "curve:1", "--out", "o", "--cameras", "front"), "camera 'front' is not known"),
        (("record", "curve:1", "--out", "o", "--size", "big"), "expected width and height"),
        (("record", "curve:1", "--out", "taken"), "exists already"),
        (("render", "curve:1"), "nothing to render into"),
        (("render", "curve:1", "--video", "film.gif"), "expected .mp4"),
        (("render", "curve:1", "--out", "taken"), "exists already"),
        (("drive", "--profile", "expert"), "no episode is named"),
        (("drive", "curve:1", "--seeds", "1", "--profile", "expert"), "expected one of both"),
        (("drive", "--scenario", "all", "--seeds", "5-1", "--profile", "expert"), "expected the smaller seed first"),
        (("drive", "--scenario", "some", "--seeds", "1", "--profile", "expert"), "scenario 'some' is not known"),
        (("drive", "curve:1", "--profile", "nanoo"), "nanoo"),
        (("drive", "curve:1", "--profile", "expert", "--out", "taken"), "exists already"),
        (("counterfactual", "curve:1", "--out", "o"), "nothing is to be changed"),
        (("counterfactual", "curve:1", "--out", "o", "--remove", "nobody"), "expected one of: "),
        (("counterfactual", "curve:1", "--out", "o", "--move", "x"), "expected NAME:AHEAD,LEFT"),
        (("counterfactual", "curve:1", "--out", "o", "--add", "horse:1,1"), "kind of actor 'horse' is not known"),
        (("counterfactual", "curve:1", "--out", "taken", "--add", "car:9,0"), "exists already"),
        (("dataset", "write", "m.json", "--name", "n"), "no episode is named"),
        (("dataset", "write", "taken", "--name", "n", "--bag", "b"), "exists already"),
        (("dataset", "verify", "none.json"), "cannot be read"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    """In this process, because there are many; the program makes exit code 2 of such an error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        run_application(["world", *arguments])
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_such_an_error_ends_the_program_with_2(alpamayo: Run) -> None:
    run = alpamayo("world", "record", "curve:-1", "--out", "o")
    assert run.returncode == 2
    assert "expected scenario:seed" in sentence(run)


@pytest.mark.parametrize(
    "arguments",
    [
        ("record", "curve:1", "--out", "o"),
        ("drive", "curve:1", "--profile", "expert"),
        ("counterfactual", "curve:1", "--add", "car:9,0", "--out", "o"),
    ],
    ids=lambda value: value[0],
)
def test_without_sumo_the_extra_is_named(
    alpamayo: Run, without_sumo: dict[str, str], arguments: tuple[str, ...]
) -> None:
    run = alpamayo("world", *arguments, **without_sumo)
    assert run.returncode == 2, run.stderr
    assert "extra 'world'" in sentence(run)


def test_help_needs_no_sumo(alpamayo: Run, without_sumo: dict[str, str]) -> None:
    for verb in ((), ("drive",), ("dataset", "write")):
        run = alpamayo("world", *verb, "--help", **without_sumo)
        assert run.returncode == 0, run.stderr
        assert "Usage" in run.stdout


def test_drives_are_counted_in_a_table_and_in_json(alpamayo: Run, tmp_path: Path) -> None:
    arguments = ("world", "drive", "--scenario", "lane_keeping", "--seeds", "0-1", "--profile", "expert")
    table = alpamayo(*arguments)
    assert table.returncode == 0, table.stderr
    assert "lane_keeping" in table.stdout
    run = alpamayo(*arguments, "--workers", "2", "--out", "result", "--json")
    assert run.returncode == 0, run.stderr
    document = json.loads(run.stdout)
    assert document["collision_rate"] == 0.0
    assert document["episodes"] == 2
    assert document["digest"] in table.stdout
    assert json.loads((tmp_path / "result" / "drives.json").read_text()) == document


def test_a_full_disk_does_not_cost_the_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise BagWriteError(f"output {path} of {len(data)} bytes cannot be written")

    monkeypatch.setattr(world_drive, "write_file", full)
    with pytest.raises(BagWriteError):
        run_application(["world", "drive", "curve:1", "--profile", "expert", "--out", str(tmp_path / "o"), "--json"])
    assert json.loads(capsys.readouterr().out)["episodes"] == 1


def test_where_nothing_can_be_written_nobody_drives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world_drive, "drive_all", lambda *_, **__: pytest.fail("it drives"))
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="expected a writable folder"):
        run_application(["world", "drive", "curve:1", "--profile", "expert", "--out", str(tmp_path / "file" / "o")])


def test_a_counterfactual_is_written_and_said_in_words(alpamayo: Run, tmp_path: Path) -> None:
    run = alpamayo("world", "counterfactual", "lead_braking:0", "--remove", "lead", "--out", "page")
    assert run.returncode == 0, run.stderr
    assert "page: " in run.stdout
    assert (tmp_path / "page" / "counterfactual.html").stat().st_size > 50_000
    assert json.loads((tmp_path / "page" / "counterfactual.json").read_text())["change"].endswith("lead")


def test_a_manifest_is_written_verified_and_its_edits_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process, because there are many; the program makes exit code 4 of such an error."""
    monkeypatch.chdir(tmp_path)

    def world(*arguments: str) -> str:
        assert run_application(["world", *arguments]) == 0
        return capsys.readouterr().out

    world("record", "curve:1", "--out", "bag", *SHORT)
    world("record", "curve:2", "--out", "other", *SHORT)
    episodes = ("--bag", "bag", "--scenario", "curve", "--seeds", "0-2")
    made = json.loads(world("dataset", "write", "m.json", "--name", "n", *episodes, "--json"))
    assert made["real_to_simulated"]["episodes"] == [0, 4]
    assert "real to simulated: 0 to 4 episodes" in world("dataset", "verify", "m.json", "--bag", "bag")
    with pytest.raises(DigestMismatchError, match="expected the bag as it was") as foreign:
        world("dataset", "verify", "m.json", "--bag", "other")
    path = tmp_path / "m.json"
    path.write_text(path.read_text().replace('"n"', '"better"'))
    with pytest.raises(DigestMismatchError, match="changed after it was") as edited:
        world("dataset", "verify", "m.json")
    assert foreign.value.exit_code == edited.value.exit_code == 4
