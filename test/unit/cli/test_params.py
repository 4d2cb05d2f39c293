"""The generated parameter files are written where they are asked for."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from alpamayo_ros.params.node_parameters import generated_files

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_every_file_is_written(alpamayo: Run, tmp_path: Path) -> None:
    assert alpamayo("params", "write", "config").returncode == 0
    written = {
        str(path.relative_to(tmp_path / "config")) for path in (tmp_path / "config").rglob("*") if path.is_file()
    }
    assert written == set(generated_files())


def test_a_folder_that_cannot_be_written_exits_2(alpamayo: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = alpamayo("params", "write", "file")
    assert run.returncode == 2
    assert "cannot be written" in run.stderr
