"""The counterfactual page shows both drives, needs nothing else, and trusts no text."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from alpamayo_ros.report.counterfactual import cause_words, decision_words, moment_at, render_counterfactual
from alpamayo_ros.structs.counterfactual import CounterfactualData, CounterfactualDrive, DriveMoment, DrivePicture
from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction

HOSTILE = '<script>alert("x")</script>\u202e\x07&amp;'


def _moment(step: int, *, stops: bool) -> DriveMoment:
    braking = stops and step >= 5
    return DriveMoment(
        t_s=0.1 * step,
        x_m=0.8 * step * (0.5 if braking else 1.0),
        y_m=0.1 * step,
        heading_rad=0.12,
        speed_mps=4.0 if braking else 8.0,
        longitudinal=LongitudinalAction.DECELERATE if braking else LongitudinalAction.KEEP_SPEED,
        lateral=LateralAction.STRAIGHT,
        lane=LaneAction.KEEP,
        cause="crossing_pedestrian" if braking else "",
        actor_id="ped_0" if braking else "",
        text="A pedestrian is crossing ahead, so I slow down." if braking else "The road is clear.",
    )


def _drive(label: str, *, stops: bool, picture_times: tuple[float, ...] = (0.2, 0.8)) -> CounterfactualDrive:
    pictures = tuple(
        DrivePicture(
            t_s, "camera_front_wide_120fov", np.full((48, 80, 3), 90, dtype=np.uint8),
            (10.0, 8.0, 12.0, 20.0) if stops else None, "crossing pedestrian (ped_0)" if stops else "",
            np.array([[[30.0, 47.0], [35.0, 30.0], [45.0, 30.0], [50.0, 47.0]]]),
        )
        for t_s in picture_times
    )  # fmt: skip
    moments = tuple(_moment(step, stops=stops) for step in range(12))
    return CounterfactualDrive(label, moments, pictures, (("Collision", "none"), ("Way", "3 m" if stops else "9 m")))


def _data() -> CounterfactualData:
    return CounterfactualData(
        "crossing_pedestrian:0", "without ped_0", "profile nano", _drive("as it is", stops=True),
        _drive("without ped_0", stops=False), True, "Without ped_0 it keeps its speed.",
        (("Decision", "from 0.5 s on another one"),), tags={"provenance": "simulated"}, command="alpamayo world ...",
    )  # fmt: skip


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            self.text += data


def _parsed(page: str) -> _Tags:
    parser = _Tags()
    parser.feed(page)
    return parser


def test_the_page_shows_pictures_decisions_causes_and_texts_of_both_drives() -> None:
    page = _parsed(render_counterfactual(_data()))
    assert (
        sum(tag == "img" and (attributes["src"] or "").startswith("data:image/jpeg") for tag, attributes in page.found)
        == 4
    )
    for words in (
        "The drive changes", "Without ped_0 it keeps its speed.", "crossing pedestrian (ped_0)", "decelerating",
        "keeping speed", "A pedestrian is crossing ahead, so I slow down.", "The road is clear.", "profile nano",
        "simulated", "from 0.5 s on another one", "alpamayo world ...",
    ):  # fmt: skip
        assert words in page.text, words
    assert page.text.count("differs") == 1


def test_equal_drives_are_said_to_be_the_same() -> None:
    page = _parsed(render_counterfactual(replace(_data(), differs=False, edited=_drive("x", stops=True))))
    assert "The drive stays the same" in page.text
    assert "differs" not in page.text


def test_the_page_is_the_same_text_for_the_same_data_and_stays_small() -> None:
    page = render_counterfactual(_data())
    assert render_counterfactual(_data()) == page
    assert len(page) < 2_000_000


def test_the_page_has_no_script_and_asks_for_nothing() -> None:
    page = render_counterfactual(_data())
    assert "default-src 'none'" in page
    parsed = _parsed(page)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in parsed.found}
    for tag, attributes in parsed.found:
        for name in ("src", "srcset", "href"):
            value = attributes.get(name) or ""
            assert not value or value.startswith(("data:", "#")), (tag, value)


def test_hostile_texts_are_shown_and_never_obeyed() -> None:
    hostile = tuple(
        replace(moment, text=HOSTILE, cause=HOSTILE, actor_id=HOSTILE) for moment in _drive("x", stops=True).moments
    )
    pictures = tuple(
        replace(picture, box_label=HOSTILE, camera=HOSTILE) for picture in _drive("x", stops=True).pictures
    )
    drive = CounterfactualDrive(HOSTILE, hostile, pictures, ((HOSTILE, HOSTILE),))
    data = replace(
        _data(), episode=HOSTILE, change=HOSTILE, driver=HOSTILE, original=drive, edited=drive, headline=HOSTILE,
        findings=((HOSTILE, HOSTILE),), tags={HOSTILE: HOSTILE}, command=HOSTILE,
    )  # fmt: skip
    page = render_counterfactual(data)
    assert "<script" not in page
    assert not re.search("[\u202e\x07]", page)
    assert "<U+202E>" in _parsed(page).text


def test_a_drive_without_moments_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at least one"):
        render_counterfactual(replace(_data(), edited=replace(_drive("x", stops=True), moments=())))


def test_a_page_without_pictures_says_so() -> None:
    data = replace(
        _data(), original=_drive("a", stops=True, picture_times=()), edited=_drive("b", stops=False, picture_times=())
    )
    assert "No pictures were taken." in render_counterfactual(data)


def test_a_moment_holds_until_the_next() -> None:
    drive = _drive("x", stops=True)
    assert moment_at(drive, -1.0) is drive.moments[0]
    assert moment_at(drive, 0.25).t_s == pytest.approx(0.2)
    assert moment_at(drive, 99.0) is drive.moments[-1]


def test_words_leave_out_what_goes_without_saying() -> None:
    moment = _moment(0, stops=False)
    assert decision_words(moment) == "keeping speed, straight on"
    assert decision_words(replace(moment, lane=LaneAction.CHANGE_LEFT)).endswith("changing to the lane on the left")
    assert decision_words(replace(moment, longitudinal=LongitudinalAction.UNKNOWN)) == "unknown, straight on"
    assert cause_words(moment) == "nothing"
    assert cause_words(replace(moment, cause="lane_end")) == "lane end"
