"""The words of the design as frozen dataclasses, with the dtypes of the message fields."""
