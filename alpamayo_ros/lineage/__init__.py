"""Digests, canonical documents, and the lineage that names what produced an output."""
