"""How much memory this process could still take, as far as the host tells."""

from pathlib import Path

MEMORY = Path("/proc/meminfo")
GROUPS = Path("/sys/fs/cgroup")
_LIMITS = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)
"""Files of control groups, version 2 and 1: limit, use, and in the statistics what of the use is given back."""


def free_memory_bytes(memory: Path = MEMORY, groups: Path = GROUPS) -> int | None:
    """Return the bytes that the host, and the control group of a container, would still grant.

    Args:
        memory: Where the kernel tells of the host's memory.
        groups: Where it tells of the control group.

    Returns:
        The least of them; None where the host does not tell.
    """
    found = [_entry(memory, "MemAvailable:", 1024)]
    for limit, used, statistics, reclaimed in _LIMITS:
        most, now = _number(groups / limit), _number(groups / used)
        if most is not None and now is not None:
            found.append(max(most - now + (_entry(groups / statistics, reclaimed, 1) or 0), 0))
    return min((value for value in found if value is not None), default=None)


def _entry(path: Path, name: str, unit: int) -> int | None:
    for words in map(str.split, _text(path).splitlines()):
        if len(words) > 1 and words[0] == name and words[1].isdecimal():
            return unit * int(words[1])
    return None


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdecimal() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
