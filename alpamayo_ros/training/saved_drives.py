"""Closed-loop drives, kept as they are made, so that an evaluation of an hour goes on where it was broken off."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from alpamayo_ros.errors import ArtifactError, ConfigurationError
from alpamayo_ros.world.campaign import DriveRequest, drive_all
from alpamayo_ros.world.metrics import DriveMetrics

DRIVES_OF_A_PART = 20
_METRICS = TypeAdapter(DriveMetrics)


def saved_drives(
    path: Path,
    identity: str,
    requests: Sequence[DriveRequest],
    processes: int,
    watch: Callable[[int, int], None],
) -> list[DriveMetrics]:
    """Drive what has not been driven yet, and return the metrics of all requests in their order.

    Args:
        path: File of one line for each drive; made if missing.
        identity: What drives, by digest or name.
        requests: What to drive.
        processes: Worker processes.
        watch: Called with the number of drives that are there and of all.

    Raises:
        ConfigurationError: The file holds the drives of another one.
        ArtifactError: The file cannot be read.
        AlpamayoError: Of the class that fits what is wrong with a drive.
    """
    found = _read(path, identity)
    missing = [request for request in requests if request.episode not in found]
    watch(len(requests) - len(missing), len(requests))
    for start in range(0, len(missing), DRIVES_OF_A_PART):
        part = missing[start : start + DRIVES_OF_A_PART]
        behind = len(requests) - len(missing) + start

        def told(done: int, _: int, behind: int = behind) -> None:
            watch(behind + done, len(requests))

        outcomes = drive_all(part, workers=processes, progress=told)
        with path.open("a", encoding="utf-8") as file:
            for outcome in outcomes:
                found[outcome.episode] = outcome.metrics
                row = {"drives": identity, "episode": outcome.episode, "metrics": _METRICS.dump_python(outcome.metrics)}
                file.write(json.dumps(row) + "\n")
    return [found[request.episode] for request in requests]


def _read(path: Path, identity: str) -> dict[str, DriveMetrics]:
    if not path.exists():
        return {}
    found: dict[str, DriveMetrics] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            drives, episode, metrics = row["drives"], row["episode"], _METRICS.validate_python(row["metrics"])
        except (ValueError, TypeError, KeyError, ValidationError) as error:
            raise ArtifactError(
                f"{path}, line {number}, is no drive: {error}; remove that line and the drive is made again"
            ) from error
        if drives != identity:
            raise ConfigurationError(
                f"{path} holds drives of {drives}; expected {identity}: name another folder, or remove it"
            )
        found[episode] = metrics
    return found
