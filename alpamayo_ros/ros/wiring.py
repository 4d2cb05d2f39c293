"""How nodes find each other: defaults that the command line and launch files may override.

rcl takes the first rule that fits, so the defaults stand behind whatever the user gave.
"""

from collections.abc import Sequence

from alpamayo_ros.messages.topics import INPUT_TOPICS, NAMESPACE, OUTPUT_TOPICS, output_topic


def with_default_wiring(arguments: Sequence[str]) -> list[str]:
    """Return command-line arguments with the default namespace and remaps behind them.

    ``~/output/tick`` of every node becomes ``output/tick`` in the namespace of the nodes, and ``~/input/observation``
    the output that it is fed from, so that nodes started one by one are connected.
    """
    rules = [f"__ns:={NAMESPACE}"]
    rules += [f"{row.name}:={row.name.removeprefix('~/')}" for row in OUTPUT_TOPICS]
    rules += [f"{row.name}:={output_topic(row.source).name.removeprefix('~/')}" for row in INPUT_TOPICS if row.source]
    remaps = [word for rule in rules for word in ("-r", rule)]
    return [*arguments, "--ros-args", *remaps]
