"""Say whether several replays of one input gave the same outputs, bit by bit."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import ConfigurationError, NotComparableError
from alpamayo_ros.replay.baseline import load_result


@dataclass(frozen=True, slots=True)
class DigestRow:
    """What one result says.

    Attributes:
        path: Folder of the result as it was named.
        executed: How its stages ran.
        output_digest: Digest of its outputs.
        lineage_id: Lineage that produced them.
        answered: Ticks that were answered.
    """

    path: str
    executed: str
    output_digest: str
    lineage_id: str
    answered: int


@dataclass(frozen=True, slots=True)
class DigestComparison:
    """The digests of several results of one input."""

    rows: tuple[DigestRow, ...]

    @property
    def equal(self) -> bool:
        """Whether all of them are equal."""
        return len({row.output_digest for row in self.rows}) == 1

    @property
    def sentence(self) -> str:
        """The judgement in words."""
        lineages = len({row.lineage_id for row in self.rows})
        of = "of one lineage" if lineages == 1 else f"of {lineages} lineages"
        if self.equal:
            return (
                f"EQUAL: {len(self.rows)} replays {of} gave the same outputs ({self.rows[0].answered} ticks answered)"
            )
        distinct = len({row.output_digest for row in self.rows})
        return (
            f"DIFFERENT: {len(self.rows)} replays {of} gave {distinct} different outputs; approve one of them as a "
            "baseline and run the other with --baseline to see where"
        )

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {"equal": self.equal, "sentence": self.sentence, "results": [asdict(row) for row in self.rows]}


def compare_digests(results: Sequence[Path]) -> DigestComparison:
    """Compare the output digests of results.

    Args:
        results: Folders of finished replays, at least two.

    Raises:
        ConfigurationError: There are fewer than two, or one is no finished replay.
        BagCorruptError: A result document is damaged.
        NotComparableError: They are of different inputs.
    """
    if len(results) < 2:
        raise ConfigurationError(f"{len(results)} result(s) were given; expected at least two to compare")
    documents = [load_result(path) for path in results]
    for name in ("input_order_digest", "ticks_requested"):
        values = {document[name] for document in documents}
        if len(values) > 1:
            raise NotComparableError(f"the results have {len(values)} different values of {name}; expected one input")
    return DigestComparison(
        tuple(
            DigestRow(
                str(path),
                document["executed"],
                document["output_digest"],
                document["lineage_id"],
                document["ticks"]["ANSWERED"],
            )
            for path, document in zip(results, documents, strict=True)
        )
    )
