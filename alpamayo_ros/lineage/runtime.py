"""Identify what computes: this package by its source files, and the libraries it computes with."""

import hashlib
import os
import platform
import re
import sys
from functools import lru_cache
from importlib import metadata, resources
from pathlib import Path

import cv2
import numpy as np

_GENERATED = frozenset({"msg", "srv", "action", "__pycache__"})
"""Folders that the build makes beside ours."""


def source_files() -> list[tuple[str, Path]]:
    """Return (path below the package, file) of every source file of this package, sorted by path.

    Ours are the ``*.py`` of our rooms and everything in ``_data`` but models, which are components of their own; what
    the build generates is left out.
    """
    root = Path(str(resources.files("alpamayo_ros")))
    found: list[tuple[str, Path]] = []
    for folder, names, files in os.walk(root, followlinks=True):
        below = Path(folder).relative_to(root)
        if below == Path():
            names[:] = [name for name in names if name not in _GENERATED]
        names[:] = [name for name in names if name != "__pycache__"]
        data = below.parts[:1] == ("_data",)
        if below.parts == ("_data", "config"):
            names[:] = [name for name in names if name != "models"]
        found += [((below / name).as_posix(), Path(folder) / name) for name in files if data or name.endswith(".py")]
    return sorted(found)


@lru_cache(maxsize=1)
def source_digest() -> str:
    """Return the sha256 over lines ``path<TAB>sha256`` of every source file, as hex."""
    digest = hashlib.sha256()
    for name, file in source_files():
        digest.update(f"{name}\t{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def package_version() -> str:
    """Return the version of this package, ``unknown`` where it runs from a bare source tree."""
    try:
        return metadata.version("alpamayo_ros")
    except metadata.PackageNotFoundError:
        return "unknown"


def runtime_details() -> dict[str, str]:
    """Return what computes, by name; the digest of this document is the runtime component."""
    return {
        "alpamayo_ros": package_version(),
        "alpamayo_ros_source_sha256": source_digest(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


@lru_cache(maxsize=1)
def provenance() -> dict[str, str]:
    """Return where it runs: stated beside the lineage, but no part of its id."""
    return {
        "cpu": _cpu_model(),
        "cpu_count": str(os.cpu_count() or "unknown"),
        "machine": platform.machine(),
        "operating_system": platform.platform(),
        "python": sys.version.split()[0],
    }


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "unknown"
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match.group(1) if match else "unknown"
