"""The loop: a conditioned decoder, its loss, its batches, and a state that survives a kill."""
