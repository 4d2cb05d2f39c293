"""Load and verify what a stack runs, and name it: the same function in process and in every node."""

from dataclasses import dataclass, replace

from alpamayo_ros.envelope.document import Envelope
from alpamayo_ros.inference.model_folder import ModelFolder, open_model_folder
from alpamayo_ros.inference.registry import DETECTOR_BACKEND, executed_file, library_versions
from alpamayo_ros.lineage.canonical import document_id
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
        model: The model folder as the lineage names it, None without one; who loads from it gets these files or an
            error, whatever lies in the folder by then.
    """

    profile: Profile
    parameters: NodeParameters
    calibration: RigCalibration
    envelope: Envelope
    lineage: Lineage
    model: ModelFolder | None = None


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
    """Verify the model's files, and name the components of a stack by their digests.

    The lineage id depends on nothing else, so that every process of a graph, and a replay without a graph, computes
    the same one.

    Raises:
        ArtifactError: A file of the model is missing, or not the one that the model names.
        BackendUnavailableError: The backend's library is absent.
    """
    model = profile_model(profile)
    if model is not None:
        model.verify()
    detector = parameters.perception.detector_sha256
    libraries = library_versions(profile.backend) | (library_versions(DETECTOR_BACKEND) if detector else {})
    lineage = build_lineage(
        profile=profile,
        parameters=parameters.behavioural(),
        runtime=runtime_details() | libraries,
        provenance=provenance(),
        calibration=(calibration.digest, calibration.source),
        envelope_id=envelope.envelope_id,
        artifacts=_artifacts(profile, model, detector),
        model=None if model is None else model.document,
    )
    return StackSetup(profile, parameters, calibration, envelope, lineage, model)


def profile_model(profile: Profile) -> ModelFolder | None:
    """Return the model folder of a profile, None if it has none.

    Raises:
        ArtifactError: It is not there or not well formed.
    """
    return None if profile.model_folder is None else open_model_folder(profile.model_folder)


def _artifacts(profile: Profile, model: ModelFolder | None, detector: str) -> dict[str, tuple[str, str]]:
    """Return digest and name of the model, of the files that are executed, the detector's too, and of its data."""
    engines = {"detector": detector} if detector else {}
    artifacts = {}
    if model is not None:
        executed = {executed_file(profile.backend, stage.program) for stage in profile.stages.values()}
        engines |= {name: model.files[name] for name in executed & set(model.files)}
        name = f"{model.name} {model.version}"
        artifacts = {"model": (model.digest, name), "dataset": (model.dataset, f"training data of {name}")}
    if engines:
        artifacts["engine"] = (document_id(engines), ", ".join(sorted(engines)))
    return artifacts
