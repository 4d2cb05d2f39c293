"""Pictures of the driving world: what a pinhole camera on the vehicle sees of roads, scenery, actors and signals."""
