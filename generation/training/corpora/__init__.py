"""Data sets as they lie on disk, read whole, with everything that was wrong."""
