"""Weights read from a folder, tensor by tensor, whatever wrote it."""
