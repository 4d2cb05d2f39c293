"""Standard messages that show outputs in RViz and Foxglove, for bag classes and generated classes alike.

Building them takes hundreds of small objects a tick, so a node builds them only while somebody subscribes.
"""

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.geometry import rotation
from alpamayo_ros.messages.translator import Translator
from alpamayo_ros.structs.rationale import LANE_WORDS, LATERAL_WORDS, LONGITUDINAL_WORDS, Rationale
from alpamayo_ros.structs.trajectory import TrajectorySet

LIFETIME_S = 0.5
"""A view older than this vanishes: five periods of the 10 Hz tick."""

STANDING_SPEED_MPS = 0.1
"""Slower than this a planned point counts as standing."""

TEXT_COLUMNS = 44
TEXT_LINES = 7
"""Most columns and lines of reasoning text; a longer one ends with an ellipsis."""

_READ_LIMIT = 4 * TEXT_COLUMNS * TEXT_LINES
"""Characters of a text that are looked at: enough to fill the lines, however long the text."""

_FARTHEST_M = 1e6
"""Viewers compute in float32 and fail on points that are much farther away than this."""

_FULL_COLOUR_SPEED_MPS = 20.0
_SHADES = 32
_SLOW_TO_FAST = ((0.95, 0.35, 0.15), (0.98, 0.85, 0.30), (0.20, 0.75, 1.00))
_REVERSING = (0.90, 0.35, 0.85)
_NO_SPEED = (0.60, 0.60, 0.60)
_FAINT = (0.85, 0.88, 0.95, 0.35)
_STOP = (1.0, 0.15, 0.10, 0.9)
_TEXT = (1.0, 1.0, 1.0, 1.0)

_SELECTED_WIDTH_M, _SELECTED_LIFT_M = 0.35, 0.10
_SAMPLE_WIDTH_M, _SAMPLE_LIFT_M = 0.12, 0.05
_STOP_SIZE_M, _STOP_TEXT_LIFT_M, _STOP_LETTER_M = 0.8, 1.5, 1.2
_LETTER_M, _LINE_M = 0.7, 0.85
_TEXT_BEHIND_M, _TEXT_ABOVE_M = -4.0, 2.5

_Triple = tuple[float, float, float]
_Rgba = tuple[float, float, float, float]


