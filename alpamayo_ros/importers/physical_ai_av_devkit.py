"""Open NVIDIA's PhysicalAI-Autonomous-Vehicles data set through its public devkit, an optional package."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.importers.foreign_error import sentence_of

PACKAGE = "physical_ai_av"
"""Import and distribution name of the devkit."""

LOCAL_COPY = "local copy"
"""Revision of a folder that does not say which one it is."""

_CACHE_FOLDER = "datasets--nvidia--PhysicalAI-Autonomous-Vehicles"
"""Name of the data set's folder in a Hugging Face cache."""

_COMMIT = re.compile(r"[0-9a-f]{40}")
_NO_COMMIT = "0" * 40
"""Stands for the revision of a plain folder; the cache's rules want a commit."""


class Devkit(Protocol):
    """The part of ``physical_ai_av.PhysicalAIAVDatasetInterface`` that is used.

    Attributes:
        clip_index: Table with one row for each clip: ``index``, ``columns`` and ``at[clip, column]``.
        feature_presence: The same for the features that clips have; not every feature has a column.
        features: Every feature of the data set by name in ``ALL``.
    """

    clip_index: Any
    features: Any
    feature_presence: Any

    def get_clip_feature(self, clip_id: str, feature: str, maybe_stream: bool = False) -> Any:
        """Read one feature of a clip, over the network only if ``maybe_stream``."""


@dataclass(frozen=True, slots=True)
class OpenedDataset:
    """A data set that can be read.

    Attributes:
        devkit: Reads it.
        streaming: Whether it may read over the network.
        revision: Commit of the data set, or LOCAL_COPY.
        devkit_version: Version of the devkit.
    """

    devkit: Devkit
    streaming: bool
    revision: str
    devkit_version: str


@contextmanager
def open_dataset(root: Path | None = None, revision: str | None = None) -> Iterator[OpenedDataset]:
    """Open the data set; with ``root`` nothing is read over the network.

    Args:
        root: Local copy: a folder with ``features.csv``, or a Hugging Face cache that holds the data set. Without it
            the devkit's own cache is used, and what is missing there comes over the network.
        revision: Commit of the data set; by default the newest that is known.

    Raises:
        ConfigurationError: The devkit is not installed, ``root`` is not a copy of the data set, or the data set
            cannot be opened.
    """
    package, constants = _import_devkit()
    with ExitStack() as stack:
        options: dict[str, Any] = {"revision": revision}
        if root is not None:
            cache, commit = stack.enter_context(_cache_of(root, revision))
            stack.enter_context(_offline(constants))
            options = {"revision": commit, "cache_dir": cache, "token": False}
        try:
            devkit = package.PhysicalAIAVDatasetInterface(**options)
        except Exception as error:
            # The devkit raises whatever pandas, pyarrow and huggingface_hub meet first.
            where = f"in {root}" if root is not None else "over the network"
            raise ConfigurationError(
                f"PhysicalAI-Autonomous-Vehicles cannot be opened {where}: {sentence_of(error)}; expected a whole "
                "local copy (features.csv, clip_index.parquet, metadata/), or network access with a token whose owner "
                "accepted the data set's licence"
            ) from error
        opened_revision = str(getattr(devkit, "revision", "") or "")
        yield OpenedDataset(
            devkit=devkit,
            streaming=root is None,
            revision=LOCAL_COPY if opened_revision in ("", _NO_COMMIT) else opened_revision,
            devkit_version=_devkit_version(),
        )


def _import_devkit() -> tuple[Any, Any]:
    try:
        return import_module(PACKAGE), import_module("huggingface_hub.constants")
    except ImportError as error:
        raise ConfigurationError(
            f"clips of PhysicalAI-Autonomous-Vehicles are read by NVIDIA's devkit, which cannot be imported ({error}); "
            f"install it with: pip install {PACKAGE} (Python 3.11 or newer)"
        ) from error


def _devkit_version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return "unknown"


@contextmanager
def _cache_of(root: Path, revision: str | None) -> Iterator[tuple[Path, str]]:
    """Give a Hugging Face cache that holds a local copy, and the commit under which it does.

    The devkit reads from caches only; a plain folder becomes one by a link to it.
    """
    cached = root / _CACHE_FOLDER
    if cached.is_dir():
        yield root.resolve(), _commit_in(cached, revision)
    elif (root / "features.csv").is_file():
        commit = revision or (root.resolve().name if _COMMIT.fullmatch(root.resolve().name) else _NO_COMMIT)
        if not _COMMIT.fullmatch(commit):
            raise ConfigurationError(f"revision {revision!r} is not a commit; expected 40 hexadecimal digits")
        with tempfile.TemporaryDirectory(prefix="alpamayo-dataset-") as folder:
            snapshots = Path(folder) / _CACHE_FOLDER / "snapshots"
            snapshots.mkdir(parents=True)
            (snapshots / commit).symlink_to(root.resolve(), target_is_directory=True)
            yield Path(folder), commit
    else:
        raise ConfigurationError(
            f"root {root} is not a copy of PhysicalAI-Autonomous-Vehicles; expected a folder with features.csv, or a "
            f"Hugging Face cache with {_CACHE_FOLDER}/"
        )


def _commit_in(cached: Path, revision: str | None) -> str:
    """Return which snapshot of a cache to read."""
    snapshots = cached / "snapshots"
    commits = sorted(entry.name for entry in snapshots.iterdir()) if snapshots.is_dir() else []
    main = cached / "refs" / "main"
    wanted = revision or (main.read_text(encoding="ascii", errors="replace").strip() if main.is_file() else None)
    if wanted is None and len(commits) == 1:
        wanted = commits[0]
    if wanted not in commits:
        listed = ", ".join(commits) if commits else "none"
        raise ConfigurationError(f"cache {cached} has no snapshot {wanted}; expected one of its snapshots: {listed}")
    return str(wanted)


@contextmanager
def _offline(constants: Any) -> Iterator[None]:
    """Forbid huggingface_hub the network, as its variable HF_HUB_OFFLINE does when it is set before the import."""
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
