"""The report: what is said, and one HTML file that says it."""