class Views:
    """Views of outputs as messages of one family of classes.

    Markers keep their namespace and id from one array to the next, so a new array replaces the old one; ids that a
    former array used and this one does not are deleted in it. One object serves one topic of each kind.
    """

    def __init__(self, factory: Callable[[str], Any], lifetime_s: float = LIFETIME_S) -> None:
        """Bind the family of classes.

        Args:
            factory: Type name, such as ``nav_msgs/msg/Path``, to class; classes take fields as keywords.
            lifetime_s: Seconds after which a viewer removes a marker that was not renewed; 0 means never.

        Raises:
            ValueError: The lifetime is negative.
        """
        if not lifetime_s >= 0.0:
            raise ValueError(f"lifetime_s {lifetime_s} is not usable; expected 0 s or more")
        self._to_message = Translator(factory)
        self._path = factory("nav_msgs/msg/Path")
        self._pose_stamped = factory("geometry_msgs/msg/PoseStamped")
        self._pose = factory("geometry_msgs/msg/Pose")
        self._point = factory("geometry_msgs/msg/Point")
        self._vector = factory("geometry_msgs/msg/Vector3")
        self._quaternion = factory("geometry_msgs/msg/Quaternion")
        self._colour = factory("std_msgs/msg/ColorRGBA")
        self._array = factory("visualization_msgs/msg/MarkerArray")
        self._marker = factory("visualization_msgs/msg/Marker")
        self._unused = self._unused_fields(factory)
        seconds, nanoseconds = divmod(round(lifetime_s * 1e9), 1_000_000_000)
        self._lifetime = factory("builtin_interfaces/msg/Duration")(sec=seconds, nanosec=nanoseconds)
        self._level = self._quaternion(x=0.0, y=0.0, z=0.0, w=1.0)
        # Shared by the points of a line: a colour object for each would double the cost.
        self._shades = [self._colour(r=r, g=g, b=b, a=1.0) for r, g, b in _shades()]
        self._samples_shown = 0

    def path(self, trajectories: TrajectorySet) -> Any:
        """Return the nav_msgs/Path of the selected sample, in the rig frame at t0.

        Pose k is stamped t0 + (k + 1) * dt. The path ends before the first point that is not finite or farther
        than 1000 km, because viewers and planners refuse a message with such a number.
        """
        index = trajectories.selected_index
        yaw = trajectories.yaw[index]
        xyz = _xyz(trajectories, index)
        count = _usable_count(xyz, yaw)
        about_z = np.zeros((count, 3))
        about_z[:, 2] = yaw[:count]
        step_ns = round(trajectories.dt_s * 1e6) * 1000  # the float32 is off by less than a microsecond
        stamp_ns = trajectories.t0_ns
        poses = []
        for position, orientation in zip(xyz[:count].tolist(), rotation.exp(about_z).tolist(), strict=True):
            stamp_ns += step_ns
            poses.append(self._pose_stamped(header=self._header(stamp_ns), pose=self._posed(position, orientation)))
        return self._path(header=self._header(trajectories.t0_ns), poses=poses)

    def markers(self, trajectories: TrajectorySet) -> Any:
        """Return the visualization_msgs/MarkerArray of all samples, in the rig frame at t0.

        Namespaces: ``selected`` is a ribbon, coloured by speed from 0 (red) to 20 m/s (blue), magenta where it
        reverses; ``samples`` are the others, thin and faint; ``stop`` marks where the selected one comes to stand.
        A line ends before its first point that is not finite or farther than 1000 km. Lines lie a few centimetres
        above the points, clear of a viewer's ground grid.
        """
        header, chosen = self._header(trajectories.t0_ns), trajectories.selected_index
        others = [index for index in range(trajectories.sample_count) if index != chosen]
        self._samples_shown = max(self._samples_shown, len(others))
        markers = []
        for number in range(self._samples_shown):
            xyz = _drawable(_xyz(trajectories, others[number])) if number < len(others) else None
            markers.append(self._sample(header, number, xyz))
        markers.append(self._selected(header, trajectories))
        markers.extend(self._stop(header, trajectories))
        return self._array(markers=markers)

    def rationale_markers(self, rationale: Rationale) -> Any:
        """Return the visualization_msgs/MarkerArray with the meta-action and the text above the vehicle.

        Characters that cannot be shown are left out; more than TEXT_LINES lines end with an ellipsis.
        """
        header, text = self._header(rationale.t0_ns), _wording(rationale)
        if not text:
            return self._array(markers=[self._removal(header, "rationale", 0)])
        # Viewers centre a text on its position, so more lines need a higher one.
        height_m = _TEXT_ABOVE_M + 0.5 * _LINE_M * (text.count("\n") + 1)
        position = (_TEXT_BEHIND_M, 0.0, height_m)
        return self._array(markers=[self._label(header, "rationale", 0, text, position, _LETTER_M)])

    def _sample(self, header: Any, number: int, xyz: NDArray[np.float32] | None) -> Any:
        if xyz is None or len(xyz) < 2:
            return self._removal(header, "samples", number)
        line, scale = self._marker.LINE_STRIP, (_SAMPLE_WIDTH_M, 0.0, 0.0)
        return self._shown(
            header, "samples", number, line, scale, _FAINT, (0.0, 0.0, _SAMPLE_LIFT_M), points=self._points(xyz)
        )

    def _selected(self, header: Any, trajectories: TrajectorySet) -> Any:
        xyz = _drawable(_xyz(trajectories, trajectories.selected_index))
        if len(xyz) < 2:
            return self._removal(header, "selected", 0)
        speed = trajectories.speed[trajectories.selected_index, : len(xyz)]
        line, scale = self._marker.LINE_STRIP, (_SELECTED_WIDTH_M, 0.0, 0.0)
        return self._shown(
            header, "selected", 0, line, scale, (*_SLOW_TO_FAST[-1], 1.0), (0.0, 0.0, _SELECTED_LIFT_M),
            points=self._points(xyz), colors=[self._shades[shade] for shade in _shade_of(speed)],
        )  # fmt: skip

    def _stop(self, header: Any, trajectories: TrajectorySet) -> Iterator[Any]:
        """Yield the marks of the stop that is planned, or their removal."""
        xyz = _drawable(_xyz(trajectories, trajectories.selected_index))
        index = _stop_index(trajectories.speed[trajectories.selected_index, : len(xyz)])
        if index is None:
            yield self._removal(header, "stop", 0)
            yield self._removal(header, "stop", 1)
            return
        x, y, z = xyz[index].tolist()
        size = (_STOP_SIZE_M, _STOP_SIZE_M, _STOP_SIZE_M)
        yield self._shown(header, "stop", 0, self._marker.SPHERE, size, _STOP, (x, y, z))
        text = f"stop in {(index + 1) * trajectories.dt_s:.1f} s" if index else "stays stopped"
        yield self._label(header, "stop", 1, text, (x, y, z + _STOP_TEXT_LIFT_M), _STOP_LETTER_M)

    def _label(self, header: Any, namespace: str, number: int, text: str, position: _Triple, letter_m: float) -> Any:
        facing, scale = self._marker.TEXT_VIEW_FACING, (0.0, 0.0, letter_m)
        return self._shown(header, namespace, number, facing, scale, _TEXT, position, text=text)

    def _shown(
        self,
        header: Any,
        namespace: str,
        number: int,
        kind: int,
        scale: _Triple,
        colour: _Rgba,
        position: _Triple,
        *,
        points: list[Any] | None = None,
        colors: list[Any] | None = None,
        text: str = "",
        action: int = 0,
    ) -> Any:
        red, green, blue, opacity = colour
        return self._marker(
            header=header, ns=namespace, id=number, type=kind, action=action,
            pose=self._pose(position=self._placed(position), orientation=self._level),
            scale=self._vector(x=scale[0], y=scale[1], z=scale[2]),
            color=self._colour(r=red, g=green, b=blue, a=opacity),
            lifetime=self._lifetime, frame_locked=False, points=points or [], colors=colors or [], text=text,
            **self._unused,
        )  # fmt: skip

    def _removal(self, header: Any, namespace: str, number: int) -> Any:
        nothing = (0.0, 0.0, 0.0)
        action = self._marker.DELETE
        return self._shown(header, namespace, number, 0, nothing, (*nothing, 0.0), nothing, action=action)

    def _header(self, ns: int) -> Any:
        return self._to_message.header(ns)

    def _points(self, xyz: NDArray[np.float32]) -> list[Any]:
        point = self._point
        return [point(x=x, y=y, z=z) for x, y, z in xyz.tolist()]

    def _placed(self, position: _Triple) -> Any:
        return self._point(x=position[0], y=position[1], z=position[2])

    def _posed(self, position: list[float], orientation: list[float]) -> Any:
        x, y, z = position
        qx, qy, qz, qw = orientation
        return self._pose(position=self._point(x=x, y=y, z=z), orientation=self._quaternion(x=qx, y=qy, z=qz, w=qw))

    def _unused_fields(self, factory: Callable[[str], Any]) -> dict[str, Any]:
        """Fields of a marker that no view uses; generated classes have defaults for them, bag classes have not."""
        if not is_dataclass(self._marker):
            return {}
        nothing = np.zeros(0, dtype=np.uint8)
        return {
            "texture_resource": "",
            "texture": factory("sensor_msgs/msg/CompressedImage")(
                header=self._to_message.header(0, ""), format="", data=nothing
            ),
            "uv_coordinates": [],
            "mesh_resource": "",
            "mesh_file": factory("visualization_msgs/msg/MeshFile")(filename="", data=nothing),
            "mesh_use_embedded_materials": False,
        }


