"""What writes the study's tables in each format, by the format's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from analysis.export.bids.dataset import write_bids
from analysis.export.cdisc.dataset_json import write_dataset_json
from analysis.export.content import ExportContent, Told
from analysis.export.plain_tables import write_csv_tables, write_parquet_tables
from analysis.export.psych_ds import write_psych_ds

WRITERS: Mapping[str, Callable[[ExportContent, Path, Told], None]] = {
    "bids": write_bids,
    "psych-ds": write_psych_ds,
    "cdisc": write_dataset_json,
    "csv": write_csv_tables,
    "parquet": write_parquet_tables,
}
"""Format to what fills an empty folder. The record itself is no table, see `record_file`."""

WITH_SOUNDS = frozenset({"bids", "psych-ds"})
"""Formats that have a place for the sounds that were played."""
