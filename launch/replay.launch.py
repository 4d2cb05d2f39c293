"""Start the stack on the time of a bag, play the bag to it, and end with the bag.

Every argument of alpamayo.launch.py works here too. This is live playing: ticks may be skipped when the computer is
busy. Outputs that are compared with a baseline come from ``alpamayo replay run``, with ``--graph`` through the nodes.
"""

import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import Action, LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction, Shutdown, TimerAction
from launch.events.process import ProcessExited
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.logging import launch_config
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from alpamayo_ros.params.node_parameters import load_parameters
from alpamayo_ros.params.parameter import parse_parameters
from alpamayo_ros.params.replayer import ReplayerParams
from alpamayo_ros.replay.run import set_up_replay
from alpamayo_ros.ros.graph_setup import write_graph_parameters
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.structs.lineage import NONE

ARGUMENTS = {
    "bag": (None, "Bag folder, or bare .mcap or .db3 file."),
    "rate": ("1.0", "Bag seconds per second."),
    "start_offset": ("0.0", "Where to start, in seconds after the first message."),
    "loop": ("false", "Begin again at the end."),
    "exit_at_end": ("true", "Take everything down when the bag has ended; false: the replayer's services stay."),
}
"""Default and description of every argument that alpamayo.launch.py does not have; the bag must be given."""

FLAGS = ("loop", "exit_at_end")
"""Arguments that are true or false."""

PARENT_VARIABLE = "ALPAMAYO_PARENT_PID"
"""As in alpamayo.launch.py."""

LAST_TICKS_S = 1.0
"""Time for the stages to answer what they have when the bag ends."""


def generate_launch_description() -> LaunchDescription:
    """Read the bag, start the stack on its topics, then play."""
    stack = Path(get_package_share_directory("alpamayo_ros")) / "launch" / "alpamayo.launch.py"
    parameters: dict[str, object] = {}
    return LaunchDescription(
        [
            *map(_declared, ARGUMENTS),
            OpaqueFunction(function=_read_bag, args=[parameters]),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(stack)), launch_arguments={"use_sim_time": "true"}.items()
            ),
            OpaqueFunction(function=_play, args=[parameters]),
        ]
    )


def _declared(name: str) -> DeclareLaunchArgument:
    default, description = ARGUMENTS[name]
    choices = ["true", "false", "True", "False"] if name in FLAGS else None
    return DeclareLaunchArgument(name, default_value=default, description=description, choices=choices)


def _read_bag(context: LaunchContext, parameters: dict[str, object]) -> None:
    """Find topics and calibration as ``alpamayo replay run`` does, and give them to the stack as files.

    Everything that can be refused is refused here: what is refused after a process began leaves that process behind.

    Args:
        context: Its arguments ``topics`` and ``calibration`` are set to files that name what was found.
        parameters: Gets the parameters of the replayer.
    """
    given = context.launch_configurations
    if given.get("odometry"):
        raise RuntimeError("argument odometry has no use here: topics are found in the bag, or named by topics")
    bag = Path(given["bag"]).expanduser().absolute()
    parameters |= {
        "bag": str(bag),
        "rate": _number(given, "rate"),
        "start_offset_s": _number(given, "start_offset"),
        "clock": True,
        **{name: given[name].lower() == "true" for name in FLAGS},
    }
    parse_parameters(ReplayerParams, "replayer", parameters)
    files = ("topics", "calibration", "envelope", "params")
    paths = {name: Path(given[name]).expanduser() if given.get(name) else None for name in files}
    with open_bag(bag) as reader:
        setup = set_up_replay(
            reader,
            profile_name=given.get("profile") or load_parameters(paths["params"]).perception.profile,
            backend=given.get("backend", ""),
            topics_path=paths["topics"],
            calibration_path=paths["calibration"],
            parameters_path=paths["params"],
            envelope_path=paths["envelope"],
        )
    folder = Path(launch_config.log_dir)
    # The parameters of a replay in lockstep are not those of a live stack.
    write_graph_parameters(setup, folder, use_sim_time=True).unlink()
    given["topics"] = str(folder / "topics.yaml")
    if setup.stack.calibration.digest != NONE:
        given["calibration"] = str(folder / "calibration.yaml")
    cameras = [setup.topics.cameras[camera.id] for camera in setup.profile.cameras]
    navigation = [setup.topics.navigation] if setup.profile.navigation and setup.topics.navigation else []
    parameters["wait_for_subscribers"] = [setup.topics.odometry, *navigation, *cameras]
    parameters["bag"] = ParameterValue(str(bag), value_type=str)  # as YAML a name such as 1.5 would be a number


def _play(context: LaunchContext, parameters: dict[str, object]) -> list[Action]:
    given = context.launch_configurations
    return [
        Node(
            package="alpamayo_ros",
            executable="replayer",
            namespace=given["namespace"],
            parameters=[parameters],
            ros_arguments=["--log-level", given["log_level"]],
            output="screen",
            additional_env={} if given.get("launch-prefix") else {PARENT_VARIABLE: str(os.getpid())},
            on_exit=_end_with_the_bag,
        )
    ]


def _number(given: dict[str, str], name: str) -> float:
    try:
        return float(given[name])
    except ValueError as error:
        raise RuntimeError(f"argument {name} is {given[name]!r}; expected a number") from error


def _end_with_the_bag(event: ProcessExited, context: LaunchContext) -> list[Action] | None:
    if context.is_shutdown:
        return None
    if event.returncode:
        raise RuntimeError(f"{event.process_name} ended with exit code {event.returncode}; the stack is taken down")
    return [TimerAction(period=LAST_TICKS_S, actions=[Shutdown(reason="the bag has ended")])]
