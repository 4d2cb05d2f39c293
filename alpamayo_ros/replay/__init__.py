"""Run the stack on a bag again and compare."""
