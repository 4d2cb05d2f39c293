"""A model in a process of its own: a crash of a driver there does not take the node down."""
