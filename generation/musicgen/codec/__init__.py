"""A small codec that can be trained anywhere: spectral frames, quantised in steps, and a fixed synthesis."""
