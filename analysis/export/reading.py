"""The exported CSV or Parquet files as the tables they were written from."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from analysis.export.codebook import EXPORT_DTYPES
from study.errors import RecordMismatch, StorageError

_ARROW = {
    "string": pa.string(),
    "Int64": pa.int64(),
    "float64": pa.float64(),
    "boolean": pa.bool_(),
    "datetime64[us, UTC]": pa.timestamp("us", tz="UTC"),
}


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """Table name to table, with the dtypes of the study's own tables, missing and empty told apart.

    Args:
        folder: what `isopath export --format csv` or `--format parquet` wrote, unpacked.

    Raises:
        StorageError: there is no codebook, or a table that it names is not there.
        RecordMismatch: a table has other columns than the codebook says, or cannot be read as what it says.
    """
    book = folder / "codebook.json"
    try:
        described = json.loads(book.read_text("utf-8"))["tables"]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise StorageError(
            str(book), "is not there or is no codebook", "name a folder that isopath export made"
        ) from problem
    return {
        name: _read(folder, name, {column["name"]: column["type"] for column in about["columns"]})
        for name, about in described.items()
    }


def _read(folder: Path, name: str, columns: dict[str, str]) -> pd.DataFrame:
    dtypes = {column: EXPORT_DTYPES[kind] for column, kind in columns.items()}
    written_csv, written_parquet = folder / f"{name}.csv", folder / f"{name}.parquet"
    if not (written_csv.is_file() or written_parquet.is_file()):
        raise StorageError(
            str(written_csv), "is named by the codebook and not there", "unpack the whole export"
        )
    try:
        found = _read_csv(written_csv, dtypes) if written_csv.is_file() else pq.read_table(written_parquet)
    except pa.ArrowInvalid as problem:
        raise RecordMismatch(
            str(folder / name), f"is not what the codebook says ({problem})", "export the tables again"
        ) from problem
    if list(found.column_names) != list(dtypes):
        raise RecordMismatch(
            str(folder / name), "has other columns than the codebook says", "export the tables again"
        )
    # As objects first: a missing integer or boolean keeps its column's type.
    untyped = pd.DataFrame({column: found[column].to_pylist() for column in dtypes}, dtype=object)
    return untyped.astype(dtypes)


def _read_csv(path: Path, dtypes: dict[str, str]) -> pa.Table:
    return arrow_csv.read_csv(
        path,
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types={column: _ARROW[dtype] for column, dtype in dtypes.items()},
            null_values=[""],
            true_values=["true"],
            false_values=["false"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
