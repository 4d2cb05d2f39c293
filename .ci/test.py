"""Run everything that CI runs: set-up, the linters and the tests; every part runs even if an earlier one failed.

The last line counts tests, and each linter as one. The exit code is 0 if nothing failed, 1 if something did, 2 if the
set-up could not be done. Standard library only.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
JUNIT = ROOT / "out" / "junit.xml"
LINTERS = (
    ("ruff check", ["ruff", "check"]),
    ("ruff format", ["ruff", "format", "--check"]),
    ("import-linter", ["lint-imports"]),
    ("mypy", ["mypy"]),
    ("codespell", ["codespell"]),
)
PYTEST = [
    # Many tests wait for another process, so one more at a time than there are cores.
    "pytest", "test", "-m", "not bench", "-n", str(min(os.cpu_count() or 1, 4) + 1), "--dist", "loadfile",
    # A sourced ROS 2 and the system bring plugins for other versions of pytest.
    "--disable-plugin-autoload", "-p", "alpamayo_ros", "-p", "hypothesispytest", "-p", "timeout", "-p", "xdist",
    f"--junitxml={JUNIT}",
]  # fmt: skip
HIGHEST_DOMAIN_ID = 101
"""Above it the ports of DDS reach into the range that Linux gives to any program."""


class Part(NamedTuple):
    """One part of the run, for the table at the end."""

    name: str
    seconds: float
    passed: int
    failed: int
    skipped: int
    reasons: "Counter[str]"


def main() -> int:
    """Run the parts, print the table, judge."""
    parser = argparse.ArgumentParser(description="Run everything that CI runs.")
    parser.add_argument("--only", choices=("lint", "tests"), help="run this half only")
    only = parser.parse_args().only
    begun = time.monotonic()
    parts = [run_part("set-up", [sys.executable, str(ROOT / ".ci" / "set_up.py")], dict(os.environ))]
    if parts[0].failed:
        return 2
    with ThreadPoolExecutor(1) as beside:
        linters = [beside.submit(run_linter, name, command) for name, command in LINTERS] if only != "tests" else []
        if only != "lint":
            with private_domain() as domain:
                parts.append(run_tests(domain))
    parts[1:1] = [report_linter(linter.result()) for linter in linters]
    report(parts, time.monotonic() - begun)
    return 1 if any(part.failed for part in parts) else 0


def run_part(name: str, command: List[str], environment: Dict[str, str]) -> Part:
    """Run one command, its output unchanged."""
    print(f"\n== {name}", flush=True)
    started = time.monotonic()
    returncode = subprocess.run(command, cwd=str(ROOT), env=environment, check=False).returncode
    return Part(name, time.monotonic() - started, int(returncode == 0), int(returncode != 0), 0, Counter())


def run_linter(name: str, command: List[str]) -> "tuple[Part, str]":
    """Run a linter and keep what it says, because tests run beside it."""
    started = time.monotonic()
    run = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=str(ROOT),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    passed = run.returncode == 0
    part = Part(name, time.monotonic() - started, int(passed), int(not passed), 0, Counter())
    return part, run.stdout.decode(errors="replace")


def report_linter(linted: "tuple[Part, str]") -> Part:
    """Print what a linter said."""
    part, text = linted
    print(f"\n== {part.name}\n{text}", end="", flush=True)
    return part


def run_tests(domain: socket.socket) -> Part:
    """Run pytest on the installed tree and count from its report; no report and no test are failures."""
    environment = dict(
        os.environ,
        ROS_DOMAIN_ID=domain.getsockname().decode().rsplit("-", 1)[1],
        ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST",
        ROS_LOG_DIR=str(ROOT / "out" / "ros_log"),
    )
    if environment.get("ROS_DISTRO") == "humble":
        environment["ROS_LOCALHOST_ONLY"] = "1"  # what that distribution has in place of the discovery range
    JUNIT.parent.mkdir(exist_ok=True)
    if JUNIT.exists():
        JUNIT.unlink()
    run = run_part("tests", [str(BIN / PYTEST[0]), *PYTEST[1:]], environment)
    passed, failed, reasons = count(JUNIT)
    broken = run.failed if not failed else 0  # collection, usage or internal error, or no test at all
    return Part("tests", run.seconds, passed, failed + broken, sum(reasons.values()), reasons)


def count(junit: Path) -> "tuple[int, int, Counter[str]]":
    """Count the tests of a JUnit file that passed and failed, and the reasons of those that were skipped."""
    try:
        cases = list(ET.parse(str(junit)).iter("testcase"))
    except (OSError, ET.ParseError):
        return 0, 0, Counter()
    bad = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    reasons = Counter(reason_of(skip) for case in cases for skip in case.findall("skipped"))
    return len(cases) - bad - sum(reasons.values()), bad, reasons


def reason_of(skip: ET.Element) -> str:
    """Return why a test, or a whole file of them, was skipped."""
    message = skip.get("message") or "no reason given"
    if message != "collection skipped":
        return message
    # pytest puts the reason of a file into the text: ('path', line, 'Skipped: reason').
    found = re.search(r"Skipped: (.*?)['\"]\)\s*$", skip.text or "", re.DOTALL)
    return f"a whole file: {found.group(1)}" if found else message


def private_domain() -> socket.socket:
    """Reserve a ROS domain that no other test run on this machine has, until the socket is closed.

    An abstract socket lives in the network namespace, as the ports of DDS do, and dies with its process.
    """
    for attempt in range(HIGHEST_DOMAIN_ID):
        domain_id = 1 + (os.getpid() + attempt) % HIGHEST_DOMAIN_ID
        reservation = socket.socket(socket.AF_UNIX)
        try:
            reservation.bind(f"\0alpamayo_ros-domain-{domain_id}")
        except OSError:
            reservation.close()
        else:
            return reservation
    raise SystemExit(f"every ROS domain from 1 to {HIGHEST_DOMAIN_ID} is taken by another test run; end one of them")


def report(parts: List[Part], seconds: float) -> None:
    """Print what each part took, why tests were skipped, and the closing line."""
    width = max(len(part.name) for part in parts)
    print(f"\n{'part':<{width}}  {'seconds':>7}  {'passed':>6}  {'failed':>6}  {'skipped':>7}")
    for part in parts:
        print(f"{part.name:<{width}}  {part.seconds:7.1f}  {part.passed:6d}  {part.failed:6d}  {part.skipped:7d}")
    print(f"{'total':<{width}}  {seconds:7.1f}  (the linters run beside the tests)")
    for reason, number in Counter(reason for part in parts for reason in part.reasons.elements()).most_common():
        print(f"skipped {number}: {reason}")
    counted = [part for part in parts if part.name != "set-up"]
    failed = [part.name for part in counted if part.failed]
    if failed:
        print(f"failed: {', '.join(failed)}")
    totals = {key: sum(getattr(part, key) for part in counted) for key in ("passed", "failed", "skipped")}
    print(", ".join(f"{number} {key}" for key, number in totals.items()))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
