"""Rigid transforms, interpolation and camera projection; the only room that knows other quaternion orders."""
