"""Make a valid bag of what is left of a damaged one."""
