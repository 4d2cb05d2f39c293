"""Profiles: what a model takes in and gives out, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import ProfileError, expected_one_of
from alpamayo_ros.params.documents import packaged, parse_yaml, read_text, validate_document

MAX_IMAGE_BYTES = 1_000_000_000
"""Largest picture tensor of one tick."""


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """One camera that a profile needs.

    Attributes:
        id: Camera id.
        horizontal_fov_deg: Field of view that the model was trained with, None if any will do.
        yaw_deg: Direction of the optical axis in the rig frame, left positive, None if any will do.
    """

    id: str
    horizontal_fov_deg: float | None = None
    yaw_deg: float | None = None


@dataclass(frozen=True, slots=True)
class StageSpec:
    """What runs one stage.

    Attributes:
        program: Name of the program that the backend has, or of the file in the model folder that it loads.
        options: Numbers that the program or the method takes.
        method: How it is used: ``direct`` runs it once, ``token_decoder`` token by token, ``flow_matching`` in steps.
    """

    program: str
    options: Mapping[str, float] = field(default_factory=dict)
    method: str = "direct"


@dataclass(frozen=True, slots=True)
class StageOption:
    """One number that a method of a stage takes.

    Attributes:
        default: Value where the profile gives none.
        minimum: Smallest value.
        maximum: Largest value.
        whole: Whether it is a whole number.
    """

    default: float
    minimum: float
    maximum: float
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """Inputs, outputs and stages of one model.

    Attributes:
        name: Name of the profile.
        description: One sentence for people.
        learned: Whether any part of it was trained.
        model: Model folder: the name of a packaged one, or a path from the profile file on if there is a ``/`` in it;
            empty for a model without files.
        model_folder: Where that folder is.
        trigger: Id of the input that gives t0: ``odometry`` or a camera id.
        cameras: Cameras in the model's order; empty for a model without pictures.
        frames_per_camera: Frames on the grid t0 - i * period, oldest first.
        image_height: Rows in px that each picture is resized to.
        image_width: Columns in px.
        period_ms: Tick and grid period.
        history_length: Rows of ego history, the last at t0.
        point_count: Points of one trajectory.
        dt_ms: Time between points.
        sample_count: Sampled trajectories per tick.
        backend: Backend id that the profile is meant for.
        stages: By stage name: ``perceive`` (optional), ``reason``, ``plan``.
        navigation: Whether the model takes a navigation command.
        selection: Which sample is the plan: ``first_sample``, or ``medoid``: the one nearest to the others.
        prompt_family: Language of prompt and answer, ``none`` without text of a model.
        session_threads: Pinned threads of one inference session.
        device: ``cpu`` or ``cuda``, for backends that can run on both.
        outside_tensorrt: Largest share of a file's nodes that ``ort_tensorrt`` may run elsewhere.
        base_seed: Seed that each inference's seed is derived from.
        declared_latency_ms: Bag time of a replayed output is t0 plus this.
        document: The document as it was read, for its digest.
    """

    name: str
    description: str
    learned: bool
    trigger: str
    stages: Mapping[str, StageSpec]
    model: str = ""
    model_folder: Path | None = None
    cameras: tuple[CameraSpec, ...] = ()
    frames_per_camera: int = 0
    image_height: int = 0
    image_width: int = 0
    period_ms: int = 100
    history_length: int = 16
    point_count: int = 64
    dt_ms: int = 100
    sample_count: int = 1
    backend: str = "reference"
    navigation: bool = False
    selection: str = "first_sample"
    prompt_family: str = "none"
    session_threads: int = 1
    device: str = "cpu"
    outside_tensorrt: float = 0.0
    base_seed: int = 0
    declared_latency_ms: int = 50
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Ids of every input that a tick waits for: odometry, then the cameras in order."""
        return ("odometry", *(camera.id for camera in self.cameras))


def stage_options(profile: Profile, stage: str, allowed: Mapping[str, StageOption]) -> dict[str, float]:
    """Return the options of a stage, with defaults for those that the profile does not give.

    Raises:
        ProfileError: An option is not known, not a whole number, or out of range.
    """
    given = profile.stages[stage].options
    what = f"profile {profile.name}: stages/{stage}/options"
    if given and not allowed:
        raise ProfileError(f"{what} has {', '.join(sorted(given))}; expected none: this stage takes no options")
    for name, value in given.items():
        option = allowed.get(name)
        if option is None:
            raise ProfileError(expected_one_of(f"{what}: option", name, list(allowed)))
        if option.whole and value != int(value):
            raise ProfileError(f"{what}: {name} is {value}; expected a whole number")
        if not option.minimum <= value <= option.maximum:
            raise ProfileError(
                f"{what}: {name} is {value}, out of range; expected from {option.minimum:g} to {option.maximum:g}"
            )
    return {name: given.get(name, option.default) for name, option in allowed.items()}


def profile_names() -> list[str]:
    """Return the names of the packaged profiles."""
    return sorted(
        entry.name[: -len(".yaml")]
        for entry in packaged("config", "profiles").iterdir()
        if entry.name.endswith(".yaml")
    )


def load_profile(name: str) -> Profile:
    """Load a packaged profile by name, or a profile file by path (anything that ends in ``.yaml``).

    Raises:
        ProfileError: It is not known, or not well formed.
    """
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        return parse_profile(read_text(path, "profile", ProfileError), f"profile {name}", path.parent)
    if name not in profile_names():
        raise ProfileError(expected_one_of("profile", name, profile_names()) + ", or the path of a .yaml file")
    return parse_profile(packaged("config", "profiles", f"{name}.yaml").read_text(encoding="utf-8"), f"profile {name}")


def parse_profile(text: str, what: str, folder: Path = Path()) -> Profile:
    """Build a profile from its YAML text.

    Args:
        text: The document.
        what: For error texts.
        folder: Where its file lies: what a path of a model folder starts from.

    Raises:
        ProfileError: It is not well formed, or contradicts itself.
    """
    document = parse_yaml(text, what, ProfileError)
    validate_document(document, "profile", what, ProfileError)
    values = dict(document)
    cameras = tuple(CameraSpec(**camera) for camera in values.pop("cameras", []))
    stages = {name: StageSpec(**spec) for name, spec in values.pop("stages").items()}
    profile = Profile(
        cameras=cameras,
        stages=stages,
        document=document,
        model_folder=_model_folder(values.get("model", ""), folder),
        **values,
    )
    _validate_consistency(profile, what)
    return profile


def _model_folder(model: str, folder: Path) -> Path | None:
    if not model:
        return None
    return folder / model if "/" in model else Path(str(packaged("config", "models", model)))


def _validate_consistency(profile: Profile, what: str) -> None:
    if len(set(profile.inputs)) != len(profile.inputs):
        raise ProfileError(f"{what} names an input twice: {', '.join(profile.inputs)}; expected different ids")
    if profile.trigger not in profile.inputs:
        raise ProfileError(expected_one_of(f"{what}: trigger", profile.trigger, profile.inputs))
    size = len(profile.cameras) * profile.frames_per_camera * profile.image_height * profile.image_width * 3
    if size > MAX_IMAGE_BYTES:
        raise ProfileError(f"{what} asks for {size} bytes of pictures per tick; expected at most {MAX_IMAGE_BYTES}")
    pictures = (profile.frames_per_camera, profile.image_height, profile.image_width)
    if profile.cameras and 0 in pictures:
        raise ProfileError(
            f"{what} has cameras but frames_per_camera, image_height, image_width are {pictures}; expected at least 1"
        )
