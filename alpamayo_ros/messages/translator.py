"""The one translator between messages and structs, for bag classes and generated classes alike."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.structs.camera import CameraFrame, CameraIntrinsics
from alpamayo_ros.structs.lineage import Lineage, LineageComponent
from alpamayo_ros.structs.navigation import Navigation, NavigationCommand
from alpamayo_ros.structs.pose import OdometrySample, Pose
from alpamayo_ros.structs.rationale import (
    CausalFactor,
    ConfidenceKind,
    LaneAction,
    LateralAction,
    LongitudinalAction,
    Rationale,
)
from alpamayo_ros.structs.tick import TickOutcome, TickStatus
from alpamayo_ros.structs.trajectory import TRAJECTORY_FIELDS, TrajectorySet

RIG_FRAME = "base_link"
_NS = 1_000_000_000


def stamp_ns(stamp: Any) -> int:
    """Return a builtin_interfaces/Time as integer ns."""
    return int(stamp.sec) * _NS + int(stamp.nanosec)


class Translator:
    """Translate structs to messages of one family of classes, and messages of any family to structs."""

    def __init__(
        self,
        factory: Callable[[str], Any],
        numeric: Callable[[NDArray[Any]], Any] = lambda values: values,
    ) -> None:
        """Bind the family of classes.

        Args:
            factory: Type name, such as ``std_msgs/msg/Header``, to class; classes take fields as keywords.
            numeric: Turns a flat NumPy array into what the classes take for a numeric sequence: the array itself
                for bag classes, an ``array.array`` for generated ones (an ndarray is copied item by item there).
        """
        self._time = factory("builtin_interfaces/msg/Time")
        self._header = factory("std_msgs/msg/Header")
        self._lineage = factory("alpamayo_ros/msg/Lineage")
        self._component = factory("alpamayo_ros/msg/LineageComponent")
        self._tick = factory("alpamayo_ros/msg/TickStatus")
        self._rationale = factory("alpamayo_ros/msg/Rationale")
        self._factor = factory("alpamayo_ros/msg/CausalFactor")
        self._trajectory_set = factory("alpamayo_ros/msg/TrajectorySet")
        self._navigation = factory("alpamayo_ros/msg/NavigationCommand")
        self._numeric = numeric

    def time(self, ns: int) -> Any:
        """Return ns as a builtin_interfaces/Time message."""
        seconds, nanoseconds = divmod(ns, _NS)
        return self._time(sec=seconds, nanosec=nanoseconds)

    def header(self, ns: int, frame_id: str = RIG_FRAME) -> Any:
        """Return a std_msgs/Header message."""
        return self._header(stamp=self.time(ns), frame_id=frame_id)

    def tick(self, status: TickStatus) -> Any:
        """Return the TickStatus message of a struct."""
        return self._tick(
            header=self.header(status.t0_ns),
            epoch=status.epoch,
            trigger=status.trigger,
            outcome=int(status.outcome),
            outcome_text=status.text,
            error_code=status.error_code,
            lineage_id=status.lineage_id,
            envelope_id=status.envelope_id,
        )

    def rationale(self, rationale: Rationale) -> Any:
        """Return the Rationale message of a struct."""
        return self._rationale(
            header=self.header(rationale.t0_ns),
            text=rationale.text,
            longitudinal=int(rationale.longitudinal),
            lateral=int(rationale.lateral),
            lane=int(rationale.lane),
            causal_factors=[self._causal_factor(factor) for factor in rationale.causal_factors],
            truncated=rationale.truncated,
            stop_token_missing=rationale.stop_token_missing,
            confidence_kind=int(rationale.confidence_kind),
            confidence=rationale.confidence,
            lineage_id=rationale.lineage_id,
            envelope_id=rationale.envelope_id,
        )

    def _causal_factor(self, factor: CausalFactor) -> Any:
        left, top, width, height = factor.box_px
        return self._factor(
            label=factor.label,
            actor_id=factor.actor_id,
            camera=factor.camera,
            box_x=left,
            box_y=top,
            box_width=width,
            box_height=height,
        )

    def trajectory_set(self, trajectories: TrajectorySet) -> Any:
        """Return the TrajectorySet message of a struct."""
        arrays = {name: self._numeric(getattr(trajectories, name).reshape(-1)) for name in TRAJECTORY_FIELDS}
        return self._trajectory_set(
            header=self.header(trajectories.t0_ns),
            sample_count=trajectories.sample_count,
            point_count=trajectories.point_count,
            dt_s=trajectories.dt_s,
            selected_index=trajectories.selected_index,
            selection_rule=trajectories.selection_rule,
            lineage_id=trajectories.lineage_id,
            envelope_id=trajectories.envelope_id,
            **arrays,
        )

    def navigation(self, command: NavigationCommand) -> Any:
        """Return the NavigationCommand message of a struct."""
        return self._navigation(header=self.header(command.stamp_ns), navigation=int(command.navigation))

    def lineage(self, lineage: Lineage, ns: int) -> Any:
        """Return the Lineage message of a struct, valid from ``ns`` on."""
        return self._lineage(
            stamp=self.time(ns),
            lineage_id=lineage.lineage_id,
            envelope_id=lineage.envelope_id,
            components=[
                self._component(kind=item.kind, digest=item.digest, name=item.name) for item in lineage.components
            ],
            manifest=lineage.manifest,
        )


def tick_struct(message: Any) -> TickStatus:
    """Return the struct of a TickStatus message; ValueError if its outcome is not known."""
    return TickStatus(
        t0_ns=stamp_ns(message.header.stamp),
        epoch=int(message.epoch),
        trigger=message.trigger,
        outcome=TickOutcome(message.outcome),
        text=message.outcome_text,
        error_code=int(message.error_code),
        lineage_id=message.lineage_id,
        envelope_id=message.envelope_id,
    )


def rationale_struct(message: Any) -> Rationale:
    """Return the struct of a Rationale message; ValueError if a constant is not known."""
    return Rationale(
        t0_ns=stamp_ns(message.header.stamp),
        text=message.text,
        longitudinal=LongitudinalAction(message.longitudinal),
        lateral=LateralAction(message.lateral),
        lane=LaneAction(message.lane),
        causal_factors=tuple(
            CausalFactor(
                item.label, item.actor_id, item.camera, (item.box_x, item.box_y, item.box_width, item.box_height)
            )
            for item in message.causal_factors
        ),
        truncated=bool(message.truncated),
        stop_token_missing=bool(message.stop_token_missing),
        confidence_kind=ConfidenceKind(message.confidence_kind),
        confidence=float(message.confidence),
        lineage_id=message.lineage_id,
        envelope_id=message.envelope_id,
    )


def trajectory_set_struct(message: Any) -> TrajectorySet:
    """Return the struct of a TrajectorySet message; ValueError if its arrays do not have K * N entries."""
    shape = (int(message.sample_count), int(message.point_count))
    arrays = {name: np.asarray(getattr(message, name), dtype=np.float32).reshape(shape) for name in TRAJECTORY_FIELDS}
    return TrajectorySet(
        t0_ns=stamp_ns(message.header.stamp),
        dt_s=float(message.dt_s),
        selected_index=int(message.selected_index),
        selection_rule=message.selection_rule,
        lineage_id=message.lineage_id,
        envelope_id=message.envelope_id,
        **arrays,
    )


def lineage_components(message: Any) -> tuple[LineageComponent, ...]:
    """Return the components of a Lineage message."""
    return tuple(LineageComponent(item.kind, item.digest, item.name) for item in message.components)


def odometry_struct(message: Any) -> OdometrySample:
    """Return the pose of a nav_msgs/Odometry message; its frames are the caller's concern."""
    pose = message.pose.pose
    p, q, stamp = pose.position, pose.orientation, message.header.stamp
    return OdometrySample(stamp.sec * _NS + stamp.nanosec, p.x, p.y, p.z, q.x, q.y, q.z, q.w)


