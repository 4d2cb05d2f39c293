"""Thin lifecycle nodes: callbacks convert, call, publish, report."""
