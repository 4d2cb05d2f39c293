"""Structure of JPEG and PNG files: kind, size and completeness, without decoding a pixel.

Decoders allocate what a header declares, fill a damaged file with grey, and say so on stderr at most. So a file is
judged first: its size is bounded, its segments must follow each other, and its end must be there.
"""

import re
import zlib
from dataclasses import dataclass

MAX_PIXELS = 7680 * 4320
"""Largest picture that is decoded, 8K UHD: 100 MB as RGB."""

MAX_SCANS = 100
"""Most scans of a progressive JPEG; usual are about ten, and each costs a pass over the whole picture."""

_JPEG_MAGIC = b"\xff\xd8\xff"
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_START_OF_IMAGE, _END_OF_IMAGE, _START_OF_SCAN = 0xD8, 0xD9, 0xDA
_NO_FRAME_HEADERS = (0xC4, 0xC8, 0xCC)
"""Markers among SOF0 to SOF15 that are something else: Huffman tables, an extension, arithmetic coding."""

# Within a scan 0xff is followed by 0x00 (a data byte) or by a restart marker. A single literal in front lets the search
# jump from one 0xff to the next; with a repetition it takes twenty times as long.
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7]", re.DOTALL)


class PictureError(ValueError):
    """A picture cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Size of a picture in px."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width} x {self.height} px"


def inspect_picture(data: bytes) -> PictureSize:
    """Return the size that a complete JPEG or PNG file declares, whatever it is said to be.

    Raises:
        PictureError: It is neither, is not complete, or is larger than is ever decoded.
    """
    if data.startswith(_JPEG_MAGIC):
        size = _inspect_jpeg(data)
    elif data.startswith(_PNG_MAGIC):
        size = _inspect_png(data)
    elif not data:
        raise PictureError("picture is empty; expected a JPEG or PNG file")
    else:
        raise PictureError(f"picture starts with bytes {data[:8].hex(' ')}; expected a JPEG or PNG file")
    return size


def validate_size(size: PictureSize) -> None:
    """Require at least one pixel and no more than are ever decoded.

    Raises:
        PictureError: The size is out of range.
    """
    if size.width < 1 or size.height < 1 or size.width * size.height > MAX_PIXELS:
        raise PictureError(f"picture declares {size}; expected 1 to {MAX_PIXELS} pixels")


def _inspect_jpeg(data: bytes) -> PictureSize:
    """Walk the marker segments (ITU-T T.81, annex B)."""
    size: PictureSize | None = None
    scans = 0
    position = 2
    while True:
        marker, position = _jpeg_marker(data, position)
        if marker == _END_OF_IMAGE:
            break
        length = int.from_bytes(data[position : position + 2], "big")
        end = position + length
        if length < 2 or end > len(data):
            raise PictureError(f"JPEG ends within segment {marker:#04x} at byte {position}; expected a complete file")
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_HEADERS:
            if size is not None or length < 8:
                raise PictureError(f"JPEG has a second or short frame header at byte {position}; expected one of 8")
            height, width = (int.from_bytes(data[position + at : position + at + 2], "big") for at in (3, 5))
            size = PictureSize(width, height)
            validate_size(size)
        position = end
        if marker == _START_OF_SCAN:
            scans += 1
            if scans > MAX_SCANS:
                raise PictureError(f"JPEG has more than {MAX_SCANS} scans; expected at most that many")
            found = _SCAN_END.search(data, position)
            if found is None:
                raise PictureError(f"JPEG ends within its picture after {len(data)} bytes; expected a complete file")
            position = found.start()
    if size is None or not scans:
        raise PictureError("JPEG holds no picture; expected a frame header and a scan")
    return size


def _jpeg_marker(data: bytes, position: int) -> tuple[int, int]:
    """Return the marker at a position, and the position behind it."""
    start = position
    while data[position : position + 1] == b"\xff":
        position += 1
    if position >= len(data):
        raise PictureError(f"JPEG ends after {len(data)} bytes; expected a complete file")
    marker = data[position]
    if position == start or marker in (0x00, 0x01, _START_OF_IMAGE) or 0xD0 <= marker <= 0xD7:
        raise PictureError(f"JPEG has byte {marker:#04x} at {position}; expected a marker segment")
    return marker, position + 1


def _inspect_png(data: bytes) -> PictureSize:
    """Walk the chunks and verify their check sums (ISO/IEC 15948, section 5)."""
    size: PictureSize | None = None
    has_pixels = False
    position = len(_PNG_MAGIC)
    view = memoryview(data)
    while True:
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        if end > len(data) or len(kind) < 4:
            raise PictureError(f"PNG ends after {len(data)} bytes; expected a complete file")
        if zlib.crc32(view[position + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise PictureError(
                f"PNG chunk {kind!r} at byte {position} does not match its check sum; expected intact data"
            )
        if (size is None) != (kind == b"IHDR") or (size is None and end - position != 25):
            raise PictureError(f"PNG has chunk {kind!r} at byte {position}; expected exactly one header, first")
        if kind == b"IHDR":
            size = PictureSize(*(int.from_bytes(data[position + at : position + at + 4], "big") for at in (8, 12)))
            validate_size(size)
        has_pixels = has_pixels or kind == b"IDAT"
        if kind == b"IEND":
            break
        position = end
    if size is None or not has_pixels:
        raise PictureError("PNG holds no picture; expected a header and pixels")
    return size
