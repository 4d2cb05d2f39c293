"""The backend protocol and the registry of backends; NumPy in, NumPy out."""
