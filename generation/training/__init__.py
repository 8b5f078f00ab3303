"""Training on top of a model: from labelled music to an adapter with its card."""
