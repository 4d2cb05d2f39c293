"""Progress where there is no terminal: a line for each tenth, because a log shows no bar."""

from collections.abc import Callable

from rich.console import Console


def tenths(console: Console, label: str) -> Callable[[int, int], None]:
    """Return a function of what is done and of all, which says each tenth once; nothing on a terminal, which has a bar.

    Args:
        console: Where to say it.
        label: What is done.
    """
    said = -1

    def watch(done: int, total: int) -> None:
        nonlocal said
        tenth = 10 * done // total if total else 10
        if tenth > said and not console.is_terminal:
            said = tenth
            console.print(f"{label}: {done} of {total}", highlight=False)

    return watch
