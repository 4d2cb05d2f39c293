"""The report as one HTML file: safe, self-contained, complete, the same every time."""

import base64
import math
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from alpamayo_ros.report.html import PICTURE_LIMIT, render_report
from alpamayo_ros.report.words import VERDICT_SENTENCES, VERDICT_TITLES
from alpamayo_ros.structs.lineage import Lineage, LineageComponent
from alpamayo_ros.structs.verdict import (
    BaselineInfo,
    FieldSummary,
    HorizonError,
    Statement,
    TickDifference,
    TickMark,
    Verdict,
)

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e\x00{{ 7 * 7 }}"
VOID = {"meta", "img", "br", "source", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects tags, attributes and text, and fails where tags do not nest."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        """Remember a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag in {"td", "th", "dt", "dd", "br", "span"}:
            self.text += " "
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Close the innermost tag, which must be this one."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Collect text outside of styles."""
        if "style" not in self.open:
            self.text += data

    def all(self, name):
        """Attributes of every tag of one name."""
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture(scope="module")
def page(data):
    """The report of a replay that was compared with nothing."""
    return Page(render_report(data))


@pytest.fixture(scope="module")
def regression_text(data, judged):
    """The report of a regression."""
    return render_report(replace(data, result=judged(Verdict.REGRESSION)))


@pytest.fixture(scope="module")
def regression(regression_text):
    """The same, taken apart."""
    return Page(regression_text)


def words_of(page):
    """The text of a page with single blanks, so that line breaks do not matter."""
    return re.sub(r"\s+", " ", page.text)


def test_the_page_needs_no_script_no_network_and_no_other_file(regression_text, regression):
    text, page = regression_text, regression
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "form", "base"}
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "srcset", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:image/"))
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert any("default-src 'none'" in attributes.get("content", "") for attributes in page.all("meta"))


def test_texts_from_bags_and_models_are_only_text(data, judged, make_picture, camera):
    result = judged(Verdict.REGRESSION)
    difference = replace(
        result.comparison.first_difference,
        interface=HOSTILE,
        field=HOSTILE,
        baseline=HOSTILE,
        candidate=HOSTILE,
        unit=HOSTILE,
    )
    comparison = replace(
        result.comparison,
        first_difference=difference,
        differences=(difference, difference),
        fields=tuple(replace(row, interface=HOSTILE, field=HOSTILE, unit=HOSTILE) for row in result.comparison.fields),
        lineage_changes=((HOSTILE, HOSTILE, HOSTILE),),
    )
    component = LineageComponent(HOSTILE, HOSTILE, HOSTILE)
    lineage = Lineage(HOSTILE, HOSTILE, (component,), HOSTILE, {HOSTILE: {HOSTILE: HOSTILE}}, {HOSTILE: HOSTILE})
    result = replace(
        result, reasons=(HOSTILE,), bag_path=HOSTILE, profile=HOSTILE, ticks_requested=HOSTILE, content_digest=HOSTILE,
        lineage=lineage, comparison=comparison,
        baseline=BaselineInfo(*(HOSTILE,) * 6), ticks={HOSTILE: 1, f"dropped_{HOSTILE}": 2}, timings={HOSTILE: 1.0},
    )  # fmt: skip
    picture = make_picture(2, camera=replace(camera, camera=HOSTILE))
    picture = replace(picture, path=replace(picture.path, rationale=HOSTILE, meta_action=HOSTILE))
    text = render_report(
        replace(
            data, title=HOSTILE, result=result, pictures=(picture,), picture_note=HOSTILE, command=HOSTILE,
            bag_tags={HOSTILE: HOSTILE},
        )
    )  # fmt: skip
    page = Page(text)
    assert "<script" not in text
    assert "<img src=x" not in text
    assert all(attributes.get("src", "").startswith("data:image/") for attributes in page.all("img"))
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert "\x00" not in text
    assert "\u202e" not in text
    assert "{{ 7 * 7 }}" in page.text
    assert page.text.count("<script>alert(1)</script>") > 20


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_verdict_comes_first_in_words_with_its_reasons(data, judged, verdict):
    result = judged(verdict)
    # Charts and pictures do not depend on the verdict; leaving them out saves time.
    page = Page(render_report(replace(data, result=result, marks=(), paths=(), pictures=())))
    banner = page.text.index(VERDICT_SENTENCES[verdict])
    assert page.text.count(VERDICT_TITLES[verdict]) >= 2
    assert banner < page.text.index(result.reasons[0]) < page.text.index("Summary")
    assert any(verdict.value in attributes.get("class", "").split() for attributes in page.all("div"))


