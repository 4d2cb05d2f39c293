"""Compile a drawn network with netconvert, once in a process."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from alpamayo_ros.errors import ArtifactError
from alpamayo_ros.world.maps.plain import PlainNetwork
from alpamayo_ros.world.road_map import RoadMap, parse_road_map
from alpamayo_ros.world.sumo import network_compiler

OPTIONS = {
    # Places stay where they were drawn.
    "offset.disable-normalization": "true",
    "no-turnarounds": "true",
    "junctions.internal-link-detail": "20",
    "junctions.corner-detail": "20",
    "junctions.limit-turn-speed": "-1",
    "precision": "3",
    "no-warnings": "true",
}
TIMEOUT_S = 60.0

_HEADER = re.compile(rb"<!-- generated on .*?-->\s*", re.DOTALL)
"""netconvert's comment with the time and the paths of its input."""


@dataclass(frozen=True, slots=True)
class CompiledNetwork:
    """A network that traffic can run on.

    Attributes:
        text: Content of the network file, without what differs between two runs.
        road_map: The same for people, renderers and drivers.
    """

    text: bytes
    road_map: RoadMap


def compile_network(name: str, network: PlainNetwork) -> CompiledNetwork:
    """Compile a network.

    Args:
        name: Of the map.
        network: As it was drawn.

    Raises:
        ConfigurationError: SUMO is not installed.
        ArtifactError: netconvert refused the network.
    """
    program = network_compiler()
    with tempfile.TemporaryDirectory(prefix="alpamayo_map_") as folder:
        command = [str(program)]
        for option, content in network.files().items():
            file = Path(folder) / f"{option}.xml"
            file.write_bytes(content)
            command += [f"--{option}", str(file)]
        out = Path(folder) / "out.net.xml"
        command += ["--output-file", str(out)]
        for option, value in OPTIONS.items():
            command += [f"--{option}", value]
        # Without sidewalks netconvert would draw places to walk across the road.
        command += ["--walkingareas", str(any(edge.sidewalk_m for edge in network.edges)).lower()]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise ArtifactError(
                f"netconvert on map {name!r} took more than {TIMEOUT_S} s; expected a second"
            ) from error
        if done.returncode or not out.exists():
            raise ArtifactError(f"netconvert refused map {name!r}: {done.stderr.strip() or done.returncode}")
        text = _HEADER.sub(b"", out.read_bytes(), count=1)
    return CompiledNetwork(text, parse_road_map(name, text))
