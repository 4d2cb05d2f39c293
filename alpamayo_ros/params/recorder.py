"""Parameters of the recorder: what is recorded, and where to."""

from dataclasses import dataclass

from alpamayo_ros.params.parameter import parameter
from alpamayo_ros.params.stack import StackParams


@dataclass(frozen=True, slots=True)
class RecorderParams(StackParams):
    """What is recorded, and where to; nothing of it changes an output."""

    output_folder: str = parameter(
        ".",
        "Folder in which each recording makes a bag of its own; made if it is missing, '~' stands for the home folder.",
        behavioural=False,
    )
    bag_prefix: str = parameter(
        "drive", "What the names of bags begin with; the time (UTC) follows.", behavioural=False
    )
    default_topics: bool = parameter(
        default=True,
        description="Record our outputs that the README's table marks as recorded, the inputs of the profile, /tf and "
        "/tf_static; false records only what the parameters below select.",
        behavioural=False,
    )
    topics: tuple[str, ...] = parameter((), "Topics to record besides; they may appear later.", behavioural=False)
    regex: str = parameter(
        "", "Also record every topic in whose name this regular expression is found; empty for none.", behavioural=False
    )
    all_topics: bool = parameter(default=False, description="Record every topic that is not hidden.", behavioural=False)
    exclude_regex: str = parameter(
        "",
        "Leave out every topic in whose name this regular expression is found, whatever else selects it; empty for "
        "none.",
        behavioural=False,
    )
    topics_file: str = parameter(
        "",
        "Topics file that names the inputs; empty for perception's own in parameter_file, or else for the names that "
        "perception takes, with this node's remaps of ~/input/odometry and ~/input/camera/<id>.",
        behavioural=False,
    )
    max_file_mb: int = parameter(
        0,
        "Size after which the bag goes on in a further file; 0 keeps one file.",
        unit="MB",
        minimum=0,
        maximum=1_000_000,
        behavioural=False,
    )
    compression: str = parameter(
        "zstd",
        "Compression of chunks; none takes the least processor time, for raw pictures above all.",
        choices=("zstd", "lz4", "none"),
        behavioural=False,
    )
    discovery_period_ms: int = parameter(
        250,
        "New topics, types and offers are looked for this often.",
        unit="ms",
        minimum=100,
        maximum=60_000,
        behavioural=False,
        live=True,
    )
    silence_after_ms: int = parameter(
        5000,
        "It is reported when nothing at all has arrived for this long.",
        unit="ms",
        minimum=100,
        maximum=600_000,
        behavioural=False,
        live=True,
    )
