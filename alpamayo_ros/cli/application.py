"""The tree of verbs; each verb is one function in a module of its own, imported when it runs."""

from collections.abc import Sequence

import typer

from alpamayo_ros.cli import bag, engine, lineage, params, replay, world
from alpamayo_ros.cli.visible_text import visible
from alpamayo_ros.cli.wrapper import EXIT_USAGE
from alpamayo_ros.lineage.runtime import package_version

app = typer.Typer(
    name="alpamayo",
    help="Run an open, reasoning driving model on bags, and prove what it did.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog=(
        "Exit codes: 0 pass, 1 regression, 2 usage, 3 inconclusive, 4 not comparable, 70 internal, 74 disk, "
        "130 and 143 signals."
    ),
)
app.add_typer(bag.app, name="bag")
app.add_typer(replay.app, name="replay")
app.add_typer(engine.app, name="engine")
app.add_typer(lineage.app, name="lineage")
app.add_typer(params.app, name="params")
app.add_typer(world.app, name="world")


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"alpamayo_ros {package_version()}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False,
        "--version",
        help="Print the version and exit.",
        callback=_print_version,
        is_eager=True,
    ),
) -> None:
    """Take the options that stand before any verb."""


_USAGE_ERROR: type[BaseException] = typer.BadParameter.__mro__[2]
"""Base of what Typer raises for wrong arguments; it is Click's own class in some versions and a copy in others."""


def run_application(arguments: Sequence[str]) -> int:
    """Parse the arguments and run the verb; return its exit code."""
    command = typer.main.get_command(app)
    try:
        result = command.main(args=list(arguments), prog_name="alpamayo", standalone_mode=False)
    except _USAGE_ERROR as error:
        if isinstance(message := getattr(error, "message", None), str):
            error.message = visible(message)  # type: ignore[attr-defined]  # an argument may hold anything
        error.show()  # type: ignore[attr-defined]  # every one of them has it
        return EXIT_USAGE
    return result if isinstance(result, int) else 0
