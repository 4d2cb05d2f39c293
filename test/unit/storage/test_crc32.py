"""The CRC of two pieces together, from those of each."""

import zlib

from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.storage.crc32 import joined_crc32


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_it_is_the_crc_of_both_pieces(first: bytes, second: bytes) -> None:
    assert joined_crc32(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)


def test_it_holds_for_large_pieces() -> None:
    second = bytes(range(256)) * 40_000
    assert joined_crc32(5, zlib.crc32(second), len(second)) == zlib.crc32(second, 5)
