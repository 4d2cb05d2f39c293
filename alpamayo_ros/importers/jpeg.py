"""Read the size of a JPEG picture from its headers, without decoding it (ITU-T T.81 annex B)."""

_START = b"\xff\xd8"
_STANDALONE = {0x01, *range(0xD0, 0xD8)}
"""Markers without a length: TEM and RST0 to RST7."""

_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Start-of-frame markers; the three others are DHT, JPG and DAC."""


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height in px, None if the bytes do not start like a JPEG picture."""
    if data[:2] != _START:
        return None
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _STANDALONE:
            at += 2
            continue
        if marker in _FRAMES:
            height, width = int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
            return (width, height) if at + 9 <= len(data) and width and height else None
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or marker == 0xDA:
            return None
        at += 2 + length
    return None
