"""Run an open, reasoning driving model in ROS 2, and prove what it did."""
