"""The tick rule and the stages composed, without ROS."""
