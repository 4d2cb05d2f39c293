"""Translate what stages hand to each other: observations, plan contexts, input counts."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.messages.translator import Translator, stamp_ns
from alpamayo_ros.structs.input_counts import InputCounts
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
        self._plan_context = factory("alpamayo_ros/msg/PlanContext")
        self._input_counts = factory("alpamayo_ros/msg/InputCounts")

    def observation(self, observation: Observation) -> Any:
        """Return the SceneObservation message of a struct, without ids."""
        images = {} if observation.images is None else {IMAGES: observation.images}
        return self._observation(
            header=self.header(observation.t0_ns),
            epoch=observation.epoch,
            history=self._history(observation.history),
            frames=[
                self._frame_reference(
                    camera=frame.camera, stamp=self.time(frame.stamp_ns), payload_sha256=frame.payload_sha256
                )
                for frame in observation.frames
            ],
            worst_skew_ns=observation.worst_skew_ns,
            tensors=self._tensors(images),
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
    return Observation(
        t0_ns=stamp_ns(message.header.stamp),
        epoch=int(message.epoch),
        history=_history_struct(message.history),
        frames=tuple(
            FrameReference(frame.camera, stamp_ns(frame.stamp), frame.payload_sha256) for frame in message.frames
        ),
        images=_tensor_structs(message.tensors).get(IMAGES),
        worst_skew_ns=int(message.worst_skew_ns),
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
