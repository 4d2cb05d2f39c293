"""Start the stack, in one process or in one per node, with the recorder beside it.

The nodes configure and activate themselves (parameter ``autostart``); docs/launch.md says what was run and seen.
"""

import os
from functools import partial
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import Action, LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, SetEnvironmentVariable
from launch.events.process import ProcessExited
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

PACKAGE = "alpamayo_ros"

ARGUMENTS = {
    "profile": ("", "Profile name, or path of a profile .yaml file; left out: what params says, else kinematic."),
    "backend": ("", "Backend id; left out: what params says, else the one that the profile names."),
    "topics": ("", "Topics file, which topic carries which input; left out: ~/input/odometry, ~/input/camera/<id>."),
    "odometry": ("", "Odometry topic, where that is all that a topics file would say."),
    "calibration": ("", "Calibration document of the rig; left out: none."),
    "envelope": ("", "Envelope document; left out: none."),
    "params": ("", "ROS 2 parameter file of all nodes; an argument that is given wins over it."),
    "namespace": ("alpamayo", "Namespace of the nodes; / for none."),
    "composed": ("true", "All nodes in one process, structs handed over in memory; false: one process per node."),
    "autostart": ("", "Whether the nodes configure and activate themselves; left out: what params says, else true."),
    "use_sim_time": ("false", "Whether the nodes follow /clock."),
    "record": ("false", "Record inputs and outputs."),
    "record_folder": ("", "Folder that gets the bag of each drive; left out: the recorder's default."),
    "large_data": ("false", "Send messages of megabytes through shared memory (Fast DDS only); see docs/launch.md."),
    "log_level": ("info", "debug, info, warn, error, fatal, or <logger>:=<level>."),
    "rviz": ("false", "Start RViz with config/rviz/alpamayo.rviz, which shows the namespace alpamayo."),
}
"""Default and description of every argument."""

FLAGS = ("composed", "autostart", "use_sim_time", "record", "large_data", "rviz")
"""Arguments that are true or false; one whose default is empty may be empty too."""

TEXTS = {
    "profile": "profile",
    "backend": "backend",
    "topics": "topics_file",
    "calibration": "calibration_file",
    "envelope": "envelope_file",
    "params": "parameter_file",
    "record_folder": "output_folder",
}
"""Parameter that each text argument sets; one that is left out leaves its parameter alone."""

FILES = ("topics", "calibration", "envelope", "params")
"""Arguments that must name a file."""

NODES = ("lineage", "planner", "reasoning", "perception")
"""Executables of the separate form, downstream first, so that a first tick finds who answers it."""

PARENT_VARIABLE = "ALPAMAYO_PARENT_PID"
"""Lets the nodes end when this process is gone: at SIGTERM launch ends itself and leaves its processes running."""

