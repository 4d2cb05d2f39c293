"""Tensors go through shared memory as they are, of any size, and the block grows where it must."""

import os

import numpy as np
import pytest

from alpamayo_ros.inference.worker.shared_tensors import SharedTensors


def test_what_one_side_puts_the_other_gets() -> None:
    ours = SharedTensors()
    theirs = SharedTensors(os.dup(ours.descriptor))
    random = np.random.default_rng(0)
    for side in (8, 300, 3, 700):
        tensors = {
            "picture": random.integers(0, 256, (side, side, 3)).astype(np.uint8),
            "number": np.asarray(1.5, np.float32),
            "none": np.empty((0, 16, 4), np.float32),
            "turned": random.random((side, 5)).T,
        }
        found = theirs.get(ours.put(tensors))
        assert list(found) == list(tensors)
        for name, tensor in tensors.items():
            assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape)
            assert np.array_equal(found[name], tensor)
    # What was got is a copy: the next tick does not change it.
    kept = theirs.get(ours.put({"x": np.ones(4)}))["x"]
    ours.put({"x": np.zeros(4)})
    assert kept.tolist() == [1.0] * 4
    ours.close()
    theirs.close()
    ours.close()


def test_nothing_is_put_without_memory() -> None:
    ours = SharedTensors()
    assert ours.get(ours.put({})) == {}
    assert ours.get(ours.put({"none": np.empty((0, 2))}))["none"].shape == (0, 2)
    assert os.fstat(ours.descriptor).st_size == 0
    ours.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(ours.descriptor)
