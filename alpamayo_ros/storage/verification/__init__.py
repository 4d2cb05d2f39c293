"""Compare everything that a bag states with what is in it."""
