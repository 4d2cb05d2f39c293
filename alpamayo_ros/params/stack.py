"""Parameters that every node of a stack has: what runs, and whether it starts by itself."""

from dataclasses import dataclass

from alpamayo_ros.params.parameter import parameter


@dataclass(frozen=True, slots=True)
class StackParams:
    """Which files name what runs. Their content is part of the lineage, their paths are not."""

    autostart: bool = parameter(
        default=True,
        description="Configure and activate without being told to; false leaves that to a lifecycle manager.",
        behavioural=False,
    )
    profile: str = parameter("kinematic", "Profile name, or path of a profile .yaml file.", behavioural=False)
    backend: str = parameter("", "Backend id in place of the profile's own, empty for that.", behavioural=False)
    calibration_file: str = parameter("", "Calibration document of the rig, empty for none.", behavioural=False)
    envelope_file: str = parameter("", "Envelope document, empty for none.", behavioural=False)
    parameter_file: str = parameter(
        "",
        "ROS 2 parameter file with the behavioural parameters of every node, empty for the defaults. Each node reads "
        "all of it, because the lineage names the parameters of them all.",
        behavioural=False,
    )


@dataclass(frozen=True, slots=True)
class ModelParams(StackParams):
    """How a node runs its part of the model."""

    worker: bool = parameter(
        default=False,
        description="Run the model in a process of its own, so that a crash of its driver does not take the node down.",
        behavioural=False,
    )
    worker_answer_ms: int = parameter(
        5000,
        "With worker: longest time of one inference; a process that takes longer is killed and started again.",
        unit="ms",
        minimum=10,
        maximum=600000,
        behavioural=False,
    )
