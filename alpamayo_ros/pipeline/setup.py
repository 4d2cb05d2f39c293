"""Load and verify what a stack runs, and name it: the same function in process and in every node."""

from dataclasses import dataclass, replace

from alpamayo_ros.envelope.document import Envelope
from alpamayo_ros.lineage.manifest import build_lineage
from alpamayo_ros.lineage.runtime import provenance, runtime_details
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.profile import Profile, load_profile
from alpamayo_ros.structs.camera import RigCalibration
from alpamayo_ros.structs.lineage import Lineage


@dataclass(frozen=True, slots=True)
class StackSetup:
    """What a stack runs.

    Attributes:
        profile: With the backend that was chosen.
        parameters: Of every node.
        calibration: What the outputs can depend on.
        envelope: The operating envelope.
        lineage: Names all of it.
    """

    profile: Profile
    parameters: NodeParameters
    calibration: RigCalibration
    envelope: Envelope
    lineage: Lineage


def choose_profile(name: str, backend: str = "") -> Profile:
    """Load a profile by name or path, with another backend than its own where one is named.

    Raises:
        ProfileError: It is not known, or not well formed.
    """
    profile = load_profile(name)
    return replace(profile, backend=backend) if backend else profile


def set_up_stack(
    profile: Profile, parameters: NodeParameters, calibration: RigCalibration, envelope: Envelope
) -> StackSetup:
    """Name the components of a stack by their digests.

    The lineage id depends on nothing else, so that every process of a graph, and a replay without a graph, computes
    the same one.
    """
    lineage = build_lineage(
        profile=profile,
        parameters=parameters.behavioural(),
        runtime=runtime_details(),
        provenance=provenance(),
        calibration=(calibration.digest, calibration.source),
        envelope_id=envelope.envelope_id,
    )
    return StackSetup(profile, parameters, calibration, envelope, lineage)