SIGTERM_S, SIGKILL_S = "20", "60"
"""After a first SIGINT; a node may have to wait for the stage that runs, and the recorder for its disk."""


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; everything else depends on them."""
    return LaunchDescription([*map(_declared, ARGUMENTS), OpaqueFunction(function=_start)])


def _declared(name: str) -> DeclareLaunchArgument:
    default, description = ARGUMENTS[name]
    choices = list(dict.fromkeys(["true", "false", "True", "False", default])) if name in FLAGS else None
    return DeclareLaunchArgument(name, default_value=default, description=description, choices=choices)


def _start(context: LaunchContext) -> list[Action]:
    given = {name: context.launch_configurations[name] for name in ARGUMENTS}
    flags = {name: given[name].lower() == "true" for name in FLAGS}
    _refuse_contradictions(given)
    for name in FILES:
        given[name] = _existing_file(name, given[name])
    if given["profile"].endswith((".yaml", ".yml")):
        given["profile"] = _existing_file("profile", given["profile"])
    actions: list[Action] = [_large_data()] if flags["large_data"] else []
    parameters: list[object] = [given["params"]] if given["params"] else []
    parameters.append(_parameters(given, flags))
    remappings = [("~/input/odometry", given["odometry"])] if given["odometry"] else []
    start = partial(
        Node,
        package=PACKAGE,
        namespace=given["namespace"],
        parameters=parameters,
        remappings=remappings,
        ros_arguments=["--log-level", given["log_level"]],
        output="screen",
        additional_env=_environment(context),
        sigterm_timeout=SIGTERM_S,
        sigkill_timeout=SIGKILL_S,
    )
    if flags["composed"]:
        arguments = ["--record"] if flags["record"] else []
        actions.append(start(executable="stack", arguments=arguments, on_exit=_end_with_it))
    else:
        if flags["record"]:  # first, so that it hears the first tick
            actions.append(start(executable="recorder", on_exit=_go_on_without))
        actions += [start(executable=node, on_exit=_end_with_it) for node in NODES]
    if flags["rviz"]:
        actions.append(_rviz(flags["use_sim_time"]))
    return actions


def _environment(context: LaunchContext) -> dict[str, str]:
    """Name this process to the nodes, unless a prefix such as a debugger stands between them."""
    return {} if context.launch_configurations.get("launch-prefix") else {PARENT_VARIABLE: str(os.getpid())}


def _parameters(given: dict[str, str], flags: dict[str, bool]) -> dict[str, object]:
    # Without a type launch reads a text as YAML, and a profile named 1.5 would be a number.
    values: dict[str, object] = {
        parameter: ParameterValue(given[name], value_type=str) for name, parameter in TEXTS.items() if given[name]
    }
    if given["autostart"]:
        values["autostart"] = flags["autostart"]
    values["use_sim_time"] = flags["use_sim_time"]
    return values


def _refuse_contradictions(given: dict[str, str]) -> None:
    if not given["namespace"]:
        raise RuntimeError("argument namespace is empty; expected a name such as alpamayo, or / for none")
    if given["odometry"] and given["topics"]:
        raise RuntimeError(
            f"arguments odometry ({given['odometry']}) and topics ({given['topics']}) are both given; expected one of "
            "them: name the odometry topic in the topics file"
        )
    if given["record_folder"] and given["record"].lower() != "true":
        raise RuntimeError(f"argument record_folder is {given['record_folder']}, but record is false; add record:=true")


def _existing_file(name: str, path: str) -> str:
    """Return the path made absolute; launch itself would only warn of a parameter file that is not there."""
    if not path:
        return ""
    absolute = Path(path).expanduser().absolute()
    if not absolute.is_file():
        problem = "is a folder" if absolute.is_dir() else "does not exist"
        raise RuntimeError(f"argument {name}: {absolute} {problem}; expected a file")
    return str(absolute)


def _large_data() -> Action:
    variable = "FASTDDS_DEFAULT_PROFILES_FILE"
    middleware = os.environ.get("RMW_IMPLEMENTATION", "")
    if middleware and "fastrtps" not in middleware:
        raise RuntimeError(f"argument large_data is for Fast DDS, but RMW_IMPLEMENTATION is {middleware}; leave it out")
    profiles = str(_share(PACKAGE) / "config" / "fastdds" / "large_data.xml")
    if os.environ.get(variable, profiles) != profiles:
        raise RuntimeError(
            f"argument large_data would set {variable}, which is {os.environ[variable]} already; unset it, or put the "
            f"transports of {profiles} into it and leave large_data out"
        )
    return SetEnvironmentVariable(variable, profiles)


def _rviz(use_sim_time: bool) -> Action:
    try:
        _share("rviz2")
    except PackageNotFoundError as error:
        raise RuntimeError("argument rviz is true, but the package rviz2 is not installed; leave rviz out") from error
    view = _share(PACKAGE) / "config" / "rviz" / "alpamayo.rviz"
    parameters = [{"use_sim_time": use_sim_time}]
    return Node(package="rviz2", executable="rviz2", arguments=["-d", str(view)], parameters=parameters, output="log")


def _share(package: str) -> Path:
    return Path(get_package_share_directory(package))


def _end_with_it(event: ProcessExited, context: LaunchContext) -> None:
    """Take everything down, with exit code 1, when a stage ends by itself: half a stack must not look like a whole."""
    if not context.is_shutdown:
        raise RuntimeError(f"{event.process_name} ended with exit code {event.returncode}; the others are taken down")


def _go_on_without(event: ProcessExited, context: LaunchContext) -> list[Action] | None:
    if context.is_shutdown:
        return None
    return [LogInfo(msg=f"{event.process_name} ended with exit code {event.returncode}; NOTHING IS RECORDED any more")]
