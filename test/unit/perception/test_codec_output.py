"""Codecs' complaints are caught, everybody else's reach stderr, and descriptor 2 always comes back."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from alpamayo_ros.perception.codec_output import captured_damage


def complain(text):
    os.write(2, text.encode())


def test_damage_is_collected_and_not_printed(capfd):
    with captured_damage() as damage:
        complain("Corrupt JPEG data: premature end of data segment\n")
    assert damage == ["Corrupt JPEG data: premature end of data segment"]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "line",
    [
        "Corrupt JPEG data: 2 extraneous bytes before marker 0xd9\n",
        "libpng warning: iCCP: known incorrect sRGB profile\n",
        "Warning: unknown JFIF revision number 2.01\n",
        "[ WARN:0@1.021] global grfmt_png.cpp:793 readFromStreamOrBuffer\n",
    ],
)
def test_harmless_complaints_are_neither_damage_nor_printed(capfd, line):
    with captured_damage() as damage:
        complain(line)
    assert damage == []
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("marker", ["5 extraneous bytes before marker 0xd9", "2 extraneous bytes before marker 0xda"])
def test_more_stray_bytes_or_stray_bytes_elsewhere_are_damage(marker):
    with captured_damage() as damage:
        complain(f"Corrupt JPEG data: {marker}\n")
    assert len(damage) == 1


def test_lines_of_others_reach_stderr_afterwards(capfd):
    with captured_damage() as damage:
        complain("Corrupt JPEG data: bad Huffman code\nthe disk is full\n")
    assert len(damage) == 1
    assert capfd.readouterr().err == "the disk is full\n"


def test_descriptor_2_comes_back_after_an_exception_and_leaves_no_descriptor_behind(capfd):
    before = sum(1 for _ in Path("/proc/self/fd").iterdir())
    for _ in range(20):
        with pytest.raises(RuntimeError), captured_damage():
            raise RuntimeError
    complain("still here\n")
    assert capfd.readouterr().err == "still here\n"
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == before


def test_threads_take_turns_and_none_loses_a_report(capfd):
    found = []

    def work(index):
        for _ in range(20):
            with captured_damage() as damage:
                complain(f"Corrupt JPEG data: {index}\n")
            found.append((index, damage))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 80
    assert all(damage == [f"Corrupt JPEG data: {index}"] for index, damage in found)
    assert capfd.readouterr().err == ""


def test_a_process_without_descriptor_2_works_too():
    code = (
        "import os; os.close(2)\n"
        "from alpamayo_ros.perception.codec_output import captured_damage\n"
        "with captured_damage() as damage: pass\n"
        "print(damage)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert result.stdout == "[]\n"
