"""Logs go where they can be written, and it is said when that is elsewhere."""

from pathlib import Path

from alpamayo_ros.ros.log_folder import usable_log_folder


def test_a_folder_that_can_be_written_is_left_alone(tmp_path: Path) -> None:
    assert usable_log_folder({"ROS_LOG_DIR": str(tmp_path / "a")}) == (str(tmp_path / "a"), "")
    assert usable_log_folder({"ROS_HOME": str(tmp_path)}) == (str(tmp_path / "log"), "")
    assert usable_log_folder({"HOME": str(tmp_path)}) == (str(tmp_path / ".ros" / "log"), "")


def test_another_folder_is_named_with_the_reason() -> None:
    folder, reason = usable_log_folder({"HOME": "/proc/nowhere"})
    assert Path(folder).is_dir()
    assert reason.startswith("the log folder /proc/nowhere/.ros/log cannot be written (No such file or directory)")
    Path(folder).rmdir()
    folder, reason = usable_log_folder({})
    assert "there is no HOME" in reason
    Path(folder).rmdir()
