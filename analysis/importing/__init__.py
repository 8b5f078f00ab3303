"""Studies that ran elsewhere, read into a record of our own."""
