"""Help of a verb as it is meant to be read: paragraphs that flow, and plain names of arguments."""

import re
from typing import Any

from typer.core import TyperCommand

_ARGUMENT = re.compile(r"\{(.*)\}(?:\.\.\.)?")


class VerbCommand(TyperCommand):
    """A command whose help is filled to the width of the terminal.

    Typer keeps the line breaks of every paragraph but the first, so that lines of a docstring that are longer than the
    terminal end in the middle of a sentence; it puts braces around what must be given, and names a type for a flag.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Join the lines of each paragraph; all arguments are Typer's."""
        super().__init__(*args, **kwargs)
        if self.help:
            self.help = flowing(self.help)

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters; a flag takes no value, so none is named."""
        params = super().get_params(ctx)
        for param in params:
            if getattr(param, "is_flag", False) and param.metavar is None:
                param.metavar = ""
        return params

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line."""
        pieces = super().collect_usage_pieces(ctx)
        return [match[1] if (match := _ARGUMENT.fullmatch(piece)) else piece for piece in pieces]


def flowing(text: str) -> str:
    """Join the lines of each paragraph of a docstring; a paragraph of indented lines stays as it is."""
    paragraphs = re.split(r"\n\s*\n", text)
    return "\n\n".join(
        paragraph if re.search(r"\n\s", paragraph) else " ".join(paragraph.split()) for paragraph in paragraphs
    )
