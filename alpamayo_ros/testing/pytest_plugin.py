"""The pytest plugin: replay tests in a user's own suite. It imports nothing heavy when it loads."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from alpamayo_ros.structs.verdict import ReplayResult


_FILES = {
    "topics": "topics",
    "calibration": "calibration",
    "params": "parameters",
    "envelope": "envelope",
    "policy": "policy",
}


@pytest.fixture
def alpamayo_replay(tmp_path: Path) -> "Callable[..., ReplayResult]":
    """Return ``replay(bag, *, profile, baseline=None, **options) -> ReplayResult``.

    With a baseline, the test fails unless the verdict is *pass*; the failure gives the reasons and the report.
    Without one, the result is returned for the test to judge. ``options`` are those of ``alpamayo replay run``:
    the files ``topics``, ``calibration``, ``params``, ``envelope``, ``policy``, and ``ticks``. Outputs and report are
    written below ``tmp_path``.
    """

    def replay(
        bag: "str | Path", *, profile: str, baseline: "str | Path | None" = None, **options: Any
    ) -> "ReplayResult":
        from alpamayo_ros.errors import AlpamayoError
        from alpamayo_ros.replay.session import REPORT_FILE, ReplayRequest, run_session
        from alpamayo_ros.structs.verdict import Verdict

        unknown = sorted(set(options) - {*_FILES, "ticks"})
        if unknown:
            pytest.fail(f"replay takes no {', '.join(unknown)}; expected: {', '.join(_FILES)}, ticks", pytrace=False)
        given: dict[str, Any] = {
            _FILES.get(name, name): Path(value) if name in _FILES else value for name, value in options.items()
        }
        number = sum(1 for entry in tmp_path.iterdir() if entry.name.startswith("alpamayo_replay_"))
        request = ReplayRequest(
            bag=Path(bag),
            profile=profile,
            out=tmp_path / f"alpamayo_replay_{number}",
            baseline=None if baseline is None else Path(baseline),
            **given,
        )
        try:
            result = run_session(request, clock=time.perf_counter)
        except AlpamayoError as error:
            pytest.fail(f"replay of {bag}: {error}", pytrace=False)
        if baseline is not None and result.verdict is not Verdict.PASS:
            reasons = "\n".join(f"  {reason}" for reason in result.reasons)
            pytest.fail(
                f"replay of {bag} is {result.verdict.value}:\n{reasons}\nreport: {request.out / REPORT_FILE}",
                pytrace=False,
            )
        return result

    return replay
