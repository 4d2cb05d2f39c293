"""A rule picks one sample, the same one each time."""

import numpy as np

from alpamayo_ros.planning.selection import SELECTIONS, first_sample, medoid


def paths(*offsets: float) -> tuple[np.ndarray, np.ndarray]:
    x = np.tile(np.arange(4, dtype=np.float32), (len(offsets), 1))
    return x, np.array(offsets, np.float32)[:, np.newaxis] + np.zeros_like(x)


def test_the_first_sample_is_the_first() -> None:
    assert first_sample(*paths(5.0, 0.0)) == 0


def test_the_medoid_is_nearest_to_the_others_and_the_first_of_equal_ones() -> None:
    assert medoid(*paths(-4.0, 0.0, 1.0, 9.0)) == 1
    assert medoid(*paths(-3.0, 3.0)) == 0
    assert medoid(*paths(2.0)) == 0


def test_the_medoid_of_huge_paths_is_found_without_a_warning() -> None:
    assert medoid(*paths(-3e38, 3e38, 0.0)) == 2


def test_every_rule_has_words() -> None:
    assert {name: words for name, (words, _) in SELECTIONS.items()} == {
        "first_sample": "first sample",
        "medoid": "medoid",
    }
