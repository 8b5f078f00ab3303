"""The study as files that other groups open: BIDS, Psych-DS, CDISC Dataset-JSON, CSV, Parquet, the record."""

from __future__ import annotations

from analysis.export.reading import read_tables

__all__ = ["read_tables"]
