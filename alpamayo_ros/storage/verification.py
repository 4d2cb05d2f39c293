"""What was verified about a bag: each check is ok, failed, or absent because the bag does not carry it."""

from dataclasses import dataclass, field
from enum import Enum

MAX_NAMED_PROBLEMS = 20
"""Problems of one check that are named; further ones are only counted."""


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
    """

    name: str
    outcome: Outcome
    sentence: str
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Running:
    passed: int = 0
    failed: int = 0
    absent: str = ""
    problems: list[str] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)


CHECKS = {
    "files": "files that are there: {}",
    "metadata": "statements of metadata.yaml that agree with the files: {}",
    "structure": "files that are whole from their first to their last record: {}",
    "chunk checksums": "chunks that equal their checksum: {}",
    "data checksum": "data sections that equal their checksum: {}",
    "summary checksum": "summaries that equal their checksum: {}",
    "index": "statements of index and statistics that agree with the file: {}",
    "message index": "index entries that point at their message: {}",
    "attachments": "attachments that equal their checksum: {}",
    "database": "databases that pass their integrity check: {}",
    "receive times": "messages within the times of their chunk and file: {}",
    "publish times": "messages with a publish time: {}",
    "header stamps": "topics with header stamps: {}",
    "payloads": "payloads with a plausible CDR header: {}",
    "decoding": "decoded messages: {}",
    "type hashes": "types with the hash of their definition: {}",
    "identity": "places that agree on lineage and envelope: {}",
}
"""Every check in the order of the report, with the sentence of its success."""


class Verification:
    """Gathers results while a bag is walked over; memory is bounded."""

    def __init__(self) -> None:
        """Begin with nothing verified."""
        self._running: dict[str, _Running] = {name: _Running() for name in CHECKS}

    def add_passed(self, name: str, count: int = 1) -> None:
        """Count something that is as it should be."""
        self._running[name].passed += count

    def add_failed(self, name: str, problem: str, count: int = 1) -> None:
        """Note a problem."""
        running = self._running[name]
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

    def add_compared(self, name: str, what: str, stated: object, found: object) -> None:
        """Compare what is stated with what was found."""
        if stated == found:
            self.add_passed(name)
        else:
            self.add_failed(name, f"{what}: stated {str(stated)[:100]}, found {str(found)[:100]}")

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
        return Check(name, Outcome.FAILED, f"{problems[0]}{more}", problems, notes)
    if running.passed:
        also = f"; {running.absent}" if running.absent else ""
        return Check(name, Outcome.OK, CHECKS[name].format(running.passed) + also, (), notes)
    return Check(name, Outcome.ABSENT, running.absent or "; ".join(notes), (), notes)