def test_sections_come_in_the_order_of_who_asks_what(regression):
    page = regression
    sections = [attributes["id"] for attributes in page.all("section")]
    assert sections.pop(0) == "baseline"
    assert sections == [
        "summary",
        "comparison",
        "paths",
        "statements",
        "ticks",
        "time-line",
        "lineage",
        "timings",
        "input",
    ]
    targets = [attributes["href"][1:] for attributes in page.all("a")]
    assert targets == sections


def test_the_summary_says_what_was_counted_and_how_to_repeat_it(page, data, result):
    words = words_of(page)
    for value in (
        "Ticks: 30", "answered 20", "history too short 10", "open at end 1", "dropped odometry 2", "1.0 s 0.123 m 20",
        "3.0 s 0.400 m 11", "6.4 s \N{EN DASH} 0",
        "bags/demo", "kinematic", result.content_digest, result.input_order_digest,
        result.output_digest, result.lineage.lineage_id, "no envelope was given", data.command, "Simulated input",
        "The road is flat.", "planner.steps", "reading 0.500",
    ):  # fmt: skip
        assert value in words, value


def test_a_result_that_shows_too_little_says_so_whatever_the_verdict(data, judged):
    result = replace(
        judged(Verdict.REGRESSION), too_little=("4 ticks were answered",), policy={"name": "strict", "policy_id": "p1"}
    )
    words = words_of(Page(render_report(replace(data, result=result, marks=(), paths=(), pictures=()))))
    assert "Shows too little 4 ticks were answered" in words
    assert "Comparison policy strict p1" in words


def test_a_comparison_names_the_first_difference_the_worst_values_and_what_changed(regression):
    words = words_of(regression)
    assert "30 ticks are on both sides; 3 ticks differ" in words
    assert "0.200 s t0 1700000000200000000 trajectory_set.y[3] 0.001 0.051 0.05 m 0.01 m" in words
    assert "trajectory_set.y 20 3 0.05 m 0.01 m" in words
    assert (
        words.index("trajectory_set.y 20") < words.index("trajectory_set.x 20") < words.index("tick.text not compared")
    )
    assert "sha256:" + "1" * 64 in words
    assert "sha256:" + "2" * 64 in words


def test_the_first_differing_tick_is_shown_even_without_a_picture(data, judged, make_path):
    data = replace(data, paths=(make_path(2), *data.paths), result=judged(Verdict.REGRESSION))
    page = Page(render_report(data))
    words = words_of(page)
    assert "Tick at 0.200 s first difference" in words
    assert "rationale 2" in words
    assert "trajectory_set.y[3]: was 0.001, is 0.051 (by 0.05 m; allowed: 0.01 m)" in words


def test_a_replay_without_a_baseline_has_no_comparison_section(page):
    assert "comparison" not in [attributes["id"] for attributes in page.all("section")]
    assert "Nothing" not in page.text


def test_every_picture_has_a_text_a_size_and_a_dark_twin_for_charts(regression):
    page = regression
    images = page.all("img")
    assert len(images) == 4
    assert all(len(image["alt"]) > 30 and int(image["width"]) > 300 and int(image["height"]) > 50 for image in images)
    assert "20 answered" in " ".join(image["alt"] for image in images)
    twins = page.all("source")
    assert len(twins) == 3
    assert all(twin["media"] == "(prefers-color-scheme: dark)" for twin in twins)
    for image in images:
        assert base64.b64decode(image["src"].split(",")[1], validate=True)[:3] in (b"\x89PN", b"\xff\xd8\xff")


