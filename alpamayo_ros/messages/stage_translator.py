"""Translate what stages hand to each other: observations, plan contexts, input counts."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.messages.translator import Translator, stamp_ns
from alpamayo_ros.structs.camera_health import CameraHealth, SightFinding
from alpamayo_ros.structs.detection import DetectedActor
from alpamayo_ros.structs.input_counts import InputCounts
from alpamayo_ros.structs.navigation import Navigation
from alpamayo_ros.structs.observation import EgoHistory, FrameReference, Observation
from alpamayo_ros.structs.plan import PlanContext

IMAGES = "images"
"""Name of the tensor of pictures."""

TENSOR_TYPES = ("bool", "uint8", "int32", "int64", "float16", "float32", "float64")
"""Every type that a tensor between two stages may have."""

_SHOWN_AXES = 8
"""A longer shape is cut in error texts."""


class StageTranslator(Translator):
    """Translates structs between stages to messages of one family of classes."""

    def __init__(
        self,
        factory: Callable[[str], Any],
        numeric: Callable[[NDArray[Any]], Any] = lambda values: values,
    ) -> None:
        """Bind the family of classes; see ``Translator``."""
        super().__init__(factory, numeric)
        self._tensor_message = factory("alpamayo_ros/msg/Tensor")
        self._frame_reference = factory("alpamayo_ros/msg/FrameReference")
        self._ego_history = factory("alpamayo_ros/msg/EgoHistory")
        self._observation = factory("alpamayo_ros/msg/SceneObservation")
        self._camera_health = factory("alpamayo_ros/msg/CameraHealth")
        self._detected_actor = factory("alpamayo_ros/msg/DetectedActor")
        self._plan_context = factory("alpamayo_ros/msg/PlanContext")
        self._input_counts = factory("alpamayo_ros/msg/InputCounts")

    def observation(self, observation: Observation) -> Any:
        """Return the SceneObservation message of a struct, without ids."""
        images = {} if observation.images is None else {IMAGES: observation.images}
        tensors = {**images, **observation.tensors}
        return self._observation(
            header=self.header(observation.t0_ns),
            epoch=observation.epoch,
            history=self._history(observation.history),
            frames=[
                self._frame_reference(
                    camera=frame.camera,
                    stamp=self.time(frame.stamp_ns),
                    payload_sha256=frame.payload_sha256,
                    width=frame.width,
                    height=frame.height,
                )
                for frame in observation.frames
            ],
            worst_skew_ns=observation.worst_skew_ns,
            navigation=int(observation.navigation),
            tensors=self._tensors(tensors),
            camera_health=[self._health(health) for health in observation.camera_health],
            actors=[self._actor(actor) for actor in observation.actors],
            lineage_id="",
            envelope_id="",
        )

    def plan_context(self, context: PlanContext) -> Any:
        """Return the PlanContext message of a struct, without ids."""
        return self._plan_context(
            header=self.header(context.t0_ns),
            epoch=context.epoch,
            history=self._history(context.history),
            tensors=self._tensors(context.tensors),
            lineage_id="",
            envelope_id="",
        )

    def input_counts(self, counts: InputCounts) -> Any:
        """Return the InputCounts message of a struct."""
        return self._input_counts(
            epoch=counts.epoch,
            inputs=list(counts.inputs),
            received=self._numeric(np.asarray(counts.received, dtype=np.uint64)),
            dropped=self._numeric(np.asarray(counts.dropped, dtype=np.uint64)),
            newest_stamp_ns=self._numeric(np.asarray(counts.newest_stamp_ns, dtype=np.int64)),
            last_closed_ns=counts.last_closed_ns,
        )

    def _health(self, health: CameraHealth) -> Any:
        numbers = {
            name: self._numeric(np.array([getattr(finding, name) for finding in health.findings], dtype=np.float32))
            for name in ("score", "warn_limit", "error_limit")
        }
        names = [finding.name for finding in health.findings]
        return self._camera_health(camera=health.camera, state=int(health.state), finding=names, **numbers)

    def _actor(self, actor: DetectedActor) -> Any:
        left, top, width, height = actor.box_px
        return self._detected_actor(
            id=actor.id,
            label=actor.label,
            score=actor.score,
            camera=actor.camera,
            box_x=left,
            box_y=top,
            box_width=width,
            box_height=height,
        )

    def _history(self, history: EgoHistory) -> Any:
        return self._ego_history(
            offset_ns=self._numeric(history.offsets_ns),
            position_m=self._numeric(history.position_m.reshape(-1)),
            rotation=self._numeric(history.rotation.reshape(-1)),
            odom_from_rig_position_m=history.odom_from_rig_position_m,
            odom_from_rig_quaternion=history.odom_from_rig_quaternion,
        )

    def _tensors(self, tensors: Mapping[str, NDArray[Any]]) -> list[Any]:
        return [self._tensor(name, tensor) for name, tensor in tensors.items()]

    def _tensor(self, name: str, tensor: NDArray[Any]) -> Any:
        if tensor.dtype.name not in TENSOR_TYPES:
            raise ValueError(f"tensor {name!r} is {tensor.dtype}; expected one of: {', '.join(TENSOR_TYPES)}")
        little = np.ascontiguousarray(tensor, dtype=tensor.dtype.newbyteorder("<"))
        return self._tensor_message(
            name=name,
            dtype=tensor.dtype.name,
            shape=self._numeric(np.asarray(tensor.shape, dtype=np.uint32)),
            data=self._numeric(little.reshape(-1).view(np.uint8)),
        )


def observation_struct(message: Any) -> Observation:
    """Return the struct of a SceneObservation message; ValueError if its arrays do not fit each other."""
    tensors = _tensor_structs(message.tensors)
    images = tensors.pop(IMAGES, None)
    return Observation(
        t0_ns=stamp_ns(message.header.stamp),
        epoch=int(message.epoch),
        history=_history_struct(message.history),
        frames=tuple(
            FrameReference(
                frame.camera, stamp_ns(frame.stamp), frame.payload_sha256, int(frame.width), int(frame.height)
            )
            for frame in message.frames
        ),
        images=images,
        worst_skew_ns=int(message.worst_skew_ns),
        navigation=Navigation(message.navigation),
        tensors=tensors,
        camera_health=tuple(_health_struct(health) for health in message.camera_health),
        actors=tuple(_actor_struct(actor) for actor in message.actors),
    )


def plan_context_struct(message: Any) -> PlanContext:
    """Return the struct of a PlanContext message; ValueError if its arrays do not fit each other."""
    return PlanContext(
        t0_ns=stamp_ns(message.header.stamp),
        epoch=int(message.epoch),
        history=_history_struct(message.history),
        tensors=_tensor_structs(message.tensors),
    )


def input_counts_struct(message: Any) -> InputCounts:
    """Return the struct of an InputCounts message."""
    return InputCounts(
        epoch=int(message.epoch),
        inputs=tuple(message.inputs),
        received=tuple(map(int, message.received)),
        dropped=tuple(map(int, message.dropped)),
        newest_stamp_ns=tuple(map(int, message.newest_stamp_ns)),
        last_closed_ns=int(message.last_closed_ns),
    )


def _health_struct(message: Any) -> CameraHealth:
    columns = (message.finding, message.score, message.warn_limit, message.error_limit)
    if len({len(column) for column in columns}) != 1:
        raise ValueError(
            f"health of camera {message.camera!r} has {', '.join(str(len(column)) for column in columns)} names, "
            "scores and limits; expected as many of each"
        )
    findings = tuple(SightFinding(name, *map(float, numbers)) for name, *numbers in zip(*columns, strict=True))
    return CameraHealth(message.camera, findings)


def _actor_struct(message: Any) -> DetectedActor:
    box_px = (message.box_x, message.box_y, message.box_width, message.box_height)
    return DetectedActor(message.label, float(message.score), message.camera, box_px, message.id)


def _history_struct(message: Any) -> EgoHistory:
    offsets_ns = _frozen(np.asarray(message.offset_ns, dtype=np.int64))
    rows = len(offsets_ns)
    position_m, rotation = np.asarray(message.position_m, np.float64), np.asarray(message.rotation, np.float64)
    if not rows or position_m.size != 3 * rows or rotation.size != 9 * rows:
        raise ValueError(
            f"ego history has {rows} times, {position_m.size} numbers of positions and {rotation.size} of rotations; "
            "expected at least one time, and 3 and 9 numbers for each"
        )
    return EgoHistory(
        offsets_ns=offsets_ns,
        position_m=_frozen(position_m.reshape(rows, 3)),
        rotation=_frozen(rotation.reshape(rows, 3, 3)),
        odom_from_rig_position_m=_frozen(np.asarray(message.odom_from_rig_position_m, dtype=np.float64)),
        odom_from_rig_quaternion=_frozen(np.asarray(message.odom_from_rig_quaternion, dtype=np.float64)),
    )


def _tensor_structs(messages: Any) -> dict[str, NDArray[Any]]:
    tensors: dict[str, NDArray[Any]] = {}
    for message in messages:
        if message.name in tensors:
            raise ValueError(f"tensor {message.name!r} is given twice; expected different names")
        tensors[message.name] = _tensor_struct(message)
    return tensors


def _tensor_struct(message: Any) -> NDArray[Any]:
    if message.dtype not in TENSOR_TYPES:
        raise ValueError(f"tensor {message.name!r} is {message.dtype!r}; expected one of: {', '.join(TENSOR_TYPES)}")
    data = bytes(message.data)
    if message.dtype == "bool" and data.strip(b"\x00\x01"):
        raise ValueError(f"tensor {message.name!r} holds a truth value that is neither 0 nor 1; expected 0 or 1")
    try:
        numbers = np.frombuffer(data, dtype=np.dtype(message.dtype).newbyteorder("<"))
        return numbers.reshape(tuple(map(int, message.shape)))
    except ValueError as error:
        shape = ", ".join(map(str, message.shape[:_SHOWN_AXES]))
        more = ", ..." if len(message.shape) > _SHOWN_AXES else ""
        raise ValueError(
            f"tensor {message.name!r} has {len(data)} bytes of {message.dtype} and the shape [{shape}{more}]; "
            "expected as many numbers as the shape says"
        ) from error


def _frozen(values: NDArray[Any]) -> NDArray[Any]:
    values.flags.writeable = False
    return values
