"""Shards: files of training samples, pictures as JPEG bytes, everything else as arrays."""

import hashlib
import io
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ArtifactError
from alpamayo_ros.inference.networks.anatomy import CAMERAS, FRAMES, HISTORY_ROWS, POINTS
from alpamayo_ros.reasoning.driving_language import MAX_TOKENS

PICTURES = len(CAMERAS) * FRAMES
"""Pictures of one sample, camera-major, oldest first."""

BOX_CLASSES = ("vehicle", "braking", "pedestrian", "obstacle", "red", "amber", "green", "cause")
"""What the dense heads learn to see; one thing may have several. ``cause`` marks the box that the answer cites."""
BOX_COLUMNS = 7
"""camera, class, left, top, right, bottom in px, distance in m."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Samples of one or more episodes.

    Attributes:
        pictures: JPEG bytes of all pictures one after the other, uint8.
        picture_ends: Where each picture ends, int64 (S * PICTURES,).
        history: float32 (S, 16, 4): x, y, cos yaw, sin yaw in the rig frame at t0.
        navigation: int8 (S,), index into NAVIGATION.
        speed_mps: float32 (S,), at t0.
        actions: float32 (S, 64, 2): acceleration in m/s^2, curvature in 1/m.
        future: float32 (S, 64, 4): x, y, yaw, speed at t0 + 0.1 s and on, in the rig frame at t0.
        tokens: int16 (S, 40), the answer, padded with 0.
        label: int8 (S,), cause as index into LABELS, -1 for none.
        decisive: bool (S,), whether the decision is another one without the cause.
        meta: int8 (S, 3): longitudinal, lateral, lane.
        boxes: float32 (M, 7), see BOX_COLUMNS.
        box_ends: int64 (S,), where the boxes of each sample end.
        episode: int32 (S,), index into ``episodes``.
        step: int32 (S,), simulation step of t0.
        edited: bool (S,), whether something was taken out of the world.
        displaced: float32 (S, 2): metres to the left and radians that the rig was displaced by.
        episodes: Names of the episodes, Unicode (E,).
    """

    pictures: NDArray[np.uint8]
    picture_ends: NDArray[np.int64]
    history: NDArray[np.float32]
    navigation: NDArray[np.int8]
    speed_mps: NDArray[np.float32]
    actions: NDArray[np.float32]
    future: NDArray[np.float32]
    tokens: NDArray[np.int16]
    label: NDArray[np.int8]
    decisive: NDArray[np.bool_]
    meta: NDArray[np.int8]
    boxes: NDArray[np.float32]
    box_ends: NDArray[np.int64]
    episode: NDArray[np.int32]
    step: NDArray[np.int32]
    edited: NDArray[np.bool_]
    displaced: NDArray[np.float32]
    episodes: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.step)

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together.

        Raises:
            ArtifactError: A shape differs, or an index points outside.
        """
        count = len(self.step)
        expected: dict[str, tuple[int, ...]] = {
            "picture_ends": (count * PICTURES,),
            "history": (count, HISTORY_ROWS, 4),
            "navigation": (count,),
            "speed_mps": (count,),
            "actions": (count, POINTS, 2),
            "future": (count, POINTS, 4),
            "tokens": (count, MAX_TOKENS),
            "label": (count,),
            "decisive": (count,),
            "meta": (count, 3),
            "box_ends": (count,),
            "episode": (count,),
            "edited": (count,),
            "displaced": (count, 2),
            "boxes": (len(self.boxes), BOX_COLUMNS),
        }
        for name, shape in expected.items():
            found = getattr(self, name).shape
            if found != shape:
                raise ArtifactError(f"shard: {name} has the shape {found}; expected {shape}")
        if count and (self.picture_ends[-1] != len(self.pictures) or self.box_ends[-1] != len(self.boxes)):
            raise ArtifactError("shard: pictures or boxes end elsewhere than their index says; expected one whole file")
        if count and not np.isfinite(self.actions).all():
            raise ArtifactError("shard: actions hold a value that is no finite number; expected finite ones")

    def jpegs(self, sample: int) -> list[NDArray[np.uint8]]:
        """Return the JPEG bytes of one sample's pictures, camera-major, oldest first."""
        first = sample * PICTURES
        ends = self.picture_ends[first : first + PICTURES]
        begin = int(self.picture_ends[first - 1]) if first else 0
        begins = [begin, *(int(end) for end in ends[:-1])]
        return [self.pictures[start:end] for start, end in zip(begins, ends, strict=True)]

    def boxes_of(self, sample: int) -> NDArray[np.float32]:
        """Return the boxes (m, 7) of one sample."""
        begin = int(self.box_ends[sample - 1]) if sample else 0
        return self.boxes[begin : int(self.box_ends[sample])]


def write_shard(path: Path, shard: Shard) -> str:
    """Write a shard; return the hexadecimal sha256 of the file. The same samples give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, **{field.name: getattr(shard, field.name) for field in fields(Shard)})
    data = buffer.getvalue()
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.replace(path)
    return hashlib.sha256(data).hexdigest()


def read_shard(path: Path) -> Shard:
    """Read a shard.

    Raises:
        ArtifactError: It cannot be read, or is no shard.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            return Shard(**{field.name: arrays[field.name] for field in fields(Shard)})
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ArtifactError(f"shard {path} cannot be read: {error}; expected what the generator writes") from error


def join_shards(shards: list[Shard]) -> Shard:
    """Return one shard of all samples, in order.

    Raises:
        ArtifactError: There is none.
    """
    if not shards:
        raise ArtifactError("there is no shard; expected at least one")
    joined: dict[str, NDArray[np.generic]] = {}
    for field in fields(Shard):
        joined[field.name] = np.concatenate([getattr(shard, field.name) for shard in shards])
    for name, counted in (("picture_ends", "pictures"), ("box_ends", "boxes"), ("episode", "episodes")):
        parts, before = [], 0
        for shard in shards:
            parts.append(getattr(shard, name) + before)
            before += len(getattr(shard, counted))
        joined[name] = np.concatenate(parts).astype(getattr(shards[0], name).dtype)
    return Shard(**joined)  # type: ignore[arg-type]
