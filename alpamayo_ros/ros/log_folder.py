"""A folder for ROS logs that can be written: rclpy ends the process where it cannot make its own."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "ROS_LOG_DIR"


def usable_log_folder(environment: Mapping[str, str]) -> tuple[str, str]:
    """Return the folder where rcl would log, or another one and why it is that one.

    Args:
        environment: Of this process; ``ROS_LOG_DIR``, ``ROS_HOME`` and ``HOME`` count, in this order.

    Returns:
        The folder, and a sentence for people; the sentence is empty where rcl's own choice will do.
    """
    wanted = environment.get(VARIABLE) or _default(environment)
    reason = "there is no HOME" if not wanted else _not_writable(Path(wanted))
    if not reason:
        return wanted, ""
    folder = tempfile.mkdtemp(prefix="alpamayo_ros_log_")
    return folder, f"the log folder {wanted or '~/.ros/log'} cannot be written ({reason}); logging to {folder} instead"


def _default(environment: Mapping[str, str]) -> str:
    if environment.get("ROS_HOME"):
        return str(Path(environment["ROS_HOME"]) / "log")
    return str(Path(environment["HOME"]) / ".ros" / "log") if environment.get("HOME") else ""


def _not_writable(folder: Path) -> str:
    """Say why nothing can be written into a folder, empty if it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return error.strerror or str(error)
