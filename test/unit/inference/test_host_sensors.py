"""Energy and heat are what the host tells, and nothing where it does not."""

from pathlib import Path

import pytest

from alpamayo_ros.inference.host_sensors import hottest_c, package_energy_j


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="ascii")


def test_the_energy_of_all_packages_is_added_up_and_their_parts_are_not(tmp_path: Path) -> None:
    write(tmp_path / "intel-rapl:0" / "energy_uj", "1500000\n")
    write(tmp_path / "intel-rapl:1" / "energy_uj", "2500000\n")
    write(tmp_path / "intel-rapl:0:0" / "energy_uj", "900000\n")
    write(tmp_path / "intel-rapl:2" / "energy_uj", "9900000\n")
    for folder, name in (("intel-rapl:0", "package-0"), ("intel-rapl:1", "package-1"), ("intel-rapl:0:0", "core"),
                         ("intel-rapl:2", "psys")):  # fmt: skip
        (tmp_path / folder / "name").write_text(f"{name}\n", encoding="ascii")
    assert package_energy_j(tmp_path) == pytest.approx(4.0)
    (tmp_path / "intel-rapl:1" / "energy_uj").write_text("broken", encoding="ascii")
    assert package_energy_j(tmp_path) is None


def test_the_hottest_sensor_counts(tmp_path: Path) -> None:
    write(tmp_path / "thermal_zone0" / "temp", "45000\n")
    write(tmp_path / "thermal_zone1" / "temp", "61500\n")
    write(tmp_path / "thermal_zone2" / "temp", "")
    assert hottest_c(tmp_path) == pytest.approx(61.5)


def test_a_host_that_does_not_tell_gives_nothing(tmp_path: Path) -> None:
    assert package_energy_j(tmp_path / "nowhere") is None
    assert hottest_c(tmp_path) is None
