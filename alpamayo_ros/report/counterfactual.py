"""The counterfactual page: one episode with and without its cause, on one HTML file that needs nothing else."""

from dataclasses import dataclass

from alpamayo_ros.report.counterfactual_charts import draw_from_above, draw_over_time, draw_picture
from alpamayo_ros.report.page import chart, data_uri, page_environment
from alpamayo_ros.structs.counterfactual import CounterfactualData, CounterfactualDrive, DriveMoment, DrivePicture
from alpamayo_ros.structs.rationale import LANE_WORDS, LATERAL_WORDS, LONGITUDINAL_WORDS, LaneAction

_NO_ACTION = "unknown"


@dataclass(frozen=True, slots=True)
class _Side:
    """One drive at one moment of the page."""

    label: str
    uri: str
    width: int
    height: int
    alt: str
    decision: str
    cause: str
    text: str
    speed: str


@dataclass(frozen=True, slots=True)
class _Moment:
    seconds: str
    sides: tuple[_Side, ...]
    differs: bool


def render_counterfactual(data: CounterfactualData) -> str:
    """Render a counterfactual as one self-contained HTML document; the same data gives the same text.

    Args:
        data: Everything that the page shows; each drive has at least one moment.

    Raises:
        ValueError: A drive has no moment.
    """
    if not (data.original.moments and data.edited.moments):
        raise ValueError("a counterfactual page needs a moment of each drive; expected at least one")
    return page_environment().get_template("counterfactual.html.j2").render(
        data=data,
        banner="not_compared",
        above=chart(lambda theme: draw_from_above(data, theme), _above_words(data)),
        over_time=chart(lambda theme: draw_over_time(data, theme), _time_words(data)),
        moments=_moments(data),
        metrics=_metric_rows(data),
        tags=sorted(data.tags.items()),
    )  # fmt: skip


def decision_words(moment: DriveMoment) -> str:
    """Put a meta-action in words; keeping the lane goes without saying."""
    words = [LONGITUDINAL_WORDS.get(moment.longitudinal, _NO_ACTION), LATERAL_WORDS.get(moment.lateral, "")]
    if moment.lane is not LaneAction.KEEP:
        words.append(LANE_WORDS.get(moment.lane, ""))
    return ", ".join(word for word in words if word)


def cause_words(moment: DriveMoment) -> str:
    """Name the cited cause: its label, and the actor where it is known."""
    label = moment.cause.replace("_", " ")
    if not label:
        return "nothing"
    return f"{label} ({moment.actor_id})" if moment.actor_id else label


def moment_at(drive: CounterfactualDrive, t_s: float) -> DriveMoment:
    """Return the newest moment of a drive at a time; the first one before that."""
    found = drive.moments[0]
    for moment in drive.moments:
        if moment.t_s > t_s + 1e-6:
            break
        found = moment
    return found


def _above_words(data: CounterfactualData) -> str:
    return f"Both drives from above, in metres: {data.original.label}, and {data.edited.label}."


def _time_words(data: CounterfactualData) -> str:
    slowest = [min(moment.speed_mps for moment in drive.moments) for drive in (data.original, data.edited)]
    return (
        f"Speed and decisions over time. The lowest speed is {slowest[0]:.1f} m/s {data.original.label} and "
        f"{slowest[1]:.1f} m/s {data.edited.label}."
    )


def _moments(data: CounterfactualData) -> list[_Moment]:
    shown = []
    for before, after in zip(data.original.pictures, data.edited.pictures, strict=True):
        sides = (_side(data.original, before), _side(data.edited, after))
        differs = (sides[0].decision, sides[0].cause, sides[0].text) != (
            sides[1].decision,
            sides[1].cause,
            sides[1].text,
        )
        shown.append(_Moment(f"{before.t_s:.1f}", sides, differs))
    return shown


def _side(drive: CounterfactualDrive, picture: DrivePicture) -> _Side:
    jpeg, width, height = draw_picture(picture)
    moment = moment_at(drive, picture.t_s)
    decision, cause = decision_words(moment), cause_words(moment)
    boxed = f" The cause, {picture.box_label}, is boxed." if picture.box_px is not None else ""
    alt = f"{drive.label}: camera {picture.camera} at {picture.t_s:.1f} s; {decision}.{boxed}"
    return _Side(
        drive.label,
        data_uri(jpeg, "jpeg"),
        width,
        height,
        alt,
        decision,
        cause,
        moment.text,
        f"{moment.speed_mps:.1f} m/s",
    )


def _metric_rows(data: CounterfactualData) -> list[tuple[str, str, str]]:
    before, after = dict(data.original.metrics), dict(data.edited.metrics)
    names = dict.fromkeys([*before, *after])
    return [(name, before.get(name, "\N{EN DASH}"), after.get(name, "\N{EN DASH}")) for name in names]
