"""Which topics perception takes, and how their messages become structs."""

import json
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.messages.topics import CAMERA_INFO_TYPE, COMPRESSED_TYPE, NAVIGATION_TYPE, ODOMETRY_TYPE, RAW_TYPE
from alpamayo_ros.messages.translator import compressed_frame, raw_frame
from alpamayo_ros.params.documents import read_text
from alpamayo_ros.pipeline.observer import NAVIGATION, ODOMETRY
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.replay.topic_map import read_topics_file
from alpamayo_ros.ros.inputs import InputSpec
from alpamayo_ros.structs.camera import CameraFrame


class InputTaker(Protocol):
    """Takes the messages of perception's inputs, each with its type."""

    def on_odometry(self, message: Any, type_name: str, /) -> None:
        """Take a pose."""

    def on_picture(self, camera: str, message: Any, type_name: str, /) -> None:
        """Take a picture."""

    def on_navigation(self, message: Any, type_name: str, /) -> None:
        """Take a navigation command."""

    def on_camera_info(self, camera: str, message: Any, type_name: str, /) -> None:
        """Take the intrinsics of a camera."""


def input_specs(node: InputTaker, stack: StackSetup) -> list[InputSpec]:
    """Return the inputs of a profile, odometry first, with the topics that the topics file names.

    An input that the file does not name is ``~/input/odometry``, ``~/input/navigation``, ``~/input/camera/<id>`` or
    ``~/input/camera/<id>/camera_info``.

    Raises:
        TopicError: The topics file cannot be read or is not valid.
    """
    path = stack.parameters.perception.topics_file
    given = read_topics_file(Path(path)) if path else {}
    cameras, infos = given.get("cameras", {}), given.get("camera_info", {})
    odometry = given.get("odometry", "~/input/odometry")
    specs = [InputSpec(ODOMETRY, odometry, (ODOMETRY_TYPE,), node.on_odometry)]
    if stack.profile.navigation:
        navigation = given.get("navigation", "~/input/navigation")
        holds_ns = stack.parameters.perception.navigation_max_age_ms * 1_000_000
        specs.append(
            InputSpec(NAVIGATION, navigation, (NAVIGATION_TYPE,), node.on_navigation, required=False, holds_ns=holds_ns)
        )
    for camera in (spec.id for spec in stack.profile.cameras):
        picture = cameras.get(camera, f"~/input/camera/{camera}")
        info = infos.get(camera, f"~/input/camera/{camera}/camera_info")
        specs.append(InputSpec(camera, picture, (COMPRESSED_TYPE, RAW_TYPE), partial(node.on_picture, camera)))
        specs.append(
            InputSpec(
                f"{camera}/camera_info", info, (CAMERA_INFO_TYPE,), partial(node.on_camera_info, camera), required=False
            )
        )
    return specs


def camera_frame(message: Any, camera: str, type_name: str) -> CameraFrame:
    """Return the frame of a picture message, not decoded."""
    return compressed_frame(message, camera) if type_name == COMPRESSED_TYPE else raw_frame(message, camera)


def requested_ticks(path: str) -> tuple[tuple[int, int], ...] | None:
    """Read the (epoch, t0 in ns) that a file asks for, None without a file.

    Raises:
        ParameterError: The file is not a JSON list of pairs of integers.
    """
    if not path:
        return None
    what = f"requested ticks {path}"
    try:
        document = json.loads(read_text(Path(path), "requested ticks", ParameterError))
        return tuple((_integer(epoch), _integer(t0_ns)) for epoch, t0_ns in _list(document))
    except (ValueError, TypeError, RecursionError) as error:
        raise ParameterError(f"{what} is not a JSON list of [epoch, t0 in ns]: {error}") from error


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"it is a {type(value).__name__}")
    return value


def _integer(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{value!r} is no integer")
    return value
