"""From the context of a plan to a trajectory set."""
