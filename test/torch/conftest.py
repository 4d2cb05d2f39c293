"""A toy world for tests of the training: one lamp, red or green, and a wall of another colour."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from alpamayo_ros.inference.networks.anatomy import CAMERAS, FRAMES, HEIGHT_PX, HISTORY_ROWS, POINTS, STEP_S, WIDTH_PX
from alpamayo_ros.reasoning.driving_language import LABELS, MAX_TOKENS, Answer, DrivingLanguage
from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction
from alpamayo_ros.training.motion_targets import actions_from_motion
from alpamayo_ros.training.shard import BOX_CLASSES, Shard

RED, GREEN = (40, 40, 230), (60, 200, 60)


def toy_shard(count: int, seed: int = 0) -> Shard:
    """Return samples: a red lamp means brake at 2 m/s^2 and say so; a green one means go on."""
    random = np.random.default_rng(seed)
    language = DrivingLanguage()
    rows = [_sample(random, language) for _ in range(count)]
    pictures = [jpeg for row in rows for jpeg in row["pictures"]]
    boxes = [row["boxes"] for row in rows]
    return Shard(
        pictures=np.concatenate(pictures),
        picture_ends=np.cumsum([len(jpeg) for jpeg in pictures]).astype(np.int64),
        boxes=np.concatenate(boxes).astype(np.float32),
        box_ends=np.cumsum([len(box) for box in boxes]).astype(np.int64),
        episode=np.arange(count, dtype=np.int32) // 10,
        step=np.arange(count, dtype=np.int32),
        edited=np.zeros(count, np.bool_),
        displaced=np.zeros((count, 2), np.float32),
        episodes=np.array([f"toy:{number}" for number in range((count + 9) // 10)]),
        **{
            name: np.stack([row[name] for row in rows])
            for name in (
                "history", "navigation", "speed_mps", "actions", "future", "tokens", "label", "decisive", "meta",
            )
        },
    )  # fmt: skip


@pytest.fixture
def make_toy_shard() -> Callable[..., Shard]:
    """Return what makes toy shards."""
    return toy_shard


def _sample(random: np.random.Generator, language: DrivingLanguage) -> dict:
    red = bool(random.random() < 0.5)
    speed = random.uniform(6.0, 12.0)
    left, top = random.integers(8, 120), random.integers(8, 60)
    box = (left, top, left + 16, top + 16)
    image = random.integers(90, 140, (HEIGHT_PX, WIDTH_PX, 3)).astype(np.uint8)
    shown = image.copy()
    cv2.rectangle(shown, (int(left), int(top)), (int(left) + 15, int(top) + 15), RED if red else GREEN, -1)
    encoded = [cv2.imencode(".jpg", each)[1].ravel() for each in (image, shown)]
    speeds = np.maximum(speed - (2.0 if red else 0.0) * STEP_S * np.arange(POINTS + 1), 0.0)
    actions = actions_from_motion(speeds, np.zeros(POINTS + 1))
    x = np.cumsum(0.5 * STEP_S * (speeds[1:] + speeds[:-1]))
    action = LongitudinalAction.DECELERATE if red else LongitudinalAction.KEEP_SPEED
    said = Answer(
        ("red", ",", "brake", ".") if red else ("clear", "."), "red_light" if red else "", 1 if red else None,
        (left // 4, top // 4, left // 4 + 4, top // 4 + 4) if red else None,
        action, LateralAction.STRAIGHT, LaneAction.KEEP,
    )  # fmt: skip
    ids = language.encode(said)
    history = np.zeros((HISTORY_ROWS, 4), np.float32)
    history[:, 0] = speed * STEP_S * np.arange(1 - HISTORY_ROWS, 1)
    history[:, 2] = 1.0
    kinds = [BOX_CLASSES.index("red"), BOX_CLASSES.index("cause")] if red else [BOX_CLASSES.index("green")]
    return {
        "pictures": [
            encoded[1] if camera == 1 else encoded[0] for camera in range(len(CAMERAS)) for _ in range(FRAMES)
        ],
        "boxes": np.array([(1, kind, *box, 20.0) for kind in kinds]),
        "history": history,
        "navigation": np.int8(0),
        "speed_mps": np.float32(speed),
        "actions": actions,
        "future": np.stack([x, 0 * x, 0 * x, speeds[1:]], axis=1).astype(np.float32),
        "tokens": np.array(ids + [0] * (MAX_TOKENS - len(ids)), np.int16),
        "label": np.int8(LABELS.index("red_light") if red else -1),
        "decisive": np.bool_(red),
        "meta": np.array([action, LateralAction.STRAIGHT, LaneAction.KEEP], np.int8),
    }