def test_shown_ticks_have_picture_rationale_and_meta_action(page):
    words = words_of(page)
    assert "Tick at 1.200 s front_wide, frame -11.3 ms from the tick. The predicted path is drawn" in words
    assert "Rationale rationale 12 Meta-action keep speed Because of nothing t0 1700000001200000000" in words
    assert any("front_wide at 1.200 s. The predicted path is drawn" in image["alt"] for image in page.all("img"))


def test_without_pictures_the_page_says_why_and_still_shows_rationales(data):
    page = Page(render_report(replace(data, pictures=(), picture_note="The bag has no camera topics.")))
    assert "The bag has no camera topics." in page.text
    assert page.text.count("Rationale") == 6
    assert "rationale 10" in page.text
    assert "rationale 29" in page.text


def test_a_bag_in_which_nothing_happened_has_a_report(nothing):
    page = Page(render_report(nothing))
    for words in (
        "There was no tick.",
        "No tick was answered.",
        "neither a driven nor a predicted path",
        "carries no tags",
    ):
        assert words in page.text
    assert page.all("img") == []


def test_numbers_that_are_not_finite_are_said_to_be_so(data, judged):
    result = judged(Verdict.REGRESSION)
    worst = replace(result.comparison.first_difference, magnitude=float("inf"))
    fields = tuple(replace(row, worst=float("nan")) for row in result.comparison.fields)
    comparison = replace(result.comparison, first_difference=worst, differences=(worst,), fields=fields)
    page = Page(
        render_report(
            replace(data, result=replace(result, comparison=comparison, ade_m=(HorizonError(1.0, float("nan"), 3),)))
        )
    )
    assert page.text.count("not finite") >= 4


def test_the_same_data_give_the_same_bytes(data, judged, regression_text):
    assert render_report(replace(data, result=judged(Verdict.REGRESSION))) == regression_text


def test_many_noisy_pictures_stay_below_five_megabytes(data, make_picture):
    noise = np.random.default_rng(2).integers(0, 256, (540, 960, 3), dtype=np.uint8)
    count = PICTURE_LIMIT + 6
    text = render_report(replace(data, pictures=tuple(make_picture(index, bgr=noise) for index in range(count))))
    assert len(text.encode()) < 5_000_000
    assert len(Page(text).all("img")) == PICTURE_LIMIT + 2
    assert "6 further pictures are left out" in text


def test_everything_that_was_said_stands_in_a_table(data):
    first, later = data.marks[0].t0_ns, data.marks[2].t0_ns
    said = (
        Statement(first, later - 1, 2, "The light is red, so I wait.", "stopped", ("red light (front)",)),
        Statement(later, later, 1, "<script>", "", ()),
    )
    text = render_report(replace(data, statements=said, statements_left_out=3))
    page = Page(text)
    assert "The light is red, so I wait." in text
    assert "red light (front)" in text
    assert "<script>" not in text
    assert "3 further changes" in text
    assert page.all("section")
    assert "nothing was said" in render_report(data)


def test_another_process_with_another_hash_seed_writes_the_same_bytes(tmp_path):
    code = (
        "import sys, hashlib, numpy as np\n"
        "from alpamayo_ros.report.html import render_report\n"
        "from alpamayo_ros.structs.verdict import *\n"
        "from alpamayo_ros.structs.lineage import Lineage\n"
        "from alpamayo_ros.structs.tick import TickOutcome\n"
        "detail = {name: {key: key for key in {'a', 'b', 'c', 'd'}} for name in {'x', 'y', 'z', 'config'}}\n"
        "lineage = Lineage('id', 'none', (), '{}', detail, {key: 'v' for key in {'p', 'q', 'r'}})\n"
        "ticks = {name: 1 for name in {'ANSWERED', 'open_at_end', 'dropped_b', 'dropped_a'}}\n"
        "times = {name: 1.0 for name in {'k', 'l', 'm'}}\n"
        "result = ReplayResult(Verdict.NOT_COMPARED, (), ticks, '', '', '', lineage, (), times)\n"
        "line = np.linspace(0, 9, 30)[:, None] * np.array([1.0, 0.2, 0.0])\n"
        "marks = tuple(TickMark(n * 10**8, TickOutcome(n % 3)) for n in range(9))\n"
        "path = PredictedPath(0, line, line, line, 'r', 'm')\n"
        "data = ReportData('t', result, line, (path,), (), marks, '', {key: 'v' for key in {'s', 't', 'u'}})\n"
        "print(hashlib.sha256(render_report(data).encode()).hexdigest())\n"
    )
    digests = set()
    for seed in ("1", "77"):
        environment = dict(os.environ, PYTHONHASHSEED=seed)
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        digests.add(run.stdout)
    assert len(digests) == 1


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.NOT_COMPARED])
def test_what_it_was_compared_with_stands_right_below_the_verdict(data, judged, verdict):
    result = judged(verdict)
    words = words_of(Page(render_report(replace(data, result=result, marks=(), paths=(), pictures=()))))
    places = [words.index(text) for text in (result.reasons[0], "Compared with", "Ticks: 30")]
    assert places == sorted(places)
    for text in (
        "Baseline approved/demo", "Approved by Ada", "Reason first drive",
        f"Lineage id sha256:{'e' * 64} (another one now)", f"Output digest sha256:{'f' * 64} (another one now)",
        f"Content digest {result.content_digest} (the same now)",
    ):  # fmt: skip
        assert text in words[places[1] : places[2]], text
    assert ("Nothing was compared" in words) is (result.comparison is None)


