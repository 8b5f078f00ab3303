"""The sound check: its trials, its score, its place in the record."""
