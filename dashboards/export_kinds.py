"""What can be exported, by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ExportKind:
    """What can be exported.

    Args:
        needs_arms: it tells arms, and has no blinded form.
    """

    name: str
    what: str
    needs_arms: bool = False


KINDS: tuple[ExportKind, ...] = (
    ExportKind("tables.zip", "Tidy tables as CSV files, with the data dictionary"),
    ExportKind("record.jsonl", "The record, one event a line, as JSON"),
    ExportKind("head.json", "The record's head: note it elsewhere, and the record can be checked against it"),
    ExportKind("results.json", "Every number of the analysis, as JSON", needs_arms=True),
    ExportKind("report.html", "The report", needs_arms=True),
)
