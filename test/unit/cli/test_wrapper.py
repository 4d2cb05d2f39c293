"""Every error class has its exit code, and nothing unexpected shows a traceback unasked."""

import errno
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alpamayo_ros import errors
from alpamayo_ros.cli import wrapper


def all_classes(base: type[errors.AlpamayoError]) -> list[type[errors.AlpamayoError]]:
    return [base, *(found for child in base.__subclasses__() for found in all_classes(child))]


EXPECTED = {
    "AlpamayoError": 70,
    "ConfigurationError": 2,
    "ParameterError": 2,
    "ProfileError": 2,
    "TopicError": 2,
    "CalibrationError": 2,
    "OutputError": 2,
    "ArtifactError": 4,
    "DigestMismatchError": 4,
    "BackendError": 2,
    "BackendUnavailableError": 2,
    "TensorSpecError": 2,
    "BagError": 4,
    "BagNotFoundError": 2,
    "BagCorruptError": 4,
    "BagWriteError": 74,
    "EnvelopeError": 2,
    "ReplayError": 4,
    "NotComparableError": 4,
    "InconclusiveError": 3,
    "GraphError": 4,
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_exit_code_follows_the_class(name: str) -> None:
    assert getattr(errors, name)("x").exit_code == EXPECTED[name]


def test_every_class_of_the_tree_is_covered() -> None:
    ours = {c.__name__ for c in all_classes(errors.AlpamayoError) if c.__module__ == errors.__name__}
    assert ours == set(EXPECTED)


@pytest.fixture(autouse=True)
def _keep_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the test runner's signal handlers alone."""
    monkeypatch.setattr(wrapper, "_listen_for_signals", lambda: None)


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (errors.BagCorruptError("bag x is cut short"), 4, "alpamayo: bag x is cut short\n"),
        (KeyboardInterrupt(), 130, "alpamayo: interrupted"),
        (wrapper.Interrupted(15), 143, "alpamayo: interrupted by SIGTERM"),
        (OSError(errno.ENOSPC, "No space left on device"), 74, "No space left on device"),
        (OSError(errno.EACCES, "Permission denied", "/x"), 2, "alpamayo: /x: Permission denied"),
        (MemoryError(), 70, "not enough memory"),
        (ZeroDivisionError("division by zero"), 70, "internal error: ZeroDivisionError: division by zero"),
    ],
)
def test_what_is_raised_becomes_one_sentence(
    raised: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def verb() -> int:
        raise raised

    assert wrapper.run_verb(verb) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_a_traceback_is_there_for_who_asks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ALPAMAYO_TRACEBACK", "1")

    def verb() -> int:
        raise ZeroDivisionError

    assert wrapper.run_verb(verb) == 70
    assert "Traceback" in capsys.readouterr().err


def test_a_verbs_code_is_passed_on() -> None:
    assert wrapper.run_verb(lambda: 3) == 3


def test_an_interruption_that_a_library_turned_into_another_error_is_still_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def verb() -> int:
        wrapper._SIGNALS_RECEIVED.append(2)
        raise RuntimeError("Unable to convert call argument '0' to Python object")

    monkeypatch.setattr(wrapper, "_SIGNALS_RECEIVED", [])
    assert wrapper.run_verb(verb) == 130
    assert "interrupted by SIGINT" in capsys.readouterr().err


def test_a_sentence_is_one_line_of_seen_characters(capsys: pytest.CaptureFixture[str]) -> None:
    def verb() -> int:
        raise errors.BagCorruptError("bag a\x1b[2J\nalpamayo: all is well\x9b\u202e\udcff")

    assert wrapper.run_verb(verb) == 4
    assert capsys.readouterr().err == r"alpamayo: bag a\x1b[2J\nalpamayo: all is well\x9b\u202e\udcff" + "\n"


def opened_too_many(number: int) -> int:
    error = OSError(number, "Too many open files", "/bags/b250.mcap")
    raise errors.BagCorruptError("bag file b250.mcap cannot be read") from error


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_too_many_open_files_are_not_the_bags_fault(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    def verb() -> int:
        raise OSError(number, "Too many open files", "/bags/b250.mcap")

    for run in (verb, lambda: opened_too_many(number)):
        assert wrapper.run_verb(run) == 2
        said = capsys.readouterr().err
        assert "ulimit -n" in said
        assert "b250.mcap" in said


@pytest.fixture
def _few_files() -> Iterator[None]:
    """Lower the limit of open files as a shell does, and put it back."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 256), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("_few_files")
def test_a_verb_may_open_as_many_files_as_the_system_grants() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    seen: list[int] = []

    def verb() -> int:
        seen.extend(resource.getrlimit(resource.RLIMIT_NOFILE))
        return 0

    assert wrapper.run_verb(verb) == 0
    granted = wrapper._MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, wrapper._MAX_OPEN_FILES)
    assert seen == [granted, hard]


def test_a_path_of_any_bytes_is_named_and_moves_no_cursor(
    alpamayo: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    for name, shown in (("\x1b[31m\n道.mcap", r"\x1b[31m\n道.mcap"), ("\udcff.mcap", r"\udcff.mcap")):
        (tmp_path / name).write_bytes(b"no bag")
        done = alpamayo("bag", "info", tmp_path / name, PYTHONIOENCODING="utf-8")
        assert done.returncode == 4
        assert shown in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_sentence_that_names_the_limit_already_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    def verb() -> int:
        raise errors.ConfigurationError("too many files are open") from OSError(errno.EMFILE, "Too many open files")

    assert wrapper.run_verb(verb) == 2
    assert capsys.readouterr().err == "alpamayo: too many files are open\n"
