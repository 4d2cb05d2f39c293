"""The program ``alpamayo``: only what a fast start needs is imported here, the rest by the verb that needs it."""

import os
import sys
from contextlib import suppress

from alpamayo_ros.cli.wrapper import run_verb


def main() -> None:
    """Run the command line and exit with its code."""
    code = run_verb(_run)
    # Not sys.exit: a stream that is closed or full would turn the code into 1 or 120 at the flush when Python ends.
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()
    os._exit(code)


def _run() -> int:
    from alpamayo_ros.cli.application import run_application

    return run_application(sys.argv[1:])