def _stop_index(speed_mps: NDArray[np.float32]) -> int | None:
    """Return the first point of a planned stop, (N,) speeds in m/s: where it comes to stand, 0 if it never moves off.

    None if it keeps moving, or only moves off.
    """
    standing = np.abs(speed_mps) < STANDING_SPEED_MPS
    if len(standing) and standing.all():
        return 0
    moves_off = int(np.argmin(standing)) if len(standing) else 0
    stops = np.flatnonzero(standing[moves_off:])
    return moves_off + int(stops[0]) if len(stops) else None


def _xyz(trajectories: TrajectorySet, index: int) -> NDArray[np.float32]:
    return np.column_stack([trajectories.x[index], trajectories.y[index], trajectories.z[index]])


def _usable_count(xyz: NDArray[np.float32], yaw: NDArray[np.float32]) -> int:
    """Points before the first one that cannot be shown; a comparison with NaN is false."""
    usable = (np.abs(xyz) <= _FARTHEST_M).all(axis=1) & np.isfinite(yaw)
    return len(usable) if usable.all() else int(np.argmin(usable))


def _drawable(xyz: NDArray[np.float32]) -> NDArray[np.float32]:
    return xyz[: _usable_count(xyz, xyz[:, 0])]


def _shades() -> list[_Triple]:
    """Colours from slow to fast, then of reversing, then of a speed that is not finite."""
    ramp = np.array(_SLOW_TO_FAST)
    at = np.linspace(0.0, len(ramp) - 1, _SHADES)
    channels = [np.interp(at, np.arange(len(ramp)), ramp[:, channel]).tolist() for channel in range(3)]
    return [*zip(*channels, strict=True), _REVERSING, _NO_SPEED]


def _shade_of(speed_mps: NDArray[np.float32]) -> list[int]:
    """Index in _shades() of each speed."""
    share = np.clip(speed_mps / _FULL_COLOUR_SPEED_MPS, 0.0, 1.0)
    shade = np.where(np.isfinite(speed_mps), share * (_SHADES - 1), _SHADES + 1)
    reversing = speed_mps <= -STANDING_SPEED_MPS
    shades: list[int] = np.where(reversing, _SHADES, shade).astype(np.int64).tolist()
    return shades


def _wording(rationale: Rationale) -> str:
    """Meta-action on the first line, then the text in lines of bounded length."""
    words = (
        LONGITUDINAL_WORDS.get(rationale.longitudinal),
        LATERAL_WORDS.get(rationale.lateral),
        LANE_WORDS.get(rationale.lane),
    )
    action = ", ".join(word for word in words if word)
    # What has no picture of its own, such as NUL, ends a string early or turns it round in some viewers.
    shown = "".join(letter if letter.isprintable() else " " for letter in rationale.text[:_READ_LIMIT])
    lines = textwrap.wrap(
        " ".join(shown.split()), TEXT_COLUMNS, max_lines=TEXT_LINES, placeholder=" \N{HORIZONTAL ELLIPSIS}"
    )
    is_cut = rationale.truncated or len(rationale.text) > _READ_LIMIT
    if is_cut and not (lines and lines[-1].endswith("\N{HORIZONTAL ELLIPSIS}")):
        lines.append("\N{HORIZONTAL ELLIPSIS}")
    return "\n".join([action.upper(), *lines] if action else lines)
