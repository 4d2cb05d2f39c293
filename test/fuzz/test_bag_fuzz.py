"""A short run of the fuzzer; ``make soak`` runs it for an hour."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SECONDS = 10
LIMITS = ("-timeout=30", "-rss_limit_mb=2048", "-max_len=40000", "-print_final_stats=1", "-seed=1")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed"),
]


def fuzz(folder: Path, program: list[str], *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        # With the lowest priority: other tests run beside it and wait for answers.
        ["nice", "-n", "19", sys.executable, *program, str(folder / "corpus"), *LIMITS, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS + 200,
    )


def test_whatever_a_bag_holds_is_read_or_refused_in_a_sentence(tmp_path: Path) -> None:
    run = fuzz(tmp_path, [str(HERE / "bag_target.py")], f"-max_total_time={SECONDS}")
    assert run.returncode == 0, run.stderr[-6000:]
    executed = re.search(r"number_of_executed_units: (\d+)", run.stderr)
    assert executed is not None
    assert int(executed[1]) > 100
    assert not list(tmp_path.glob("crash-*"))


def test_the_fuzzer_stops_at_an_error_that_is_not_of_this_package(tmp_path: Path) -> None:
    program = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import bag_target

def broken(path):
    raise KeyError("found")

bag_target.read_everything = broken
bag_target.main()
"""
    (tmp_path / "broken.py").write_text(program)
    run = fuzz(tmp_path, ["broken.py"], "-runs=20")
    assert run.returncode != 0
    assert "KeyError: 'found'" in run.stdout + run.stderr
    assert list(tmp_path.glob("crash-*"))
