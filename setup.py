"""Install with pip, for machines without ROS 2; colcon uses CMakeLists.txt instead.

The version is read from package.xml. ``msg/`` and ``config/`` exist once, at the top, and are placed in
``alpamayo_ros/_data/`` here as CMake does.
"""

import shutil
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent


class BuildWithData(build_py):
    """Place msg/ and config/ in the package."""

    def run(self):
        if self.editable_mode:
            sys.exit("alpamayo_ros cannot be installed in editable mode; run 'make' (colcon --symlink-install) instead")
        super().run()
        for folder in ("msg", "config"):
            target = Path(self.build_lib) / "alpamayo_ros" / "_data" / folder
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(HERE / folder, target)


def refuse_beside_colcon():
    """Two installs of one package shadow each other file by file; refuse the second."""
    if (Path(sys.prefix) / "share" / "alpamayo_ros" / "package.xml").exists():
        sys.exit(
            f"alpamayo_ros is installed by colcon in {sys.prefix}; use that one, or remove it first "
            "('make clean' in its checkout), or install with pip into another environment"
        )


refuse_beside_colcon()
setup(
    version=ElementTree.parse(HERE / "package.xml").getroot().findtext("version"),
    packages=find_packages(include=["alpamayo_ros", "alpamayo_ros.*"]),
    cmdclass={"build_py": BuildWithData},
)
