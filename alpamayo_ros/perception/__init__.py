"""One time-aligned observation per tick, or a typed reason why there is none."""
