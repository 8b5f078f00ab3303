"""Tones without recordings: damped partials, single players, ensembles and drums."""
