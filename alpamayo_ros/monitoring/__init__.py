"""Severity rules, and sensor and health aggregates, as pure functions."""
