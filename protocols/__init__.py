"""Data: the protocol schema, the data dictionary and example protocols."""
