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
        program: Name of the program or engine that the backend loads.
        options: Numbers that the program takes.
    """

    program: str
    options: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """Inputs, outputs and stages of one model.

    Attributes:
        name: Name of the profile.
        description: One sentence for people.
        learned: Whether any part of it was trained.
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
        stages: By stage name, in order.
        prompt_family: How the prompt is built, ``none`` without text input.
        session_threads: Pinned threads of one inference session.
        base_seed: Seed that each inference's seed is derived from.
        declared_latency_ms: Bag time of a replayed output is t0 plus this.
        document: The document as it was read, for its digest.
    """

    name: str
    description: str
    learned: bool
    trigger: str
    stages: Mapping[str, StageSpec]
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
    prompt_family: str = "none"
    session_threads: int = 1
    base_seed: int = 0
    declared_latency_ms: int = 50
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Ids of every input that a tick waits for: odometry, then the cameras in order."""
        return ("odometry", *(camera.id for camera in self.cameras))


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
        return parse_profile(read_text(Path(name), "profile", ProfileError), f"profile {name}")
    if name not in profile_names():
        raise ProfileError(expected_one_of("profile", name, profile_names()) + ", or the path of a .yaml file")
    return parse_profile(packaged("config", "profiles", f"{name}.yaml").read_text(encoding="utf-8"), f"profile {name}")


def parse_profile(text: str, what: str) -> Profile:
    """Build a profile from its YAML text.

    Raises:
        ProfileError: It is not well formed, or contradicts itself.
    """
    document = parse_yaml(text, what, ProfileError)
    validate_document(document, "profile", what, ProfileError)
    values = dict(document)
    cameras = tuple(CameraSpec(**camera) for camera in values.pop("cameras", []))
    stages = {name: StageSpec(**spec) for name, spec in values.pop("stages").items()}
    profile = Profile(cameras=cameras, stages=stages, document=document, **values)
    _validate_consistency(profile, what)
    return profile


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
