"""BIDS 1.11.1: what is where in the exported dataset, and how its files are written."""
