"""The program ``alpamayo``: only what a fast start needs is imported here, the rest by the verb that needs it."""

import sys

from alpamayo_ros.cli.wrapper import run_verb


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run_verb(_run))


def _run() -> int:
    from alpamayo_ros.cli.application import run_application

    return run_application(sys.argv[1:])
