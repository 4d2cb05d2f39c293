"""Which topics a recorder takes: names of the package, of the profile and of the user, as the graph knows them."""

from pathlib import Path

from rclpy.node import Node

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.messages.topics import OUTPUT_TOPICS
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.recording.selection import TopicSelection
from alpamayo_ros.replay.topic_map import read_topics_file
from alpamayo_ros.ros.qos import qos_profile, to_stored
from alpamayo_ros.storage.qos import QosProfile

LINEAGE_INPUT = "~/input/lineage"
TRANSFORMS = ("/tf", "/tf_static")
INPUTS_NODE = "perception"
"""Takes the vehicle's topics; their default names stand below its own."""


def recording_selection(node: Node, stack: StackSetup) -> TopicSelection:
    """Return what the parameters of a recorder select.

    Raises:
        ParameterError: A name or an expression is not well formed, or nothing is selected.
        TopicError: The topics file cannot be read or is not valid.
    """
    own = stack.parameters.recorder
    names = [resolved_name(node, name) for name in own.topics]
    if own.default_topics:
        names += [*recorded_outputs(node), *input_names(node, stack), *TRANSFORMS]
    return TopicSelection(
        tuple(dict.fromkeys(names)), regex=own.regex, exclude_regex=own.exclude_regex, everything=own.all_topics
    )


def recorded_outputs(node: Node) -> dict[str, tuple[str, QosProfile]]:
    """Return the outputs that are recorded by default: type and offer by full topic name."""
    return {
        resolved_name(node, row.name): (row.type_name, to_stored(qos_profile(row.qos)))
        for row in OUTPUT_TOPICS
        if row.recorded
    }


def input_names(node: Node, stack: StackSetup) -> list[str]:
    """Return the topics of the inputs of the profile.

    Those of the topics file, for the rest the names that perception takes if it is not remapped; where the recorder
    itself has a remap of ``~/input/...``, as in a process with perception, that one.

    Raises:
        TopicError: The topics file cannot be read or is not valid.
    """
    path = stack.parameters.recorder.topics_file or stack.parameters.perception.topics_file
    given = read_topics_file(Path(path)) if path else {}
    names = [given.get("odometry", "~/input/odometry")]
    if stack.profile.navigation:
        names.append(given.get("navigation", "~/input/navigation"))
    for camera in (spec.id for spec in stack.profile.cameras):
        names.append(given.get("cameras", {}).get(camera, f"~/input/camera/{camera}"))
        names.append(given.get("camera_info", {}).get(camera, f"~/input/camera/{camera}/camera_info"))
    return [_as_perception_names_it(node, resolved_name(node, name)) for name in names]


def resolved_name(node: Node, name: str) -> str:
    """Return the full name of a topic: in the node's namespace and after its remaps.

    Raises:
        ParameterError: It is no topic name.
    """
    try:
        return str(node.resolve_topic_name(name))
    except RuntimeError as error:
        raise ParameterError(
            f"topic {name[:200]!r} is no topic name: {error}; expected one such as '/odometry'"
        ) from error


def _as_perception_names_it(node: Node, name: str) -> str:
    own = node.get_fully_qualified_name() + "/"
    if not name.startswith(own):
        return name
    return resolved_name(node, f"{node.get_namespace().rstrip('/')}/{INPUTS_NODE}/{name.removeprefix(own)}")
