"""Cut, filter, merge and convert bags."""