def test_without_a_baseline_nothing_is_said_to_be_compared(page):
    assert "Compared with" not in page.text


def test_a_field_of_words_says_what_may_differ(data, judged):
    result = judged(Verdict.REGRESSION)
    fields = (
        FieldSummary("rationale", "text", 20, 1, 1.6, 0.11, "as written"),
        FieldSummary("tick", "outcome", 30, 0, None, None, ""),
        FieldSummary("rationale", "confidence", 20, 0, 0.0, 0.001, "1"),
    )
    result = replace(result, comparison=replace(result.comparison, fields=fields))
    words = words_of(Page(render_report(replace(data, result=result, marks=(), paths=(), pictures=()))))
    assert "rationale.text 20 1 1.6 in the text numbers in the text may differ by 0.11" in words
    assert "tick.outcome 30 0 \N{EN DASH} must be equal" in words
    assert "rationale.confidence 20 0 0 0.001" in words
    assert "as written" not in words


def test_where_the_approved_path_is_another_the_page_says_by_how_much(data, judged, approve):
    paths = tuple(approve(path, left_m=1.5 if index == 3 else 0.0) for index, path in enumerate(data.paths))
    pictures = tuple(replace(data.pictures[0], t0_ns=path.t0_ns, path=path) for path in paths[2:4])
    page = Page(
        render_report(replace(data, result=judged(Verdict.REGRESSION), paths=paths, pictures=pictures, marks=()))
    )
    words = words_of(page)
    assert "1 of 20 predicted paths with an approved one is visibly apart from it, by up to 1.50 m" in words
    assert words.count("The predicted path is as approved.") == 1
    assert words.count("The predicted path is up to 1.50 m from the approved one.") == 1
    assert sum("approved path is drawn as a dashed line" in image["alt"] for image in page.all("img")) == 1
    assert any("1 approved path drawn dashed" in image["alt"] for image in page.all("img"))


def test_paths_that_are_all_as_approved_are_said_to_be_so(data, judged, approve):
    paths = tuple(approve(path) for path in data.paths)
    page = Page(render_report(replace(data, result=judged(Verdict.PASS), paths=paths, pictures=(), marks=())))
    assert "As approved: no predicted path is visibly apart" in words_of(page)
    assert "dashed" not in page.text


def test_a_tick_that_differs_late_in_the_drive_is_marked_as_well(data, judged):
    result = judged(Verdict.REGRESSION)
    t0_ns = data.pictures[0].t0_ns
    over_time = (
        TickDifference(t0_ns, "trajectory_set", "x", 4.0),
        TickDifference(t0_ns, "rationale", "text", math.inf),
    )
    result = replace(result, comparison=replace(result.comparison, over_time=over_time))
    words = words_of(Page(render_report(replace(data, result=result))))
    assert "Tick at 1.200 s differs" in words
    assert "trajectory_set.x: 4 times what is allowed" in words
    assert "rationale.text: another text, or not a number" in words


