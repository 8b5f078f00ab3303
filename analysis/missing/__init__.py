"""Outcomes that are missing: imputed, and doubted."""
