"""What a replay has loaded is written down so that a node which reads it loads the same."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.envelope.document import load_envelope
from alpamayo_ros.errors import BagWriteError
from alpamayo_ros.params.documents import load_yaml
from alpamayo_ros.params.node_parameters import NODES, load_parameters
from alpamayo_ros.params.parameter import declarations, validated_value
from alpamayo_ros.perception.calibration import load_calibration
from alpamayo_ros.pipeline.setup import choose_profile, set_up_stack
from alpamayo_ros.replay.run import ReplaySetup, set_up_replay
from alpamayo_ros.replay.topic_map import read_topics_file
from alpamayo_ros.ros.graph_setup import PARAMETERS_FILE, write_graph_parameters
from alpamayo_ros.storage.reader import BagReader, open_bag
from alpamayo_ros.structs.camera import RigCalibration

CALIBRATION = """\
version: 1
rig_frame: base_link
source: "a survey: '1'"
odometry: {child_frame: imu, rig_in_child: {position_m: [1, 0.1, 1.0e-3], quaternion_xyzw: [0, 0, 0.6, 0.8]}}
"""
PARAMETERS = "planner:\n  ros__parameters: {max_speed_mps: 20.0}\n"


@pytest.fixture
def reader(make_odometry_bag: Callable[..., Path], make_odometry: Callable[..., Any]) -> Iterator[BagReader]:
    """Give an open bag of odometry of the rig's IMU."""
    messages = [make_odometry(10**18 + i * 10**8, (float(i), 0.0, 0.0), child_frame="imu") for i in range(3)]
    with open_bag(make_odometry_bag(messages=messages)) as opened:
        yield opened


def values_of(path: Path) -> dict[str, Any]:
    document = load_yaml(path, "parameter file")
    assert list(document) == ["/**"]
    return dict(document["/**"]["ros__parameters"])


@pytest.fixture
def full_setup(reader: BagReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReplaySetup:
    """Give the set-up of a replay with every file, named relative to the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(CALIBRATION)
    Path("p.yaml").write_text(PARAMETERS)
    return set_up_replay(
        reader, profile_name="kinematic", calibration_path=Path("c.yaml"), parameters_path=Path("p.yaml")
    )


def test_a_node_that_reads_the_files_has_the_lineage_of_the_replay(full_setup: ReplaySetup, tmp_path: Path) -> None:
    folder = tmp_path / "graph"
    folder.mkdir()
    values = values_of(write_graph_parameters(full_setup, folder, use_sim_time=False))
    own = set_up_stack(
        choose_profile(values["profile"], values["backend"]),
        load_parameters(Path(values["parameter_file"])),
        load_calibration(Path(values["calibration_file"])),
        load_envelope(None),
    )
    assert values["envelope_file"] == ""
    assert own.lineage.lineage_id == full_setup.lineage.lineage_id
    assert own.calibration.odometry == full_setup.stack.calibration.odometry


def test_no_outcome_depends_on_a_clock(full_setup: ReplaySetup, tmp_path: Path) -> None:
    for use_sim_time in (False, True):
        folder = tmp_path / str(use_sim_time)
        folder.mkdir()
        path = write_graph_parameters(full_setup, folder, use_sim_time=use_sim_time)
        assert path == folder / PARAMETERS_FILE
        values = values_of(path)
        expected = {
            "use_sim_time": use_sim_time, "autostart": False, "skip_when_busy": False, "answer_timeout_ms": 0,
        }  # fmt: skip
        assert {name: values[name] for name in expected} == expected
        assert values["requested_ticks_file"] == "", "also where a parameter file names one"


def test_every_value_is_one_that_some_node_declares_and_takes(full_setup: ReplaySetup, tmp_path: Path) -> None:
    values = values_of(write_graph_parameters(full_setup, tmp_path, use_sim_time=False))
    del values["use_sim_time"]
    for name, value in values.items():
        owners = [node for node in NODES if name in declarations(NODES[node])]
        assert owners, name
        assert all(validated_value(NODES[node], node, name, value) == value for node in owners)


def test_paths_are_absolute_because_nodes_run_elsewhere(full_setup: ReplaySetup, tmp_path: Path) -> None:
    values = values_of(write_graph_parameters(full_setup, tmp_path, use_sim_time=False))
    for name, value in values.items():
        if name.endswith("_file") and value:
            assert Path(value).is_absolute(), name
            assert Path(value).is_file(), name


def test_topics_and_requested_ticks_come_back(full_setup: ReplaySetup, tmp_path: Path) -> None:
    requested = ((0, 10**18 + 7), (1, 5))
    setup = ReplaySetup(full_setup.stack, full_setup.topics, full_setup.rig, requested, "k.yaml")
    values = values_of(write_graph_parameters(setup, tmp_path, use_sim_time=False))
    assert read_topics_file(Path(values["topics_file"])) == {
        "odometry": "/odometry", "cameras": {}, "camera_info": {},
    }  # fmt: skip
    assert json.loads(Path(values["requested_ticks_file"]).read_text()) == [list(tick) for tick in requested]
    assert values["profile"] == str(Path("k.yaml").resolve())
    assert values["parameter_file"] == ""


def test_without_a_calibration_none_is_written(make_odometry_bag: Callable[..., Path], tmp_path: Path) -> None:
    with open_bag(make_odometry_bag()) as reader:
        setup = set_up_replay(reader, profile_name="kinematic")
        assert setup.stack.calibration == RigCalibration()
        assert values_of(write_graph_parameters(setup, tmp_path, use_sim_time=False))["calibration_file"] == ""
    assert not (tmp_path / "calibration.yaml").exists()


def test_a_folder_that_cannot_be_written_is_a_sentence(full_setup: ReplaySetup, tmp_path: Path) -> None:
    with pytest.raises(BagWriteError, match=r"topics.yaml cannot be written: No such file or directory"):
        write_graph_parameters(full_setup, tmp_path / "absent", use_sim_time=False)


def test_the_topic_of_navigation_commands_is_written_where_there_is_one(
    full_setup: ReplaySetup, tmp_path: Path
) -> None:
    setup = replace(full_setup, topics=replace(full_setup.topics, navigation="/route"))
    folders = (tmp_path / "with", tmp_path / "without")
    for folder in folders:
        folder.mkdir()
    values = values_of(write_graph_parameters(setup, folders[0], use_sim_time=False))
    assert read_topics_file(Path(values["topics_file"]))["navigation"] == "/route"
    values = values_of(write_graph_parameters(full_setup, folders[1], use_sim_time=False))
    assert "navigation" not in read_topics_file(Path(values["topics_file"]))
