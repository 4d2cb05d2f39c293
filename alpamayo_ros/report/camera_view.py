"""Camera pictures with the predicted and the driven path drawn onto the ground in them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import CalibrationError
from alpamayo_ros.geometry.camera import project_ground_strip, project_points, resample_path
from alpamayo_ros.report.approved import leaves_approved
from alpamayo_ros.report.cause_box import BOX_RGB, draw_cause_box
from alpamayo_ros.report.picture_text import LegendEntry, Swatch, write_on_picture
from alpamayo_ros.report.words import seconds_after
from alpamayo_ros.structs.camera import CameraCalibration
from alpamayo_ros.structs.verdict import ReportPicture

VEHICLE_WIDTH_M = 1.9
"""Width of the drawn strip: a passenger car without mirrors."""

_WIDTH_PX = 960
_LARGEST_HEIGHT_PX = 720
_STANDING_M = 0.5
_FARTHEST_M = 1e7
_PREDICTED = "#00cda0"
_DRIVEN = "#ffbe00"
_APPROVED = "#ff5ad0"
_OUTLINE = "#1e1e1e"
_DASH_PX = 14.0
_GAP_PX = 9.0
_LONGEST_PX = 1e6
_END_DOT_PX = 6
_SUB_PIXEL_BITS = 4
"""OpenCV draws at 1/16 px when coordinates are scaled by 2^4."""


@dataclass(frozen=True, slots=True)
class CameraView:
    """A drawn camera picture.

    Attributes:
        jpeg: The picture as a JPEG file.
        width: px.
        height: px.
        note: Why the predicted path is not to be seen; empty if it is.
        driven: Whether the driven path is to be seen.
        approved: Whether the approved path is to be seen; it is drawn where it differs.
        causes: Labels of the cited causes whose boxes are to be seen.
    """

    jpeg: bytes
    width: int
    height: int
    note: str
    driven: bool
    approved: bool
    causes: tuple[str, ...] = ()


def draw_camera_view(picture: ReportPicture, start_ns: int, size_limit: int = 250_000) -> CameraView:
    """Draw the predicted path as a strip of the vehicle's width, the driven one as a line, the approved one dashed.

    Boxes of cited causes are drawn where they belong to this camera.

    Args:
        picture: Camera picture and path; a picture that is larger or smaller than its calibration is scaled with it.
        start_ns: Time that ticks are counted from.
        size_limit: Bytes to stay below by lowering the JPEG quality.
    """
    rgb = _shown(picture.bgr)
    height, width = rgb.shape[:2]
    try:
        strip, driven, approved = _projected(picture, width, height)
        note = "" if len(strip) else _why_nothing(picture.path.rig_xyz_m)
    except CalibrationError:
        strip, driven, approved = np.zeros((0, 4, 2)), [], []
        note = "This camera has no usable calibration, so no path can be drawn into its picture."
    _fill_strip(rgb, strip)
    _draw_line(rgb, driven)
    _draw_dashes(rgb, approved)
    causes = _draw_causes(rgb, picture)
    legend = []
    if len(strip):
        legend.append(LegendEntry(Swatch.STRIP, _rgb(_PREDICTED), f"predicted, {VEHICLE_WIDTH_M} m wide"))
    if driven:
        legend.append(LegendEntry(Swatch.LINE, _rgb(_DRIVEN), "driven afterwards"))
    if approved:
        legend.append(LegendEntry(Swatch.DASHES, _rgb(_APPROVED), "approved"))
    if causes:
        legend.append(LegendEntry(Swatch.BOX, BOX_RGB, "cited cause"))
    write_on_picture(rgb, _title(picture, start_ns), note, legend)
    jpeg = _encode_jpeg(rgb, size_limit)
    return CameraView(jpeg, width, height, note, bool(driven), bool(approved), causes)


def _draw_causes(rgb: NDArray[np.uint8], picture: ReportPicture) -> tuple[str, ...]:
    """Draw the boxes that belong to this camera; return their labels."""
    # The box is in px of the picture as received, whatever size it is shown with.
    scale = [rgb.shape[1] / picture.bgr.shape[1], rgb.shape[0] / picture.bgr.shape[0]] * 2
    causes = [cause for cause in picture.path.causes if cause.camera == picture.camera.camera]
    boxes = [[value * by for value, by in zip(cause.box_px, scale, strict=True)] for cause in causes]
    labels = [cause.label.replace("_", " ") for cause in causes]
    return tuple(label for label, box in zip(labels, boxes, strict=True) if draw_cause_box(rgb, box, label))


def _shown(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture as RGB at the size that it is shown with."""
    rgb = np.ascontiguousarray(bgr[:, :, ::-1])
    scale = min(_WIDTH_PX / rgb.shape[1], _LARGEST_HEIGHT_PX / rgb.shape[0])
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    resized = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC)
    return np.asarray(resized, dtype=np.uint8)


