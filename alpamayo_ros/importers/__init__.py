"""Foreign data sets and logs to bags."""
