"""Figures leave no trace of the user's settings, the date or the library's version."""

import struct
import subprocess
import sys

import matplotlib as mpl

from alpamayo_ros.report.canvas import LIGHT, encode_png, new_figure, own_settings


def draw():
    with own_settings():
        figure = new_figure(2.0, 1.0, LIGHT)
        figure.add_axes((0.2, 0.2, 0.7, 0.7)).plot([0, 1], [0, 1], label="$\\broken{")
        figure.legend()
        return encode_png(figure)


def chunks(png):
    position, names = 8, []
    while position < len(png):
        (length,) = struct.unpack(">I", png[position : position + 4])
        names.append(png[position + 4 : position + 8].decode())
        position += 12 + length
    return names


def test_a_png_holds_no_text_and_no_date():
    assert set(chunks(draw())) <= {"IHDR", "pHYs", "IDAT", "IEND"}


def test_the_users_settings_change_nothing_and_come_back_afterwards():
    plain = draw()
    with mpl.rc_context({"font.size": 31.0, "lines.linewidth": 9.0, "savefig.bbox": "tight", "font.family": "serif"}):
        assert draw() == plain
        assert mpl.rcParams["font.size"] == 31.0


def test_the_global_state_of_pyplot_is_never_loaded():
    code = "import sys, alpamayo_ros.report.html; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd="/", check=False).returncode == 0
