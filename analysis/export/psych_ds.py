"""The study as a Psych-DS dataset: JSON-LD metadata, and a CSV file a table under data/.

Source: Psych-DS, schema 1.5.1 (psych-ds.github.io; Kline and the Psych-DS contributors): names of files are
keyword-value pairs that end in ``_data.csv``, every column of theirs is in ``variableMeasured``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from analysis.export.bids.files import label
from analysis.export.codebook import BookedTable, codebook_csv, codebook_html, codebook_of
from analysis.export.content import ExportContent, Told
from analysis.export.plain_tables import SPREADSHEETS, csv_of
from analysis.export.sounds import copy_sounds
from analysis.tables.data_dictionary import Column

SCHEMA_VERSION = "Psych-DS 1.5.1"

_README = (
    "Psych-DS: dataset_description.json is JSON-LD (schema.org) and lists every column; data/ holds one CSV",
    'file a table, UTF-8, with a header. Nothing between two commas is a missing value, "" an empty text.',
    "documentation/codebook.html explains tables and columns; materials/ holds the sounds that were played.",
)


def write_psych_ds(content: ExportContent, folder: Path, told: Told) -> None:
    """The whole dataset.

    Args:
        folder: exists and is empty.
    """
    book = codebook_of(content.tables)
    description = json.dumps(_description(content, book), indent=1, ensure_ascii=False) + "\n"
    (folder / "dataset_description.json").write_text(description, "utf-8")
    lines = (*content.about(), "", *_README, "", *SPREADSHEETS)
    (folder / "README.txt").write_text("\n".join(lines) + "\n", "utf-8")
    made = f"{content.dated:%Y-%m-%d}: exported from row {content.head.sequence} of the study record."
    (folder / "CHANGES.txt").write_text(made + "\n", "utf-8")
    for name in ("data", "documentation"):
        (folder / name).mkdir()
    documentation = folder / "documentation"
    page = codebook_html(book, content.protocol.title, content.about()[1:])
    (documentation / "codebook.html").write_text(page, "utf-8")
    (documentation / "codebook.csv").write_text(codebook_csv(book), "utf-8")
    for done, table in enumerate(book):
        told("writing tables", done, len(book))
        path = folder / "data" / file_name(content.protocol.study_id, table.name)
        path.write_bytes(csv_of(content.tables[table.name]).encode())
    copy_sounds(content.sounds, folder / "materials", told)


def file_name(study_id: str, table: str) -> str:
    """The name of a table's file: ``study-calm2026_description-selfReports_data.csv``."""
    return f"study-{label(study_id)}_description-{label(table)}_data.csv"


def _description(content: ExportContent, book: tuple[BookedTable, ...]) -> dict[str, Any]:
    protocol = content.protocol
    columns = {column.name: column for table in book for column in table.columns}
    says = " ".join(content.about()[1:]).strip()
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": protocol.title,
        "description": f"{protocol.description} {says}" if protocol.description else says,
        "schemaVersion": SCHEMA_VERSION,
        "identifier": protocol.registration or protocol.study_id,
        "keywords": ["music medicine", "music emotion", "valence", "arousal", "clinical study"],
        "version": content.head.sha256,
        "variableMeasured": [_variable(column) for column in columns.values()],
    }


def _variable(column: Column) -> dict[str, Any]:
    facts = {
        "unitText": column.unit,
        "minValue": column.minimum,
        "maxValue": column.maximum,
        "valueReference": list(column.levels) or None,
    }
    return {
        "@type": "PropertyValue",
        "name": column.name,
        "description": column.description,
        **{name: fact for name, fact in facts.items() if fact is not None},
    }