def navigation_struct(message: Any) -> NavigationCommand:
    """Return the struct of a NavigationCommand message; ValueError if its constant is not known."""
    return NavigationCommand(stamp_ns(message.header.stamp), Navigation(message.navigation))


def compressed_frame(message: Any, camera: str) -> CameraFrame:
    """Return the frame of a sensor_msgs/CompressedImage message, not decoded."""
    return CameraFrame(camera, stamp_ns(message.header.stamp), message.format, bytes(message.data))


def raw_frame(message: Any, camera: str) -> CameraFrame:
    """Return the frame of a sensor_msgs/Image message, not decoded."""
    return CameraFrame(
        camera,
        stamp_ns(message.header.stamp),
        message.encoding,
        bytes(message.data),
        height=int(message.height),
        width=int(message.width),
        step=int(message.step),
        big_endian=bool(message.is_bigendian),
    )


def camera_intrinsics(message: Any) -> CameraIntrinsics:
    """Return the intrinsics of a sensor_msgs/CameraInfo message."""
    k = tuple(float(value) for value in message.k)
    return CameraIntrinsics(
        width=int(message.width),
        height=int(message.height),
        k=k,  # type: ignore[arg-type]  # the message holds exactly nine
        distortion_model=message.distortion_model,
        d=tuple(float(value) for value in message.d),
    )


def static_transforms(message: Any) -> list[tuple[str, str, Pose]]:
    """Return (parent frame, child frame, pose of the child in the parent) of a tf2_msgs/TFMessage."""
    found = []
    for item in message.transforms:
        t, q = item.transform.translation, item.transform.rotation
        found.append((item.header.frame_id, item.child_frame_id, Pose((t.x, t.y, t.z), (q.x, q.y, q.z, q.w))))
    return found
