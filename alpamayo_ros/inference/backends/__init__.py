"""One file per backend, imported only when it is chosen."""
