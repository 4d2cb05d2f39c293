"""Run a verb: every error becomes one sentence and the right exit code, never a traceback."""

import errno
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from io import TextIOWrapper
from types import FrameType

from alpamayo_ros.cli.visible_text import visible
from alpamayo_ros.errors import AlpamayoError, ConfigurationError

EXIT_PASS = 0
EXIT_REGRESSION = 1
EXIT_USAGE = 2
EXIT_INCONCLUSIVE = 3
EXIT_NOT_COMPARABLE = 4
EXIT_INTERNAL = 70
EXIT_IO = 74

_MAX_OPEN_FILES = 65_536
"""Hard limits may be a thousand million, and a program that is started from here may walk over all it could have."""


class Interrupted(BaseException):
    """A signal asked the process to end; raised in the main thread, so that open files are closed."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run_verb(verb: Callable[[], int]) -> int:
    """Run a verb and return its exit code; print what went wrong to standard error in one sentence."""
    _listen_for_signals()
    _write_any_text()
    _open_many_files()
    try:
        return verb()
    except AlpamayoError as error:
        if _lacks_open_files(error) and not isinstance(error, ConfigurationError):
            return _complain(f"{_TOO_MANY_FILES} ({error})", EXIT_USAGE)
        return _complain(str(error), error.exit_code)
    except Interrupted as interruption:
        return _interrupted(interruption.number)
    except KeyboardInterrupt:
        return _complain("interrupted; what was finished before is untouched", 128 + signal.SIGINT)
    except MemoryError:
        return _complain("the machine has not enough memory for this", EXIT_INTERNAL)
    except OSError as error:
        if _lacks_open_files(error):
            return _complain(f"{_TOO_MANY_FILES} ({error.filename or error})", EXIT_USAGE)
        return _complain(f"{error.filename or 'standard output'}: {error.strerror or error}", _os_exit_code(error))
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback reaches a user unasked
        # An interruption inside a call into C++ comes back as whatever that made of it.
        return _interrupted(_SIGNALS_RECEIVED[0]) if _SIGNALS_RECEIVED else _internal(error)


_SIGNALS_RECEIVED: list[int] = []


def _interrupted(number: int) -> int:
    name = signal.Signals(number).name
    return _complain(f"interrupted by {name}; what was finished before is untouched", 128 + number)


def _listen_for_signals() -> None:
    _SIGNALS_RECEIVED.clear()

    def interrupt(number: int, _: FrameType | None) -> None:
        _SIGNALS_RECEIVED.append(number)
        # Once only: a second signal during clean-up must not break the clean-up of the first.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Interrupted(number)

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    # Whoever reads our output may stop reading; results are on disk before they are printed.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def _write_any_text() -> None:
    """Let paths and texts of any language be printed in any locale, with escapes where it has no such letter."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _open_many_files() -> None:
    """Take the files that the system grants and a shell's default withholds: a merge keeps every bag open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # Some systems refuse less than they state; then the limit stays what it was.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


_TOO_MANY_FILES = (
    "more files are needed at once than this process may open: raise the limit with 'ulimit -n', or give fewer bags"
)


def _lacks_open_files(error: BaseException | None) -> bool:
    """Say whether an error comes of the limit of open files: then no bag is at fault, whatever met it first."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return True
        error = error.__cause__
    return False


def _os_exit_code(error: OSError) -> int:
    return EXIT_IO if error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG) else EXIT_USAGE


def _internal(error: Exception) -> int:
    if os.environ.get("ALPAMAYO_TRACEBACK"):
        traceback.print_exc()
    return _complain(
        f"internal error: {type(error).__name__}: {error}; set ALPAMAYO_TRACEBACK=1 to see where, and please report it",
        EXIT_INTERNAL,
    )


def _complain(sentence: str, code: int) -> int:
    # The code must stand even where nobody can be told: either stream may be closed or full.
    with suppress(OSError, ValueError):
        if sys.stdout is not None:
            sys.stdout.flush()
    with suppress(OSError, ValueError):
        if sys.stderr is not None:
            print(f"alpamayo: {visible(sentence)}", file=sys.stderr, flush=True)  # noqa: T201 - the only place that does
    return code
