"""Write `constraints-<python>.txt` for the running Python: `python3.12 .ci/pin.py`.

The whole of pyproject.toml's lists is resolved anew, binary wheels only, nothing installed.
Standard library only.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from set_up import ROOT, TESTED, groups

SOURCE_ONLY = "empy"
"""Has no wheel; colcon-ros and rosidl need it."""
HEADER = """\
# Every version that .ci/set_up.py installs under Python {python}.
# {status}
# Made by 'python{python} .ci/pin.py': pip's newest resolution of pyproject.toml's lists, x86-64 wheels (empy has none).
"""


def main() -> int:
    """Resolve and write."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    status = (
        "Tested: 'make test' runs with exactly these."
        if sys.version_info[:2] == TESTED
        else "Resolved, not run: no test runs with these."
    )
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--dry-run",
            "--ignore-installed", "--only-binary", ":all:", "--no-binary", SOURCE_ONLY,
            "--report", str(report), *groups(ros_distro=""),
        ]  # fmt: skip
        subprocess.run(command, check=True)
        entries = json.loads(report.read_text(encoding="utf-8"))["install"]
    found = [entry["metadata"] for entry in entries]
    pins = sorted((package["name"].lower().replace("_", "-"), package["version"]) for package in found)
    text = HEADER.format(python=python, status=status) + "".join(f"{name}=={version}\n" for name, version in pins)
    (ROOT / f"constraints-{python}.txt").write_text(text, encoding="utf-8")
    print(f"{len(pins)} versions pinned in constraints-{python}.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
