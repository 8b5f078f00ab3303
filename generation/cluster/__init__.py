"""A cohort on several machines, by Ray."""
