"""Catch what the picture codecs print, which is the only way in which they report damaged data.

libjpeg decodes on after damage, fills what it lost and prints one line from C; OpenCV passes neither the line nor a
count of warnings on. While a picture is decoded, descriptor 2 leads to memory; lines that no codec wrote, from another
thread, are passed on to stderr afterwards. What a crash in native code prints within these milliseconds is lost.
"""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_STDERR = 2

_DAMAGE = re.compile(
    r"Corrupt JPEG data: (?![1-4] extraneous bytes before marker 0xd9)|Premature end of JPEG|"
    r"Inconsistent progression sequence|Invalid SOS parameters|libpng error"
)
"""Reports of lost data. A few stray bytes before the end marker are what some webcams append to every frame."""

_CODEC = re.compile(
    r"Corrupt JPEG data|Premature end of JPEG|Inconsistent progression|Invalid SOS|libpng |"
    r"Unknown Adobe|Warning: unknown JFIF|\[ ?(?:WARN|ERROR|INFO)[:@]"
)
"""Every line that libjpeg, libpng or OpenCV prints about a picture."""

_lock = threading.Lock()


@contextmanager
def captured_damage() -> Iterator[list[str]]:
    """Collect the codecs' reports of damage while the body runs; the list is filled when it ends."""
    damage: list[str] = []
    with _lock, _captured_stderr() as lines:
        yield damage
    foreign = [line for line in lines if line.strip() and not _CODEC.search(line)]
    if foreign:
        with suppress(OSError):
            os.write(_STDERR, "".join(foreign).encode("utf-8", "replace"))
    damage.extend(line.strip() for line in lines if _DAMAGE.search(line))


@contextmanager
def _captured_stderr() -> Iterator[list[str]]:
    lines: list[str] = []
    try:
        real = os.dup(_STDERR)
    except OSError:
        # A service may have closed descriptor 2; then nothing can be printed either.
        yield lines
        return
    memory = os.memfd_create("codec_output", os.MFD_CLOEXEC)
    try:
        os.dup2(memory, _STDERR)
        try:
            yield lines
        finally:
            os.dup2(real, _STDERR)
        length = os.fstat(memory).st_size
        if length:
            text = os.pread(memory, length, 0).decode("utf-8", "replace")
            lines.extend(text.splitlines(keepends=True))
    finally:
        os.close(memory)
        os.close(real)
