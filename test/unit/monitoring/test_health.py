"""Diagnostics say why nothing comes out, worst first, in one sentence each."""

from dataclasses import replace

import pytest

from alpamayo_ros.monitoring.health import (
    LOSS_IS_NEWS_NS,
    Health,
    InputHealth,
    Level,
    PerceptionFacts,
    input_health,
    perception_health,
    with_worker,
    worst,
)
from alpamayo_ros.structs.camera_health import CameraHealth, SightFinding
from alpamayo_ros.structs.worker_state import WorkerState

S = 1_000_000_000
ODOMETRY = InputHealth("odometry", "/odom", publishers=1, received=10, silent_ns=0)
FRONT = InputHealth("front", "/front/image", publishers=1, received=10, silent_ns=0)
INFO = InputHealth("front/camera_info", "/front/camera_info", required=False)


def judged(*inputs: InputHealth, **values: object) -> Health:
    return perception_health(replace(PerceptionFacts(inputs), **values), S)  # type: ignore[arg-type]


def test_the_worst_is_the_most_severe_and_the_first_of_equals() -> None:
    first, second = Health(Level.WARN, "first"), Health(Level.WARN, "second")
    error, fine, stale = Health(Level.ERROR, "error"), Health(Level.OK, "fine"), Health(Level.STALE, "stale")
    assert worst([]) is None
    assert worst([fine, first, second]) is first
    assert worst([first, error, second]) is error
    assert worst([stale, first]) is first, "old news hide no present trouble"


@pytest.mark.parametrize(
    ("fact", "level", "text"),
    [
        (ODOMETRY, Level.OK, "odometry on /odom arrives"),
        (replace(ODOMETRY, problem="it is upside down"), Level.ERROR, "odometry on /odom: it is upside down"),
        (
            replace(ODOMETRY, publishers=0, received=0, silent_ns=None), Level.WARN,
            "no odometry on /odom: nobody publishes it; name the topic in topics_file or by a remap",
        ),
        (
            replace(ODOMETRY, publishers=2, received=0, silent_ns=None), Level.WARN,
            "no odometry on /odom: it has 2 publisher(s), but no message has arrived",
        ),
        (replace(ODOMETRY, silent_ns=S), Level.OK, "odometry on /odom arrives"),
        (
            replace(ODOMETRY, silent_ns=S + 1), Level.WARN,
            "odometry on /odom has been silent for 1.0 s; it has 1 publisher(s)",
        ),
        (
            replace(ODOMETRY, publishers=0, silent_ns=90 * S), Level.WARN,
            "odometry on /odom has been silent for 90.0 s; its publisher is gone",
        ),
        (replace(ODOMETRY, publishers=0), Level.OK, "odometry on /odom arrives"),
    ],
)  # fmt: skip
def test_an_input_is_judged_by_what_is_worst_about_it(fact: InputHealth, level: Level, text: str) -> None:
    assert input_health(fact, S) == Health(level, text)


def test_two_publishers_of_one_input_are_a_warning_even_while_they_arrive() -> None:
    health = input_health(replace(ODOMETRY, publishers=2), S)
    assert health.level is Level.WARN
    assert "has 2 publishers; expected one" in health.text


def test_a_loss_on_the_way_is_news_for_a_while_and_stays_in_the_numbers() -> None:
    lossy = replace(ODOMETRY, lost=7, lost_ago_ns=LOSS_IS_NEWS_NS - 1)
    assert input_health(lossy, S).level is Level.WARN
    assert "lost messages on the way, 7 so far" in input_health(lossy, S).text
    old = replace(lossy, lost_ago_ns=LOSS_IS_NEWS_NS)
    assert input_health(old, S) == Health(Level.OK, "odometry on /odom arrives")
    assert judged(old, closed=1).values["odometry lost on the way"] == "7"


def test_a_working_stack_says_how_many_ticks_it_answered() -> None:
    health = judged(ODOMETRY, FRONT, INFO, closed=12, answered=10)
    assert (health.level, health.text) == (Level.OK, "active; 10 of 12 ticks answered")
    assert judged(ODOMETRY).text == "active; no tick has closed yet"


def test_the_numbers_stand_beside_the_sentence_whatever_it_says() -> None:
    for health in (
        judged(ODOMETRY, INFO, closed=3, answered=1, skipped=2),
        judged(replace(ODOMETRY, problem="x"), INFO, closed=3, answered=1, skipped=2),
        judged(ODOMETRY, INFO, closed=3, answered=1, skipped=2, busy_ns=2 * S, busy_text="t0 5 ns"),
        judged(ODOMETRY, INFO, closed=3, answered=1, skipped=2, rejected_in_a_row=1),
    ):
        assert dict(health.values) == {
            "ticks closed": "3",
            "ticks answered": "1",
            "ticks skipped while busy": "2",
            "last rejection": "none",
            "odometry received": "10",
            "odometry lost on the way": "0",
            "front/camera_info received": "0",
            "front/camera_info lost on the way": "0",
        }


