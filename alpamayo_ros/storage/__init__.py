"""Bags without ROS: reader, writer, identity and digests."""