def test_one_of_a_kind_is_not_spoken_of_as_many(data, judged, make_picture, approve):
    result = judged(Verdict.REGRESSION)
    comparison = replace(result.comparison, compared_tick_count=1, differing_tick_count=1)
    marks = (TickMark(data.marks[0].t0_ns, data.marks[-1].outcome),)
    pictures = tuple(make_picture(index) for index in range(PICTURE_LIMIT + 1))
    data = replace(
        data, result=replace(result, comparison=comparison), marks=marks, paths=(approve(data.paths[0], 1.0),),
        pictures=pictures,
    )  # fmt: skip
    page = Page(render_report(data))
    words = words_of(page) + " ".join(image["alt"] for image in page.all("img"))
    assert "1 tick is on both sides; 1 tick differs." in words
    assert "1 predicted path, evenly picked" in words
    assert "1 further picture is left out" in words
    assert re.findall(r"(?<![\d.])1 (?:further |predicted |approved )?(?:ticks|paths|pictures)", words) == []


def test_timings_are_listed_as_they_happen(data, result):
    result = replace(result, timings={"compare_s": 3.0, "replay_s": 2.0, "set_up_s": 1.0})
    words = words_of(Page(render_report(replace(data, result=result, marks=(), paths=(), pictures=()))))
    assert "set up 1.000 replay 2.000 compare 3.000" in words


def test_each_cell_of_a_table_that_is_stacked_on_narrow_screens_has_its_label(data, judged):
    page = Page(render_report(replace(data, result=judged(Verdict.REGRESSION), marks=(), paths=(), pictures=())))
    labels = [attributes["data-label"] for attributes in page.all("td") if "data-label" in attributes]
    assert {"field", "baseline", "now", "difference", "allowed", "compared", "differing", "worst"} <= set(labels)
    stacked = [attributes for attributes in page.all("table") if "stack" in attributes.get("class", "").split()]
    assert len(stacked) >= 6


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [400, 1100])
def test_nothing_of_the_page_is_cut_off_at_the_right(data, judged, tmp_path, width):
    # The page itself runs no script; the one around it measures.
    text = render_report(replace(data, result=judged(Verdict.REGRESSION)))
    (tmp_path / "report.html").write_text(text, encoding="utf-8")
    (tmp_path / "frame.html").write_text(
        f"<iframe id=f src=report.html style='width:{width}px;height:900px;border:0'></iframe><p id=o></p><script>"
        "onload = () => { const d = f.contentDocument; o.textContent = 'measured ' + [d.documentElement.scrollWidth,"
        "...[...d.querySelectorAll('.scroll:not(.wide)')].map(e => e.scrollWidth - e.clientWidth)].join(' ') }"
        "</script>",
        encoding="utf-8",
    )
    run = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
         f"--user-data-dir={tmp_path / 'profile'}", "--allow-file-access-from-files", "--dump-dom",
         (tmp_path / "frame.html").as_uri()],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    page_width, *hidden = map(int, re.search(r"measured ([\d ]+)</p>", run.stdout).group(1).split())
    assert page_width <= width
    assert len(hidden) > 6
    assert set(hidden) == {0}


def test_ticks_that_differ_but_are_not_marked_are_counted(data, judged):
    result = judged(Verdict.REGRESSION)
    for count, said in ((3, True), (2, False)):
        comparison = replace(result.comparison, differing_tick_count=count)
        text = render_report(
            replace(data, result=replace(result, comparison=comparison), marks=(), paths=(), pictures=())
        )
        assert ("2 of the 3 ticks that differ are marked" in words_of(Page(text))) is said


@pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("pdftotext")), reason="chromium or pdftotext is not installed"
)
def test_what_is_folded_on_the_screen_is_open_on_paper(data, tmp_path):
    (tmp_path / "report.html").write_text(render_report(data), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    subprocess.run(
        ["chromium", *options, f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'report.pdf'}",
         (tmp_path / "report.html").as_uri()],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    paper = subprocess.run(
        ["pdftotext", "-layout", str(tmp_path / "report.pdf"), "-"], capture_output=True, text=True, check=True
    )
    assert "planner.steps" in paper.stdout
