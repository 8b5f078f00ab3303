"""What can be exported, by name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ExportFormat(StrEnum):
    """What a whole study is written as; all but the record have their writer in `analysis.export.formats`."""

    BIDS = "bids"
    PSYCH_DS = "psych-ds"
    CDISC = "cdisc"
    CSV = "csv"
    PARQUET = "parquet"
    RECORD = "record"


@dataclass(frozen=True)
class ExportKind:
    """What can be exported.

    Args:
        needs_arms: it tells arms, and has no blinded form.
        form: what a ZIP file is the packed folder of; None for single files.
    """

    name: str
    what: str
    needs_arms: bool = False
    form: ExportFormat | None = None


KINDS: tuple[ExportKind, ...] = (
    ExportKind("tables.zip", "Tidy tables as CSV files, with the codebook", form=ExportFormat.CSV),
    ExportKind("parquet.zip", "The same tables as Parquet files", form=ExportFormat.PARQUET),
    ExportKind("bids.zip", "BIDS dataset, without the sounds", form=ExportFormat.BIDS),
    ExportKind("psych-ds.zip", "Psych-DS dataset, without the sounds", form=ExportFormat.PSYCH_DS),
    ExportKind("cdisc.zip", "SDTM-shaped domains as CDISC Dataset-JSON 1.1", form=ExportFormat.CDISC),
    ExportKind(
        "record.zip",
        "The record with its head; once unblinded as it is stored, with a script that walks its chain",
        form=ExportFormat.RECORD,
    ),
    ExportKind("record.jsonl", "The record, one event a line, as JSON"),
    ExportKind("head.json", "The record's head: note it elsewhere, and the record can be checked against it"),
    ExportKind("results.json", "Every number of the analysis, as JSON", needs_arms=True),
    ExportKind("report.html", "The report", needs_arms=True),
)
