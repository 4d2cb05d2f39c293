"""Help flows to the width of the terminal."""

import typer

from alpamayo_ros.cli.verb_help import VerbCommand, flowing


def test_the_lines_of_a_paragraph_are_joined() -> None:
    assert flowing("First line.\n\nOne\ntwo  three.\n\nFour\n") == "First line.\n\nOne two three.\n\nFour"


def test_indented_lines_stay_as_they_are() -> None:
    assert flowing("First.\n\nTable:\n  a  1\n  b  2") == "First.\n\nTable:\n  a  1\n  b  2"


BAGS = typer.Argument(metavar="BAG BAG...")
OTHER = typer.Argument(None, metavar="OTHER")
FLAG = typer.Option(False, "--flag")


def test_usage_names_arguments_plainly_and_flags_without_a_type() -> None:
    app = typer.Typer()

    @app.command(cls=VerbCommand)
    def verb(
        bags: list[str] = BAGS,
        other: str | None = OTHER,
        flag: bool = FLAG,
    ) -> None:
        """Do it."""

    command = typer.main.get_command(app)
    context = command.make_context("verb", [], resilient_parsing=True)
    assert command.collect_usage_pieces(context) == ["[OPTIONS]", "BAG BAG...", "[OTHER]"]
    (shown,) = [param for param in command.get_params(context) if param.name == "flag"]
    assert shown.metavar == ""
