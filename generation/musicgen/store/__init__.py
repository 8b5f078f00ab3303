"""The folder of weights on this machine, and what may be in it."""
