"""Nothing of a bag reaches a terminal as anything else than one line of text."""

import ast
import io
import json
from pathlib import Path

import pytest
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

import alpamayo_ros
from alpamayo_ros.cli import console
from alpamayo_ros.cli.console import ERR, OUT, VisibleConsole, print_aligned, print_json

HOSTILE = "a\x1b[31mb\nc\x9b2J\u202ed\udcff"
SHOWN = r"a\x1b[31mb\nc\x9b2J\u202ed\udcff"


def printed(item: object, *, colours: bool = False, markup: bool = False) -> str:
    stream = io.StringIO()
    system = "standard" if colours else None
    console = VisibleConsole(file=stream, width=200, highlight=False, force_terminal=colours, color_system=system)
    console.print(item, markup=markup)
    return stream.getvalue()


@pytest.mark.parametrize(
    "item", [HOSTILE, Text(HOSTILE), Text("").append(HOSTILE, style="bold"), Text("", style="dim") + Text(HOSTILE)]
)
def test_a_hostile_text_is_one_line_of_seen_characters(item: object) -> None:
    assert printed(item) == f"{SHOWN}\n"


def test_a_style_stays_with_the_words_it_belongs_to() -> None:
    text = Text("").append("! ", style="bold").append("\x1b\n\x9b").append("end", style="red")
    assert printed(text, colours=True) == "\x1b[1m! \x1b[0m\\x1b\\n\\x9b\x1b[31mend\x1b[0m\n"


def test_other_renderables_keep_their_lines_and_nothing_else() -> None:
    table = Table("topic")
    table.add_row(HOSTILE)
    for item in (table, Panel(HOSTILE)):
        text = printed(item)
        assert r"a\x1b[31mb" in text
        assert r"c\x9b2J\u202ed\udcff" in text
        assert text.replace("\n", "").isprintable()


def test_markup_of_ours_still_works() -> None:
    assert printed("[bold]a[/bold]\x1b", colours=True, markup=True) == "\x1b[1ma\x1b[0m\\x1b\n"


@pytest.mark.parametrize(("console", "stream"), [(OUT, "out"), (ERR, "err")])
def test_both_streams_are_such_consoles(
    console: VisibleConsole, stream: str, capsys: pytest.CaptureFixture[str]
) -> None:
    console.print(HOSTILE, ":car:", markup=False)
    assert getattr(capsys.readouterr(), stream) == f"{SHOWN} :car:\n"


def test_no_other_module_writes_to_a_terminal() -> None:
    folder = Path(alpamayo_ros.__file__).parent / "cli"
    for path in folder.rglob("*.py"):
        if path == Path(console.__file__):
            continue
        called = {
            node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute))
        }
        assert "Console" not in called, f"{path.name} makes a console of its own; expected OUT or ERR"
        assert "secho" not in called, path.name


def test_json_is_ascii_and_gives_back_what_it_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    document = {HOSTILE: [HOSTILE, "道\x7f", 1.5, None]}
    print_json(document)
    text = capsys.readouterr().out
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == document


def test_rows_are_aligned_by_what_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    print_aligned(OUT, [("\n", "1", "x"), ("abcde", "200", "y")], right=(1,))
    assert capsys.readouterr().out == "\\n       1  x\nabcde  200  y\n"


def test_one_long_name_is_shown_whole_and_makes_no_other_row_long(capsys: pytest.CaptureFixture[str]) -> None:
    name = "/" + "n" * 60_000
    print_aligned(OUT, [(name, "a"), *[("/short", "b")] * 100])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{name}  a"
    assert set(lines[1:]) == {"/short" + " " * 96 + "b"}


def test_no_rows_print_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_aligned(OUT, [])
    assert capsys.readouterr().out == ""
