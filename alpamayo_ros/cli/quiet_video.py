"""Keep OpenCV and FFmpeg from writing to standard error; what matters of it is raised, or told as a warning."""

import os

import cv2


def quiet_video() -> None:
    """Silence the libraries that read and write videos, unless the user's environment says how much they shall say."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if "OPENCV_LOG_LEVEL" not in os.environ:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
