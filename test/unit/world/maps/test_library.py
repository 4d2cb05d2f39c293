"""Maps are found by name and are the same in every process."""

import subprocess
import sys

import pytest

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.world.maps.library import VARIANTS, load_map


def test_a_map_is_compiled_once_in_a_process() -> None:
    assert load_map("tee/train/1") is load_map("tee/train/1")


def test_another_process_compiles_the_same_bytes() -> None:
    program = "from alpamayo_ros.world.maps.library import load_map; print(load_map('tee/train/1').road_map.digest)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == load_map("tee/train/1").road_map.digest


def test_every_number_and_split_is_another_map() -> None:
    names = [*(f"zebra/train/{k}" for k in range(4)), *(f"zebra/held_out/{k}" for k in range(2))]
    assert len({load_map(name).road_map.digest for name in names}) == len(names)


@pytest.mark.parametrize(
    "name",
    ["", "tee", "tee/train", "tee/test/0", "roundabout/train/0", "tee/train/-1", "tee/train/x", "tee/train/1/2",
     f"tee/train/{VARIANTS['train']}", "tee/train/\u0663", "../tee/train/0"],
)  # fmt: skip
def test_names_of_no_map_are_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="expected"):
        load_map(name)
