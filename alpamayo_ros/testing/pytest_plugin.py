"""Pytest plugin; imports nothing heavy when it loads."""
