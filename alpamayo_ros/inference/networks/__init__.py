"""Networks in torch: what the backend `torch` runs, and what is trained."""
