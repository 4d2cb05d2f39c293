"""Arrays in files of strangers."""

import os
import pickle
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alpamayo_ros.errors import ArtifactError
from alpamayo_ros.importers import npy_file
from alpamayo_ros.importers.npy_file import read_numbers


def saved(path, array, **options):
    with path.open("wb") as file:
        np.save(file, array, **options)
    return path


def npy(header):
    """A file of version 1 with any header text."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<i8", "|u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_of_every_kind_are_read_whatever_the_file_is_called(tmp_path, dtype, order):
    array = np.asarray([[1, 2, 3], [4, 5, 6]], dtype=dtype, order=order)
    found = read_numbers(saved(tmp_path / "value", array))
    assert found.dtype == np.float64
    assert found.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_an_empty_array_is_an_array(tmp_path):
    assert read_numbers(saved(tmp_path / "value", np.zeros((0, 3)))).shape == (0, 3)


HOSTILE = {
    "empty": b"",
    "text": b"not an array",
    "zip": b"PK\x03\x04" + bytes(100),
    "bare pickle": pickle.dumps([1.0]),
    "magic alone": b"\x93NUMPY\x01\x00",
    "unknown version": b"\x93NUMPY\x09\x00" + bytes(100),
    "header is longer than the file": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{",
    "header of 40 kB": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)," + " " * 40_000 + "}"),
    "header without shape": npy("{'descr': '<f8', 'fortran_order': False}"),
    "header is code": npy("__import__('os').system('true')"),
    "header unclosed": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,"),
    "promises an exabyte": npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({2**57},)}}"),
    "promises more than can be counted": npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({2**70}, 3)}}"),
    "promises 8 GB": npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({2**30},)}}"),
    "negative shape": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 3)}"),
    "items without size": npy(f"{{'descr': '|V0', 'fortran_order': False, 'shape': ({2**40},)}}"),
    "unknown type": npy("{'descr': 'what', 'fortran_order': False, 'shape': (1,)}") + bytes(8),
    "goes on": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}") + bytes(16),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_what_is_no_array_of_numbers_is_one_sentence_with_the_file(tmp_path, name):
    path = tmp_path / "value"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(ArtifactError) as caught:
        read_numbers(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "array", [np.array([1j]), np.array(["a"]), np.array([True]), np.zeros(2, dtype="M8[s]"), np.zeros(2, "f8,f4")]
)
def test_what_is_not_real_numbers_is_refused(tmp_path, array):
    with pytest.raises(ArtifactError, match="expected real numbers"):
        read_numbers(saved(tmp_path / "value", array))


def test_nothing_is_unpickled(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    saved(tmp_path / "value", np.array([Hostile()], dtype=object), allow_pickle=True)
    with pytest.raises(ArtifactError, match="not a NumPy array of numbers"):
        read_numbers(tmp_path / "value")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("kind", ["absent", "folder", "pipe"])
def test_what_is_no_file_is_missing(tmp_path, kind):
    path = tmp_path / "value"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(ArtifactError, match="is missing; expected a NumPy array"):
        read_numbers(path)


def test_a_large_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(npy_file, "MAX_FILE_BYTES", 100)
    with pytest.raises(ArtifactError, match="is larger than 100 bytes"):
        read_numbers(saved(tmp_path / "value", np.zeros(10)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 200), st.binary(min_size=1, max_size=4), st.integers(0, 250))
def test_a_damaged_file_is_read_or_refused(tmp_path, place, change, length):
    path = saved(tmp_path / "value", np.arange(12.0).reshape(4, 3))
    data = bytearray(path.read_bytes())
    data[place : place + len(change)] = change
    path.write_bytes(data[:length])
    try:
        found = read_numbers(path)
    except ArtifactError:
        return
    assert found.dtype == np.float64
