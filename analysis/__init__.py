"""What was planned, generated, heard and felt, as tables, estimates and a report."""
