"""What the host tells of its energy and heat, as far as it does."""

from pathlib import Path

ENERGY = Path("/sys/class/powercap")
HEAT = Path("/sys/class/thermal")


def package_energy_j(folder: Path = ENERGY) -> float | None:
    """Return the energy counters of all processor packages added up, in J; None where the host does not tell.

    A counter begins again at zero after some hours: a difference below zero is to be thrown away.
    """
    return _sum(sorted(folder.glob("intel-rapl:[0-9]*/energy_uj")), 1e-6)


def hottest_c(folder: Path = HEAT) -> float | None:
    """Return the highest temperature of any sensor in degrees Celsius; None where the host does not tell."""
    found = [value for value in map(_number, folder.glob("thermal_zone*/temp")) if value is not None]
    return max(found) / 1000.0 if found else None


def _sum(paths: list[Path], unit: float) -> float | None:
    # Counters of a part of a package, such as intel-rapl:0:0, and of the whole board are no packages.
    values = [_number(path) for path in paths if _is_package(path.parent)]
    known = [value for value in values if value is not None]
    return unit * sum(known) if known and len(known) == len(values) else None


def _is_package(folder: Path) -> bool:
    try:
        return (folder / "name").read_text(encoding="ascii").startswith("package")
    except (OSError, ValueError):
        return False


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
