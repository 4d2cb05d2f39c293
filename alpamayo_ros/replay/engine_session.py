"""Build an engine of a profile's model, and a profile that runs it."""

import io
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from alpamayo_ros.errors import ConfigurationError, OutputError
from alpamayo_ros.inference.engine_build import build_engine
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.pipeline.setup import choose_profile, profile_model
from alpamayo_ros.replay.calibration_set import collect_calibration
from alpamayo_ros.replay.run import Progress
from alpamayo_ros.storage.filesystem import LOCAL_FILE_SYSTEM, write_atomically

PROFILE_FILE = "profile.yaml"


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """What the user asked for.

    Attributes:
        profile: Profile name, or path of a profile file.
        backend: Backend id that will run the engine.
        precision: ``fp32``, ``fp16`` or ``int8``.
        out: Folder to make.
        bag: Bag to calibrate on, for ``int8``.
        topics: Topics file for it.
        calibration: Calibration file of its cameras.
        architectures: GPUs such as ``sm_86``, for TensorRT for RTX.
        keep_float: What ``int8`` leaves in float: programs, or ``PROGRAM:NODES`` with wildcards.
    """

    profile: str
    backend: str
    precision: str
    out: Path
    bag: Path | None = None
    topics: Path | None = None
    calibration: Path | None = None
    architectures: tuple[str, ...] = ()
    keep_float: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BuiltEngine:
    """An engine with the profile that runs it.

    Attributes:
        engine: Its folder.
        profile: The profile file in it.
        now: Whether it was built now; it may have been there already.
    """

    engine: ModelFolder
    profile: Path
    now: bool


def build_for_profile(request: EngineRequest, progress: Progress | None = None) -> BuiltEngine:
    """Build the engine.

    Args:
        request: What to build.
        progress: Called while the bag is read.

    Raises:
        ConfigurationError: The profile has no model with files, or a bag is given without need or needed and not given.
        AlpamayoError: Of the class that fits what else is wrong.
    """
    profile = choose_profile(request.profile)
    model = profile_model(profile)
    if model is None:
        raise ConfigurationError(f"profile {profile.name} has no model with files; expected one that an engine is of")
    if (request.precision == "int8") != (request.bag is not None):
        needed = "int8 needs a bag to calibrate on" if request.bag is None else "only int8 is calibrated on a bag"
        raise ConfigurationError(
            f"precision {request.precision}: {needed}; expected --calibrate-on BAG with int8 alone"
        )
    calibration = (
        {}
        if request.bag is None
        else collect_calibration(
            request.profile, request.bag, topics=request.topics, calibration=request.calibration, progress=progress
        )
    )
    programs = [stage.program for stage in profile.stages.values()]
    engine, now = build_engine(
        model,
        programs,
        request.out,
        backend=request.backend,
        precision=request.precision,
        calibration=calibration,
        architectures=request.architectures,
        keep_float=request.keep_float,
    )
    document = {
        **profile.document,
        "name": f"{profile.name}_{request.precision}",
        "description": f"{profile.description} In {request.precision}.",
        "model": "./",
        "backend": request.backend,
    }
    path = request.out / PROFILE_FILE
    text = io.StringIO()
    YAML().dump(document, text)
    try:
        write_atomically(LOCAL_FILE_SYSTEM, path, text.getvalue().encode())
    except OSError as error:
        raise OutputError(f"profile {path} cannot be written: {error.strerror}; expected room for it") from error
    return BuiltEngine(engine, path, now)
