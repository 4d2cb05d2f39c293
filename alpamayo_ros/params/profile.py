"""Profiles: what a model takes in and gives out, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
        source_text: The document as it was read, for its digest.
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

    @property
    def inputs(self) -> tuple[str, ...]:
        """Ids of every input that a tick waits for: odometry, then the cameras in order."""
        return ("odometry", *(camera.id for camera in self.cameras))
