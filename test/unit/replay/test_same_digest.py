"""Whether replays gave the same outputs is judged only where they had the same input."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.errors import BagCorruptError, ConfigurationError, NotComparableError
from alpamayo_ros.replay.same_digest import DigestComparison, DigestRow, compare_digests
from alpamayo_ros.replay.session import ReplayRequest, run_session

OTHER = f"sha256:{'7' * 64}"


@pytest.fixture
def make_result(make_odometry_bag: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies the result of one replay and changes what it says."""
    first = tmp_path / "first"
    run_session(ReplayRequest(bag=make_odometry_bag(duration_s=3.0), profile="kinematic", out=first), clock=lambda: 0.0)

    def make(name: str, **changes: Any) -> Path:
        folder = tmp_path / name
        shutil.copytree(first, folder)
        file = folder / "result.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
        return folder

    return make


def row(output: str = "sha256:a", lineage: str = "sha256:b", answered: int = 16) -> DigestRow:
    return DigestRow("out", "graph", output, lineage, answered)


def test_replays_with_one_digest_are_equal(make_result: Callable[..., Path]) -> None:
    results = [make_result("a"), make_result("b", executed="graph"), make_result("c", executed="stack")]
    comparison = compare_digests(results)
    assert comparison.equal
    assert [(item.path, item.executed) for item in comparison.rows] == [
        (str(results[0]), "in process"), (str(results[1]), "graph"), (str(results[2]), "stack"),
    ]  # fmt: skip
    assert comparison.sentence == "EQUAL: 3 replays of one lineage gave the same outputs (16 ticks answered)"


def test_another_output_digest_is_a_difference_and_the_sentence_says_what_to_do_next(
    make_result: Callable[..., Path],
) -> None:
    comparison = compare_digests([make_result("a"), make_result("b", output_digest=OTHER)])
    assert not comparison.equal
    assert comparison.sentence.startswith("DIFFERENT: 2 replays of one lineage gave 2 different outputs; approve one")


@pytest.mark.parametrize(("name", "other"), [("input_order_digest", OTHER), ("ticks_requested", f"recorded:{OTHER}")])
def test_replays_of_other_inputs_are_not_compared(make_result: Callable[..., Path], name: str, other: str) -> None:
    with pytest.raises(NotComparableError, match=f"the results have 2 different values of {name}; expected one input"):
        compare_digests([make_result("a"), make_result("b", **{name: other})])


def test_fewer_than_two_results_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    for results in ([], [tmp_path / "absent"]):
        with pytest.raises(ConfigurationError, match=rf"{len(results)} result\(s\) were given; expected at least two"):
            compare_digests(results)


def test_a_folder_that_no_replay_finished_is_refused(make_result: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"has no result.json; expected a folder that 'replay run' finished"):
        compare_digests([make_result("a"), tmp_path])


@pytest.mark.parametrize("change", [{"ticks": {"open_at_end": 0}}, {"executed": "by hand"}, {"output_digest": 7}])
def test_a_damaged_document_is_named(make_result: Callable[..., Path], change: dict[str, Any]) -> None:
    damaged = make_result("b", **change)
    with pytest.raises((BagCorruptError, ConfigurationError), match=f"result {damaged}"):
        compare_digests([make_result("a"), damaged])


def test_a_document_that_is_cut_short_is_corrupt(make_result: Callable[..., Path]) -> None:
    damaged = make_result("b")
    (damaged / "result.json").write_text('{"verdict": "pa')
    with pytest.raises(BagCorruptError, match=r"result.json"):
        compare_digests([make_result("a"), damaged])


def test_a_result_equals_itself(make_result: Callable[..., Path]) -> None:
    folder = make_result("a")
    assert compare_digests([folder, folder]).equal


def test_other_lineages_are_counted_in_the_sentence() -> None:
    comparison = DigestComparison((row(lineage="sha256:x"), row(lineage="sha256:y")))
    assert comparison.sentence == "EQUAL: 2 replays of 2 lineages gave the same outputs (16 ticks answered)"


def test_the_document_is_what_a_script_reads() -> None:
    comparison = DigestComparison((row(), row(output="sha256:c")))
    assert json.loads(json.dumps(comparison.document())) == {
        "equal": False,
        "sentence": comparison.sentence,
        "results": [
            {
                "path": "out",
                "executed": "graph",
                "output_digest": digest,
                "lineage_id": "sha256:b",
                "answered": 16,
            }
            for digest in ("sha256:a", "sha256:c")
        ],
    }
