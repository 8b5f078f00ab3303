"""Codec tokens of a corpus, computed once and kept on disk."""
