"""Envelope documents; this room never imports what it judges."""
