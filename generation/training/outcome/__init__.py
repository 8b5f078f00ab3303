"""What a training leaves behind: an adapter or a model, with its card."""
