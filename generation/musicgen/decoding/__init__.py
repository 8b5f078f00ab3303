"""The decoder and its loop: from text states and a seed to codec tokens."""
