"""MCAP files: records, index, reading, writing, and what is left of a damaged one."""