def test_camera_info_is_not_waited_for_but_its_problem_is_told() -> None:
    assert judged(ODOMETRY, INFO, closed=1, answered=1).level is Level.OK
    wrong = judged(ODOMETRY, replace(INFO, problem="a publisher has type x"), closed=1, answered=1)
    assert (wrong.level, wrong.text) == (Level.ERROR, "front/camera_info on /front/camera_info: a publisher has type x")


def test_the_cause_comes_before_what_follows_from_it() -> None:
    silent = replace(FRONT, silent_ns=5 * S)
    facts = {"closed": 9, "rejected_in_a_row": 4, "last_rejection": "CAMERA_STALE", "busy_ns": 9 * S, "busy_text": "t"}
    assert judged(ODOMETRY, silent, **facts).text.startswith("front on /front/image has been silent")
    assert judged(ODOMETRY, FRONT, **facts).text == "the stages have been busy with t for 9.0 s"
    rejected = judged(ODOMETRY, FRONT, **{**facts, "busy_ns": S})
    assert rejected.level is Level.WARN
    assert rejected.text == "the last 4 tick(s) were rejected or failed: CAMERA_STALE"


def test_an_error_of_a_later_input_comes_before_a_warning_of_an_earlier_one() -> None:
    assert judged(replace(ODOMETRY, publishers=0, received=0), replace(FRONT, problem="x")).level is Level.ERROR


def test_levels_are_the_numbers_of_diagnostic_status() -> None:
    assert [(level.name, level.value) for level in Level] == [("OK", 0), ("WARN", 1), ("ERROR", 2), ("STALE", 3)]


def camera(name: str, score: float) -> CameraHealth:
    return CameraHealth(name, (SightFinding("blur", score, 0.4, 0.6),))


def test_every_camera_has_its_value_and_a_camera_in_error_comes_before_rejections() -> None:
    cameras = (camera("left", 0.1), camera("front", 0.7))
    found = judged(ODOMETRY, FRONT, cameras=cameras, closed=9, answered=1, rejected_in_a_row=8, last_rejection="X: y")
    assert (found.level, found.text) == (Level.ERROR, "camera front: blur 0.7, ERROR from 0.6 on")
    assert found.values["left sees"] == "well"
    assert found.values["front sees"] == "blur 0.7, ERROR from 0.6 on"


def test_a_camera_that_sees_badly_is_a_warning_unless_something_worse_is_known() -> None:
    found = judged(ODOMETRY, cameras=(camera("front", 0.5),), closed=9, answered=9)
    assert (found.level, found.text) == (Level.WARN, "camera front: blur 0.5, WARN from 0.4 on")
    late = judged(replace(ODOMETRY, silent_ns=2 * S), cameras=(camera("front", 0.7),))
    assert "has been silent" in late.text


def test_traffic_is_counted_where_there_is_a_detector() -> None:
    assert "actors detected" not in judged(ODOMETRY).values
    assert judged(ODOMETRY, traffic={}).values["actors detected"] == "none"
    assert judged(ODOMETRY, traffic={"car": 5, "person": 1}).values["actors detected"] == "5 car, 1 person"


def test_an_input_that_no_tick_waits_for_is_told_once_its_last_message_holds_no_more() -> None:
    commands = InputHealth("navigation", "/route", 1, received=3, silent_ns=2 * S, required=False, holds_ns=2 * S)
    assert judged(ODOMETRY, commands).level is Level.OK
    health = judged(ODOMETRY, replace(commands, silent_ns=2 * S + 1, publishers=0))
    assert health.level is Level.WARN
    assert health.text == (
        "navigation on /route has been silent for 2.0 s; its publisher is gone; its last message holds no more"
    )
    assert judged(ODOMETRY, replace(commands, received=0, silent_ns=None)).level is Level.OK


def test_a_models_own_process_is_shown_and_its_fall_is_an_error():
    fine = Health(Level.WARN, "camera front: blurred", {"done": "3"})
    assert with_worker(fine, None) == fine
    shown = with_worker(fine, WorkerState(41, 2, ""))
    assert (shown.level, shown.text) == (fine.level, fine.text)
    assert shown.values == {"done": "3", "model's process": "41", "falls of the model's process": "2"}
    fell = with_worker(fine, WorkerState(None, 3, "was ended by SIGKILL"))
    assert fell.level is Level.ERROR
    assert fell.text == "the model's process was ended by SIGKILL; ticks fail until a fresh one runs"
    assert fell.values["model's process"] == "none"
