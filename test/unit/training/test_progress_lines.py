"""A log gets a line for each tenth, a terminal none."""

import io

from rich.console import Console

from alpamayo_ros.training.progress_lines import tenths


def test_each_tenth_is_said_once() -> None:
    out = io.StringIO()
    watch = tenths(Console(file=out), "episodes")
    for done in (0, 1, 5, 19, 20, 20, 200):
        watch(done, 200)
    assert out.getvalue().splitlines() == ["episodes: 0 of 200", "episodes: 20 of 200", "episodes: 200 of 200"]


def test_nothing_to_do_is_done() -> None:
    out = io.StringIO()
    tenths(Console(file=out), "episodes")(0, 0)
    assert out.getvalue() == "episodes: 0 of 0\n"


def test_a_terminal_has_a_bar() -> None:
    out = io.StringIO()
    tenths(Console(file=out, force_terminal=True), "episodes")(5, 10)
    assert out.getvalue() == ""
