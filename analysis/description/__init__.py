"""What the study was and how it went, in counts, means and paths; no test in it."""
