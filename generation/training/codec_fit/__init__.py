"""Fitting the spectral codec to music."""
