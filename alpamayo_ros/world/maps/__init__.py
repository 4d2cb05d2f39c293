"""Road networks: built from seeded parameters, compiled by SUMO's netconvert."""
