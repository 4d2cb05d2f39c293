"""What was verified about a bag: each check is ok, failed, or absent because the bag does not carry it."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, TypeVar

MAX_NAMED_PROBLEMS = 20
"""Problems of one check that are named; further ones are only counted."""


_Value = TypeVar("_Value")
_Input = TypeVar("_Input", contravariant=True)


class _Text(Protocol[_Input]):
    def __call__(self, value: _Input, /) -> str: ...


class Outcome(Enum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    ABSENT = "absent"
    """The bag does not carry what would be verified, such as a checksum or an identity."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was verified.

    Attributes:
        name: Stable name for scripts.
        outcome: How it ended.
        sentence: What was found.
        problems: What is wrong, the first of them, one sentence each.
        notes: What is odd without being wrong.
        is_recoverable: Whether something failed that a recovered bag would not have.
    """

    name: str
    outcome: Outcome
    sentence: str
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_recoverable: bool = False


@dataclass(slots=True)
class _Running:
    passed: int = 0
    failed: int = 0
    recoverable: int = 0
    absent: str = ""
    problems: list[str] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)


CHECKS = {
    "files": ("1 file is there", "{} files are there"),
    "metadata": ("1 statement of metadata.yaml is true", "{} statements of metadata.yaml are true"),
    "structure": ("1 file is whole to its last record", "{} files are whole to their last record"),
    "chunk checksums": ("1 chunk matches", "{} chunks match"),
    "data checksum": ("1 data section matches", "{} data sections match"),
    "summary checksum": ("1 summary matches", "{} summaries match"),
    "index": ("1 statement of index and statistics is true", "{} statements of index and statistics are true"),
    "message index": ("1 entry points at its message", "{} entries point at their message"),
    "attachments": ("1 attachment matches its checksum", "{} attachments match their checksums"),
    "database": ("1 database is sound", "{} databases are sound"),
    "receive times": (
        "1 message lies within the times of its file",
        "{} messages lie within the times of their chunk and file",
    ),
    "publish times": ("1 message has a publish time", "{} messages have a publish time"),
    "header stamps": ("1 topic has header stamps", "{} topics have header stamps"),
    "payloads": ("1 message begins as CDR does", "{} messages begin as CDR does"),
    "decoding": ("1 message was decoded", "{} messages were decoded"),
    "type hashes": ("1 type has the hash of its definition", "{} types have the hash of their definition"),
    "identity": ("1 place names lineage or envelope", "{} places agree on lineage and envelope"),
}
"""Every check in the order of the report, with the sentence of its success for one and for several."""

BEYOND_RECOVERY = ("type hashes", "payloads", "decoding", "identity")
"""Checks that can fail in a bag that is whole: its messages were recorded so, or other tools changed its names."""


def duration_text(duration_ns: int) -> str:
    """Return a duration with its unit, in the unit that reads best."""
    for unit, size_ns in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000)):
        if abs(duration_ns) >= size_ns:
            return f"{duration_ns / size_ns:.3f} {unit}"
    return f"{duration_ns} ns"


def time_text(stamp_ns: int) -> str:
    """Return a receive time with its unit."""
    return f"{stamp_ns} ns"


class Verification:
    """Gathers results while a bag is walked over; memory is bounded."""

    def __init__(self) -> None:
        """Begin with nothing verified."""
        self._running: dict[str, _Running] = {name: _Running() for name in CHECKS}

    def add_passed(self, name: str, count: int = 1) -> None:
        """Count something that is as it should be."""
        self._running[name].passed += count

    def add_failed(self, name: str, problem: str, count: int = 1, *, is_recoverable: bool = True) -> None:
        """Note a problem, and whether a recovered bag would be without it."""
        running = self._running[name]
        running.recoverable += is_recoverable and name not in BEYOND_RECOVERY
        running.failed += count
        if len(running.problems) < MAX_NAMED_PROBLEMS:
            running.problems.append(problem)

    def add_absent(self, name: str, sentence: str) -> None:
        """Note that there is nothing to verify."""
        self._running[name].absent = sentence

    def add_note(self, name: str, note: str) -> None:
        """Note something odd that is not wrong."""
        notes = self._running[name].notes
        if len(notes) < MAX_NAMED_PROBLEMS:
            notes[note] = None

    def has_failed(self, name: str) -> bool:
        """Say whether a check has failed so far."""
        return self._running[name].failed > 0

    def add_compared(self, name: str, what: str, stated: _Value, found: _Value, text: _Text[_Value] = str) -> None:
        """Compare what is stated with what was found.

        Args:
            name: The check.
            what: What both are about, and who states it.
            stated: What is stated.
            found: What was found.
            text: Makes a text of either.
        """
        if stated == found:
            self.add_passed(name)
        else:
            self.add_failed(name, f"{what} {text(stated)[:100]}, but it is {text(found)[:100]}")

    def checks(self) -> tuple[Check, ...]:
        """Return every check that had something to say."""
        return tuple(
            _check(name, running)
            for name, running in self._running.items()
            if running.passed or running.failed or running.absent or running.notes
        )


def _check(name: str, running: _Running) -> Check:
    problems, notes = tuple(running.problems), tuple(running.notes)
    if running.failed:
        more = "" if running.failed == 1 else f" (and {running.failed - 1} more)"
        return Check(name, Outcome.FAILED, f"{problems[0]}{more}", problems, notes, running.recoverable > 0)
    if running.passed:
        also = f"; {running.absent}" if running.absent else ""
        one, many = CHECKS[name]
        sentence = one if running.passed == 1 else many.format(running.passed)
        return Check(name, Outcome.OK, sentence + also, (), notes)
    return Check(name, Outcome.ABSENT, running.absent or "; ".join(notes), (), notes)
