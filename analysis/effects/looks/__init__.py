"""Looks at the arms before the end."""