def _projected(
    picture: ReportPicture, width: int, height: int
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """The strip, (M, 4, 2), driven and approved path as connected pieces, (N, 2) each, in px of the shown picture."""
    intrinsics = picture.camera.intrinsics
    if intrinsics is None:
        raise CalibrationError(f"camera {picture.camera.camera!r} has no intrinsics")
    path = picture.path
    strip = project_ground_strip(_from_rig(path.rig_xyz_m), VEHICLE_WIDTH_M, picture.camera)
    scale = np.array([width / intrinsics.width, height / intrinsics.height])
    baseline = path.baseline_rig_xyz_m
    lines = (path.driven_rig_xyz_m, baseline if baseline is not None and leaves_approved(path) else np.zeros((0, 3)))
    driven, approved = (
        [(piece + 0.5) * scale - 0.5 for piece in _visible_pieces(_from_rig(line), picture.camera)] for line in lines
    )
    # Pixel centres are whole numbers, so the picture's corner is at -0.5.
    return (strip + 0.5) * scale - 0.5, driven, approved


def _from_rig(path_xyz_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Start a path at the rig itself, for its first point lies one time step ahead, and keep to what has a distance."""
    path = np.asarray(path_xyz_m, dtype=np.float64).reshape(-1, 3)
    path = path[(np.abs(path) <= _FARTHEST_M).all(axis=1)]
    return np.concatenate([np.zeros((1, 3)), path]) if len(path) else path


def _visible_pieces(path_xyz_m: NDArray[np.float64], camera: CameraCalibration) -> list[NDArray[np.float64]]:
    pixels, visible = project_points(resample_path(path_xyz_m, 0.25), camera)
    if not visible.any():
        return []
    drawable = np.isfinite(pixels).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], drawable, [False]]).astype(np.int8)))
    return [pixels[start:end] for start, end in edges.reshape(-1, 2) if visible[start:end].any() and end - start > 1]


def _why_nothing(path_xyz_m: NDArray[np.float64]) -> str:
    path = np.asarray(path_xyz_m, dtype=np.float64).reshape(-1, 3)
    path = path[np.isfinite(path).all(axis=1)]
    if not len(path):
        return "There is no predicted path at this tick."
    if np.abs(path).max() > _FARTHEST_M:
        return f"The predicted path goes further than {_FARTHEST_M:g} m, where no drive leads."
    reach_m = float(np.hypot(path[:, 0], path[:, 1]).max())
    if reach_m < _STANDING_M:
        return (
            f"Standing still: the predicted path goes no further than {reach_m:.2f} m, nothing to draw on the ground."
        )
    return f"The predicted path, {reach_m:.1f} m far, lies outside what this camera sees of the ground."


def _fill_strip(rgb: NDArray[np.uint8], strip: NDArray[np.float64]) -> None:
    """Blend the strip into the picture, in place, and outline its sides and its far end."""
    if not len(strip):
        return
    mask = np.zeros(rgb.shape[:2], dtype=np.uint8)
    fixed = _fixed_point(strip)
    for quad in fixed:
        cv2.fillConvexPoly(mask, quad, 255, cv2.LINE_8, _SUB_PIXEL_BITS)
    inside = mask > 0
    rgb[inside] = (0.64 * rgb[inside] + 0.36 * np.array(_rgb(_PREDICTED))).astype(np.uint8)
    edges = [quad[[near, far]] for quad in fixed for near, far in ((0, 1), (3, 2))] + [fixed[-1][[1, 2]]]
    for edge in edges:
        cv2.polylines(rgb, [edge], False, _rgb(_PREDICTED), 2, cv2.LINE_AA, _SUB_PIXEL_BITS)  # noqa: FBT003 - OpenCV's own signature


def _draw_line(rgb: NDArray[np.uint8], pieces: list[NDArray[np.float64]]) -> None:
    for colour, thickness in ((_OUTLINE, 5), (_DRIVEN, 3)):
        for piece in pieces:
            cv2.polylines(rgb, [_fixed_point(piece)], False, _rgb(colour), thickness, cv2.LINE_AA, _SUB_PIXEL_BITS)  # noqa: FBT003 - OpenCV's own signature


def _draw_dashes(rgb: NDArray[np.uint8], pieces: list[NDArray[np.float64]]) -> None:
    """Draw pieces dashed over a dark line, with a dot where the last one ends."""
    for piece in pieces:
        cv2.polylines(rgb, [_fixed_point(piece)], False, _rgb(_OUTLINE), 6, cv2.LINE_AA, _SUB_PIXEL_BITS)  # noqa: FBT003 - OpenCV's own signature
        for dash in _dashes(piece, rgb.shape[1], rgb.shape[0]):
            cv2.polylines(rgb, [_fixed_point(dash)], False, _rgb(_APPROVED), 4, cv2.LINE_AA, _SUB_PIXEL_BITS)  # noqa: FBT003 - OpenCV's own signature
    if pieces:
        middle = [int(value) for value in _fixed_point(pieces[-1][-1])]
        for colour, radius_px in ((_OUTLINE, _END_DOT_PX + 2), (_APPROVED, _END_DOT_PX)):
            cv2.circle(rgb, middle, radius_px << _SUB_PIXEL_BITS, _rgb(colour), -1, cv2.LINE_AA, _SUB_PIXEL_BITS)


def _dashes(piece: NDArray[np.float64], width: int, height: int) -> list[NDArray[np.float64]]:
    """Cut a line into dashes of _DASH_PX along it, with gaps of _GAP_PX; only those that start in the picture."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(piece, axis=0).T))])
    starts = np.arange(0.0, min(float(along[-1]), _LONGEST_PX), _DASH_PX + _GAP_PX)
    columns, rows = (np.interp(starts, along, piece[:, axis]) for axis in (0, 1))
    seen = (np.abs(columns - 0.5 * width) <= 0.5 * width + _DASH_PX) & (
        np.abs(rows - 0.5 * height) <= 0.5 * height + _DASH_PX
    )
    dashes = []
    for start in starts[seen]:
        end = min(start + _DASH_PX, along[-1])
        at = np.concatenate([[start], along[(along > start) & (along < end)], [end]])
        dashes.append(np.column_stack([np.interp(at, along, piece[:, axis]) for axis in (0, 1)]))
    return dashes


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _fixed_point(pixels: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.round(pixels * (1 << _SUB_PIXEL_BITS)).astype(np.int32)


def _title(picture: ReportPicture, start_ns: int) -> str:
    camera = "".join(character if " " <= character <= "~" else "?" for character in picture.camera.camera)[:40]
    lag_ms = (picture.stamp_ns - picture.t0_ns) / 1e6
    return f"{camera}    tick at {seconds_after(picture.t0_ns, start_ns)} s    frame {lag_ms:+.1f} ms from it"


def _encode_jpeg(rgb: NDArray[np.uint8], size_limit: int) -> bytes:
    """Encode a picture, lowering the quality until it is no larger than ``size_limit`` bytes.

    The lowest quality is kept where even that is larger.
    """
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    data = b""
    for quality in (88, 75, 60, 45, 30, 15):
        _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        data = encoded.tobytes()
        if len(data) <= size_limit:
            break
    return data
