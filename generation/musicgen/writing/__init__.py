"""Models written to a folder: exports, and random ones for trials and timings."""
