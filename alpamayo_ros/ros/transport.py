"""Shared memory for the pictures that go from node to node in a replay."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from alpamayo_ros.params.documents import packaged
from alpamayo_ros.params.profile import Profile

VARIABLE = "FASTDDS_DEFAULT_PROFILES_FILE"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux has shared memory, not a file of ours
NEEDED_BYTES = 1_000_000_000
"""Free shared memory below which the small default is left: a container often has 64 MB, and using more ends it."""


def large_data_environment(profile: Profile, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what lets Fast DDS send the observations of a profile with cameras in one piece; empty where it cannot.

    The default cuts messages into pieces of 64 kB in half a megabyte. Whoever chose a profile or another middleware
    keeps it.
    """
    middleware = environment.get("RMW_IMPLEMENTATION", "")
    if not profile.cameras or environment.get(VARIABLE) or "fastrtps" not in (middleware or "fastrtps"):
        return {}
    try:
        free = shutil.disk_usage(SHARED_MEMORY).free
    except OSError:
        return {}
    return {VARIABLE: str(packaged("config", "fastdds", "large_data.xml"))} if free >= NEEDED_BYTES else {}
