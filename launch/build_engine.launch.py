"""Build an engine and end: a step of a deployment, before the stack is started with the engine's profile.

It calls ``alpamayo engine build``; an engine that is there already is left as it is, and another one is refused.
"""

import sys

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch.events.process import ProcessExited

ARGUMENTS = {
    "model": (None, "Profile whose model is built: a name, or path of a profile .yaml file."),
    "backend": (None, "Backend id that will run it."),
    "out": (None, "Folder to make: the engine, with a profile that runs it."),
    "precision": ("fp32", "fp32, fp16 or int8."),
    "arch": ("", "GPUs to build for by TensorRT for RTX, such as sm_86,sm_89; left out: the one that is there."),
    "calibrate_on": ("", "Bag whose inputs set the scales of int8."),
    "keep_float": ("", "With int8: what stays in float: programs, or PROGRAM:NODES with wildcards."),
}
"""Default and description of every argument; those without a default must be given."""

FLAGS = ()
"""No argument is true or false."""

OPTIONS = {
    "backend": "--backend",
    "out": "--out",
    "precision": "--precision",
    "arch": "--arch",
    "calibrate_on": "--calibrate-on",
    "keep_float": "--keep-float",
}
"""Option of the command that each argument sets; one that is empty is left out."""

COMMAND = "from alpamayo_ros.cli.main import main; main()"


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, and build."""
    return LaunchDescription([*map(_declared, ARGUMENTS), OpaqueFunction(function=_build)])


def _declared(name: str) -> DeclareLaunchArgument:
    default, description = ARGUMENTS[name]
    return DeclareLaunchArgument(name, default_value=default, description=description)


def _build(context: LaunchContext) -> list[Action]:
    given = context.launch_configurations
    options = [text for name, option in OPTIONS.items() if given[name] for text in (option, given[name])]
    return [
        ExecuteProcess(
            cmd=[sys.executable, "-c", COMMAND, "engine", "build", given["model"], *options],
            name="engine_build",
            output="screen",
            on_exit=_end,
        )
    ]


def _end(event: ProcessExited, context: LaunchContext) -> None:
    if event.returncode and not context.is_shutdown:
        raise RuntimeError(f"no engine was built: exit code {event.returncode}")
