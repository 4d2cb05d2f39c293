"""The replay report: one HTML file that needs no script, no network and no other file.

Texts come from bags and models and are not to be trusted: everything is escaped, control characters are shown as what
they are, and the page forbids scripts and outside content to the browser as well.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from jinja2 import Environment

from alpamayo_ros.report.approved import approved_sentence, largest_distance_m, leaves_approved
from alpamayo_ros.report.birds_eye import draw_birds_eye, paths_to_draw
from alpamayo_ros.report.camera_view import draw_camera_view
from alpamayo_ros.report.page import Chart, chart, data_uri, page_environment
from alpamayo_ros.report.time_line import LARGEST_RATIO, draw_differences, draw_time_line, measured_differences
from alpamayo_ros.report.words import (
    COUNT_SENTENCES,
    OUTCOME_SENTENCES,
    VERDICT_SENTENCES,
    VERDICT_SYMBOLS,
    VERDICT_TITLES,
    allowance,
    counted,
    horizon_label,
    measure,
    number,
    ordered_ticks,
    ordered_timings,
    outcome_title,
    plain,
    provenance_sentence,
    seconds_after,
)
from alpamayo_ros.structs.lineage import COMPONENT_KINDS
from alpamayo_ros.structs.tick import TickOutcome
from alpamayo_ros.structs.verdict import (
    Comparison,
    FieldDifference,
    FieldSummary,
    PredictedPath,
    ReportData,
    ReportPicture,
    TickDifference,
)

PICTURE_LIMIT = 24
"""At most this many camera pictures are shown."""

_PICTURES_BYTES = 3_000_000
"""Bytes of all camera pictures together; base64 adds a third, so that the page stays below 5 MB."""

_TICKS_WITHOUT_PICTURE = 6
_DIFFERENCES_SHOWN = 12
_DIFFERENCES_PER_TICK = 5

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class _View:
    """One camera picture of the page, with what is drawn into it in words: in a small picture letters are small."""

    uri: str
    width: int
    height: int
    alt: str
    camera: str
    caption: str


@dataclass(frozen=True, slots=True)
class _Tick:
    """One tick that the page shows in full."""

    t0_ns: int
    seconds: str
    rationale: str
    meta_action: str
    causes: str
    views: tuple[_View, ...]
    differences: tuple[FieldDifference, ...]
    differences_left_out: int
    multiples: tuple[TickDifference, ...]
    first_difference: bool
    approved: str


def render_report(data: ReportData) -> str:
    """Render a replay report as one self-contained HTML document; the same data gives the same text.

    Args:
        data: Everything that the report shows.
    """
    start_ns = _start_ns(data)
    result = data.result
    drawn = paths_to_draw(data.paths)
    counts = ordered_ticks(result.ticks)
    return _environment().get_template("report.html.j2").render(
        data=data,
        result=result,
        comparison=result.comparison,
        baseline=result.baseline,
        timings=ordered_timings(result.timings),
        start_ns=start_ns,
        verdict_title=VERDICT_TITLES[result.verdict],
        verdict_sentence=VERDICT_SENTENCES[result.verdict],
        verdict_symbol=VERDICT_SYMBOLS[result.verdict],
        tick_rows=[(name, count, _count_sentence(name)) for name, count in counts.items()],
        tick_total=sum(count for name, count in counts.items() if name in TickOutcome.__members__),
        fields=_field_rows(data),
        differences=_first_differences(data),
        provenance=provenance_sentence(data.bag_tags),
        details=_sorted_details(result.lineage.details),
        birds_eye=_birds_eye(data, drawn),
        drawn=drawn,
        approved=_approved_words(data.paths),
        time_line=_time_line(data),
        ticks_marked=len(_known_to_differ(result.comparison)),
        difference_chart=_difference_chart(data, start_ns),
        ticks=_shown_ticks(data, start_ns),
        pictures_left_out=max(0, len(data.pictures) - PICTURE_LIMIT),
    )  # fmt: skip


def _environment() -> Environment:
    environment = page_environment()
    environment.filters |= {
        "number": number,
        "outcome": outcome_title,
        "measure": measure,
        "allowance": allowance,
        "times": lambda multiple: (
            f"{multiple:.3g} times what is allowed" if math.isfinite(multiple) else "another text, or not a number"
        ),
        "horizon": horizon_label,
        "timing": lambda name: name.removesuffix("_s").replace("_", " "),
    }
    environment.globals |= {"seconds_after": seconds_after}
    return environment


def _start_ns(data: ReportData) -> int:
    """Time that the page counts from: the first tick."""
    stamps = [mark.t0_ns for mark in data.marks] or [path.t0_ns for path in data.paths]
    return min(stamps, default=0)


def _count_sentence(name: str) -> str:
    if name in TickOutcome.__members__:
        return OUTCOME_SENTENCES[TickOutcome[name]]
    if name.startswith("dropped_"):
        return f"messages of {name.removeprefix('dropped_')} that were not newer than the one before"
    return COUNT_SENTENCES.get(name, "")


def _field_rows(data: ReportData) -> list[FieldSummary]:
    """Rows of what the comparison found per field: those that differ first, those not compared last."""
    if data.result.comparison is None:
        return []
    return sorted(data.result.comparison.fields, key=lambda row: (row.differing == 0, row.compared == 0))


def _first_differences(data: ReportData) -> tuple[FieldDifference, ...]:
    comparison = data.result.comparison
    return () if comparison is None else comparison.differences[:_DIFFERENCES_SHOWN]


def _sorted_details(details: Mapping[str, Mapping[str, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    rank = {kind: index for index, kind in enumerate(COMPONENT_KINDS)}
    kinds = sorted(details, key=lambda kind: (rank.get(kind, len(rank)), kind))
    return [(kind, sorted(details[kind].items())) for kind in kinds if details[kind]]


def _birds_eye(data: ReportData, drawn: Sequence[PredictedPath]) -> Chart | None:
    if not drawn and not len(data.driven_odom_xyz_m):
        return None
    leaving = sum(leaves_approved(path) for path in drawn)
    alt = (
        f"Bird's-eye view in metres: the driven path with start and end, and {counted(len(drawn), 'predicted path')} "
        "coloured by the time of their tick."
    )
    if leaving:
        alt += f" {counted(leaving, 'approved path')} drawn dashed."
    return chart(lambda theme: draw_birds_eye(data.driven_odom_xyz_m, drawn, theme), alt)


def _approved_words(paths: Sequence[PredictedPath]) -> str:
    """How many predicted paths leave the approved ones, and by how much; empty where nothing is approved."""
    distances_m = [distance for path in paths if (distance := largest_distance_m(path)) is not None]
    leaving = sum(leaves_approved(path) for path in paths)
    if not distances_m:
        return ""
    if not leaving:
        return "As approved: no predicted path is visibly apart from the approved one."
    finite_m = [distance for distance in distances_m if math.isfinite(distance)]
    furthest = f", by up to {max(finite_m):.2f} m" if finite_m else ""
    return (
        f"{leaving} of {counted(len(distances_m), 'predicted path')} with an approved one "
        f"{'is' if leaving == 1 else 'are'} visibly apart from it{furthest}; where that is so, the approved path is "
        "drawn dashed and ends at a cross."
    )


def _time_line(data: ReportData) -> Chart | None:
    if not data.marks:
        return None
    counts: dict[str, int] = {}
    for mark in data.marks:
        counts[outcome_title(mark.outcome.name)] = counts.get(outcome_title(mark.outcome.name), 0) + 1
    words = ", ".join(f"{count} {name}" for name, count in counts.items())
    return chart(lambda theme: draw_time_line(data.marks, theme), f"Outcome of each tick over time: {words}.")


def _difference_chart(data: ReportData, start_ns: int) -> Chart | None:
    comparison = data.result.comparison
    if comparison is None:
        return None
    series = measured_differences(comparison)
    if not series:
        return None
    differing_ns = _known_to_differ(comparison)
    largest = {name: max(ratio for _, ratio in points) for name, points in series.items()}
    worst = "; ".join(
        f"{name}: up to " + (f"{ratio:.3g} times" if ratio < LARGEST_RATIO else "off the scale")
        for name, ratio in largest.items()
    )
    return chart(
        lambda theme: draw_differences(series, differing_ns, data.marks, start_ns, theme),
        f"Difference to the baseline over the whole drive, in multiples of what is allowed. {worst}.",
    )


def _known_to_differ(comparison: Comparison | None) -> frozenset[int]:
    """Ticks whose differences were kept: all, unless there are very many or they are in fields without tolerance."""
    if comparison is None:
        return frozenset()
    over_time = frozenset(item.t0_ns for item in comparison.over_time)
    return over_time | frozenset(item.t0_ns for item in comparison.differences)


def _shown_ticks(data: ReportData, start_ns: int) -> list[_Tick]:
    """The ticks with a picture, or a few without where there is none, and the first that differs if it is known."""
    pictures = _spread(data.pictures, PICTURE_LIMIT)
    paths = {picture.t0_ns: picture.path for picture in pictures}
    if not pictures:
        paths = {path.t0_ns: path for path in _spread(data.paths, _TICKS_WITHOUT_PICTURE)}
    comparison = data.result.comparison
    first = comparison.first_difference if comparison is not None else None
    if first is not None:
        paths.update({path.t0_ns: path for path in data.paths if path.t0_ns == first.t0_ns})
    by_tick: dict[int, list[FieldDifference]] = {}
    for difference in comparison.differences if comparison is not None else ():
        by_tick.setdefault(difference.t0_ns, []).append(difference)
    # Differences are kept with their values only at the start; of later ones there is how large they are.
    over_time: dict[int, list[TickDifference]] = {}
    for item in comparison.over_time if comparison is not None else ():
        over_time.setdefault(item.t0_ns, []).append(item)
    size_limit = _PICTURES_BYTES // max(12, len(pictures))
    return [
        _Tick(
            t0_ns=t0_ns,
            seconds=seconds_after(t0_ns, start_ns),
            rationale=path.rationale,
            meta_action=path.meta_action,
            causes=", ".join(cause.label.replace("_", " ") for cause in path.causes),
            views=tuple(_view(picture, start_ns, size_limit) for picture in pictures if picture.t0_ns == t0_ns),
            differences=tuple(by_tick.get(t0_ns, [])[:_DIFFERENCES_PER_TICK]),
            differences_left_out=max(0, len(by_tick.get(t0_ns, [])) - _DIFFERENCES_PER_TICK),
            multiples=() if t0_ns in by_tick else tuple(over_time.get(t0_ns, [])[:_DIFFERENCES_PER_TICK]),
            first_difference=first is not None and first.t0_ns == t0_ns,
            approved=approved_sentence(path),
        )
        for t0_ns, path in sorted(paths.items())
    ]


def _view(picture: ReportPicture, start_ns: int, size_limit: int) -> _View:
    view = draw_camera_view(picture, start_ns, size_limit)
    what = view.note or "The predicted path is drawn onto the ground as a strip."
    if view.driven:
        what += " The path driven afterwards is drawn as a line."
    if view.approved:
        what += " The approved path is drawn as a dashed line that ends at a dot."
    if view.causes:
        what += f" Boxed, as the cited cause: {', '.join(view.causes)}."
    camera = re.sub(r"\s+", " ", plain(picture.camera.camera))
    alt = f"Camera {camera} at {seconds_after(picture.t0_ns, start_ns)} s. {what}"
    caption = f"frame {(picture.stamp_ns - picture.t0_ns) / 1e6:+.1f} ms from the tick. {what}"
    return _View(data_uri(view.jpeg, "jpeg"), view.width, view.height, alt, camera, caption)


def _spread(items: Sequence[_Item], limit: int) -> list[_Item]:
    """Pick at most ``limit`` items, evenly, with the first and the last."""
    if len(items) <= limit:
        return list(items)
    return [items[round(index * (len(items) - 1) / (limit - 1))] for index in range(limit)]
