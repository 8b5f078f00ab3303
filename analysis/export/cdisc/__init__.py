"""SDTM-shaped domains as CDISC Dataset-JSON 1.1."""
