"""Install with pip, for machines without ROS 2; colcon uses CMakeLists.txt instead.

The version is read from package.xml. ``msg/`` and ``config/`` exist once, at the top, and are placed in
``alpamayo_ros/_data/`` here as CMake does.
"""

import shutil
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).resolve().parent
DATA = ("msg", "config")


class BuildWithData(build_py):
    """Place msg/ and config/ in the package."""

    def run(self):
        if self.editable_mode:
            sys.exit("alpamayo_ros cannot be installed in editable mode; run 'make' (colcon --symlink-install) instead")
        super().run()
        for folder in DATA:
            target = Path(self.build_lib) / "alpamayo_ros" / "_data" / folder
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(HERE / folder, target)


class SourceWithData(sdist):
    """Take along what a build needs beside the package."""

    def make_release_tree(self, base_dir, files):
        data = (path for folder in DATA for path in (HERE / folder).rglob("*") if path.is_file())
        super().make_release_tree(base_dir, [*files, "package.xml", *(str(path.relative_to(HERE)) for path in data)])


def refuse_beside_colcon():
    """Refuse the second of two installs of one package: they would shadow each other file by file."""
    if (Path(sys.prefix) / "share" / "alpamayo_ros" / "package.xml").exists():
        sys.exit(
            f"alpamayo_ros is installed by colcon in {sys.prefix}; use that one, or remove it first "
            "('make clean' in its checkout), or install with pip into another environment"
        )


refuse_beside_colcon()
setup(
    version=ET.parse(HERE / "package.xml").getroot().findtext("version"),
    packages=find_packages(include=["alpamayo_ros", "alpamayo_ros.*"]),
    package_data={"": ["py.typed", "templates/*"]},
    cmdclass={"build_py": BuildWithData, "sdist": SourceWithData},
)
