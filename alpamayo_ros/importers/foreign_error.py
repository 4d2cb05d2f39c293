"""Word the errors of libraries that others wrote."""

LONGEST = 200
"""Characters of an error's text that are kept."""


def sentence_of(error: BaseException) -> str:
    """Return the kind and the first line of an error, shortened: texts of foreign libraries run over many lines."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:LONGEST]}" if lines else type(error).__name__
