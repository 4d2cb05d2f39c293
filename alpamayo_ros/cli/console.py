"""Where the command line writes: results to standard output, progress and notes to standard error.

This is the border at which a bag's texts reach a terminal: whatever a verb prints here is made visible on the way, so
that no name, tag or sentence can move the cursor, colour the screen, or pass for a line of ours.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.segment import Segment
from rich.text import Text

from alpamayo_ros.cli.visible_text import visible

_MAX_PADDING = 100
"""Width to which a column is filled up; what is longer only moves the rest of its own row."""


class VisibleConsole(Console):
    """A console to which a text is one line of characters that are seen; lines end where a ``print`` ends.

    Of tables and bars, which hold texts that were laid out already, line ends are kept and all else is made visible.
    Rich's ``Text`` itself drops BEL, BS, VT, FF and CR when it is made.
    """

    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts as one line, and anything else as Rich does."""
        super().print(*map(_on_one_line, objects), **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Turn a text into a renderable; a cell of a table comes this way before its width is measured."""
        return super().render_str(_lines(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render anything, whatever it is made of, without a character that a terminal would obey."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(_lines(segment.text), segment.style)


def _lines(text: str) -> str:
    return "\n".join(map(visible, text.split("\n")))


def _on_one_line(item: Any) -> Any:
    if isinstance(item, str):
        return visible(item)
    if isinstance(item, Text) and not (plain := item.plain).isprintable():
        line = item.blank_copy(visible(plain))
        for start, end, style in item.spans:
            line.stylize(style, len(visible(plain[:start])), len(visible(plain[:end])))
        return line
    return item


OUT = VisibleConsole(highlight=False, soft_wrap=True, emoji=False)
ERR = VisibleConsole(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def print_json(document: Any) -> None:
    """Write one JSON document to standard output, in ASCII: half a surrogate pair is an escape, and read as it was."""
    OUT.file.write(json.dumps(document, indent=2, allow_nan=False) + "\n")


def print_aligned(console: Console, rows: Sequence[tuple[str, ...]], right: tuple[int, ...] = ()) -> None:
    """Print rows in columns, never folded: a digest or topic that is folded can be neither copied nor found.

    A cell is one line: what it holds that is not seen is made visible, whatever the console.

    Args:
        console: Where to print.
        rows: Cells; every row has the same number of them.
        right: Columns that are aligned to the right.
    """
    if not rows:
        return
    shown = [tuple(map(visible, row)) for row in rows]
    # One topic with a name of 60,000 characters would make every row as long.
    widths = [min(_MAX_PADDING, max(map(len, column))) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = [
            cell.rjust(width) if n in right else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        console.print("  ".join(cells).rstrip(), markup=False, emoji=False, soft_wrap=True)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error while it is a terminal; yield (done, total) -> None."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=ERR,
        transient=True,
        disable=not ERR.is_terminal,
    ) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
