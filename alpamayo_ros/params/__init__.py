"""One dataclass per node, from which YAML, JSON schema and descriptors are generated; and the profiles."""
