"""Adapters to rclpy; import the modules, nothing is exported here."""
