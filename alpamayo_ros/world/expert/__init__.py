"""The expert driver: what the ego vehicle does, and the actor or rule that made it do so."""
