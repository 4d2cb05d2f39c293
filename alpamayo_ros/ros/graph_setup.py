"""Write down for the nodes of a graph what a replay has loaded, so that each of them loads the same."""

import json
from pathlib import Path
from typing import Any

from alpamayo_ros.perception.calibration import dump_calibration
from alpamayo_ros.replay.run import ReplaySetup
from alpamayo_ros.replay.session import write_text
from alpamayo_ros.structs.lineage import NONE

PARAMETERS_FILE = "graph.param.yaml"


def write_graph_parameters(setup: ReplaySetup, folder: Path, *, use_sim_time: bool) -> Path:
    """Write calibration, topics and requested ticks of a replay, and the ROS parameter file that names them.

    Every node gets the same file. It says that nothing starts by itself, that no tick is skipped, and that nobody
    gives up waiting: then no outcome depends on a clock.

    Args:
        setup: What is replayed.
        folder: Where to write.
        use_sim_time: Whether the nodes follow /clock.

    Raises:
        BagWriteError: The disk is full or refused a write.
        OutputError: The calibration cannot be written.
    """
    values: dict[str, Any] = {
        "use_sim_time": use_sim_time,
        "autostart": False,
        "profile": _path_or_name(setup.profile_name),
        "backend": setup.profile.backend,
        "skip_when_busy": False,
        "answer_timeout_ms": 0,
        "topics_file": _written(folder / "topics.yaml", _topics_document(setup)),
        # Given even where they are empty: a replay takes no files from the parameter file.
        "parameter_file": "",
        "envelope_file": "",
        "calibration_file": "",
        "requested_ticks_file": "",
    }
    for name, path in (("parameter_file", setup.parameters_path), ("envelope_file", setup.envelope_path)):
        if path is not None:
            values[name] = str(path.resolve())
    if setup.stack.calibration.digest != NONE:
        calibration = folder / "calibration.yaml"
        dump_calibration(setup.stack.calibration, calibration)
        values["calibration_file"] = str(calibration)
    if setup.requested is not None:
        values["requested_ticks_file"] = _written(folder / "ticks.json", [list(tick) for tick in setup.requested])
    # JSON is YAML, and quotes what a YAML 1.1 reader would take for a number or a truth value.
    path = folder / PARAMETERS_FILE
    _written(path, {"/**": {"ros__parameters": values}})
    return path


def _topics_document(setup: ReplaySetup) -> dict[str, Any]:
    cameras = [camera.id for camera in setup.profile.cameras]
    topics = setup.topics
    navigation = {"navigation": topics.navigation} if topics.navigation else {}
    return {
        "odometry": topics.odometry,
        **navigation,
        "cameras": {camera: topics.cameras[camera] for camera in cameras},
        "camera_info": {camera: topics.camera_info[camera] for camera in cameras if camera in topics.camera_info},
    }


def _path_or_name(name: str) -> str:
    return str(Path(name).resolve()) if name.endswith((".yaml", ".yml")) else name


def _written(path: Path, document: Any) -> str:
    write_text(path, json.dumps(document))
    return str(path)
