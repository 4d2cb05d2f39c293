"""CRC-32 of what stands one after the other, from the CRCs of its parts: each byte is summed once."""

from functools import lru_cache

_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31
_ORDER = 2**32 - 1
"""The powers of x repeat after so many."""


def joined_crc32(first: int, second: int, second_length: int) -> int:
    """Return the CRC-32 of two pieces of data of which each one's is known.

    It is the ``crc32_combine`` of zlib, which Python does not offer.

    Args:
        first: CRC-32 of the first piece.
        second: CRC-32 of the second piece.
        second_length: Bytes of the second piece.
    """
    return _product(_shift(second_length), first) ^ second


@lru_cache(maxsize=64)
def _shift(length: int) -> int:
    """Return x to the power of the bits of ``length`` bytes; pictures of one camera have one length."""
    power, square, exponent = _ONE, _ONE >> 1, length * 8 % _ORDER
    while exponent:
        if exponent & 1:
            power = _product(square, power)
        square = _product(square, square)
        exponent >>= 1
    return power


def _product(one: int, other: int) -> int:
    """Multiply two polynomials over GF(2), lowest power in the highest bit, modulo that of CRC-32."""
    product, bit = 0, _ONE
    while bit:
        if one & bit:
            product ^= other
        other = other >> 1 ^ _POLYNOMIAL if other & 1 else other >> 1
        bit >>= 1
    return product
