"""A driving world with cameras, from which demonstration bags are rendered."""
