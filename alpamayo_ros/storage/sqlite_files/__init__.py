"""sqlite3 files of rosbag2, sound and damaged."""
