"""Plain CSV and Parquet, each with the codebook, from which `read_tables` gets the same tables back.

Both tell what is missing from what is empty. CSV: RFC 4180 with line feeds; a missing value is nothing
between two commas, an empty text is "". Nobody's words are altered: a text that begins with =, +, - or @
is left as it was typed, though a spreadsheet may take it for a formula (CWE-1236). A prefix would change
data and could not be told from what somebody wrote.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.export.codebook import (
    BookedTable,
    codebook_csv,
    codebook_html,
    codebook_json,
    codebook_of,
)
from analysis.export.content import ExportContent, Told

SPREADSHEETS = (
    "Text that people wrote is here as they wrote it. Where it begins with = + - or @ a spreadsheet may take",
    "it for a formula: import the column as text, and do not open the file by a double click.",
)
_CSV = (
    "One CSV file a table: UTF-8, commas, a header, line feeds. Nothing between two commas is a missing",
    'value, "" an empty text. Booleans are true and false, times ISO 8601 in UTC. codebook.html explains',
    "every column; codebook.csv and codebook.json are the same for programs.",
)
_PARQUET = (
    "One Parquet file a table. Columns have their types, and their descriptions as field metadata.",
    "codebook.html explains every column; codebook.csv and codebook.json are the same for programs.",
)


def write_csv_tables(content: ExportContent, folder: Path, told: Told) -> None:
    """Every table as CSV, and the codebook.

    Args:
        folder: exists and is empty.
    """
    _write_codebook(content, folder, (*_CSV, *SPREADSHEETS))
    for done, (name, table) in enumerate(content.tables.items()):
        told("writing tables", done, len(content.tables))
        (folder / f"{name}.csv").write_bytes(csv_of(table).encode())


def write_parquet_tables(content: ExportContent, folder: Path, told: Told) -> None:
    """Every table as Parquet, and the codebook.

    Args:
        folder: exists and is empty.
    """
    book = _write_codebook(content, folder, _PARQUET)
    for done, table in enumerate(book):
        told("writing tables", done, len(book))
        made = _arrow_table(content.tables[table.name], table)
        pq.write_table(made, folder / f"{table.name}.parquet", compression="zstd")


def csv_of(table: pd.DataFrame) -> str:
    """A table as CSV text; see the module for how values are written."""
    out = io.StringIO()
    out.write(",".join(_field(str(name)) for name in table.columns) + "\n")
    columns = [_fields(table[name]) for name in table.columns]
    for row in zip(*columns, strict=True):
        out.write(",".join(row) + "\n")
    return out.getvalue()


def _fields(values: pd.Series[Any]) -> list[str]:
    present = values.notna().tolist()
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        texts = [value.isoformat(timespec="microseconds") if value is not pd.NaT else "" for value in values]
    elif str(values.dtype) == "boolean":
        texts = [str(value).lower() for value in values]
    elif str(values.dtype) == "float64":
        # repr is the shortest text that reads back as the same number.
        texts = [repr(float(value)) for value in values]
    else:
        texts = [_field(str(value)) for value in values]
    return [text if there else "" for text, there in zip(texts, present, strict=True)]


def _field(text: str) -> str:
    if text and text == text.strip() and not any(sign in text for sign in ',"\r\n'):
        return text
    return '"' + text.replace('"', '""') + '"'


def _arrow_table(table: pd.DataFrame, book: BookedTable) -> pa.Table:
    types = {
        "string": pa.string(),
        "object": pa.string(),
        "date": pa.string(),
        "number": pa.float64(),
        "integer": pa.int64(),
        "boolean": pa.bool_(),
        "timestamp": pa.timestamp("us", tz="UTC"),
    }
    fields = [
        pa.field(
            column.name,
            types[column.type],
            metadata={"description": column.description} | ({"unit": column.unit} if column.unit else {}),
        )
        for column in book.columns
    ]
    schema = pa.schema(fields, metadata={"description": book.description})
    arrays = [
        pa.array(table[column.name].tolist(), types[column.type], from_pandas=True) for column in book.columns
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _write_codebook(content: ExportContent, folder: Path, says: tuple[str, ...]) -> tuple[BookedTable, ...]:
    book, about = codebook_of(content.tables), content.about()
    (folder / "codebook.csv").write_text(codebook_csv(book), "utf-8")
    (folder / "codebook.json").write_text(codebook_json(book), "utf-8")
    (folder / "codebook.html").write_text(codebook_html(book, content.protocol.title, about[1:]), "utf-8")
    (folder / "README.txt").write_text("\n".join((*about, "", *says)) + "\n", "utf-8")
    return book
