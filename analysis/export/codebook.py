"""The codebook: every table and column that is exported, for people and for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined

from analysis.tables.data_dictionary import DTYPES, FACTOR_COLUMN, Column, data_dictionary
from study.errors import UnknownName

EXPORT_DTYPES: Mapping[str, str] = {**DTYPES, "date": "string"}
"""Column type to pandas dtype. A date is a time cut to the day: text, so that no hour is made up."""

_FACTOR = FACTOR_COLUMN.split("{", maxsplit=1)[0]
_HEADER = ("table", "column", "type", "unit", "minimum", "maximum", "levels", "description")


@dataclass(frozen=True)
class BookedTable:
    """One table of the codebook.

    Args:
        columns: in the table's order.
        rows: how many rows it has.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    rows: int


def codebook_of(tables: Mapping[str, pd.DataFrame]) -> tuple[BookedTable, ...]:
    """The codebook of these tables, in their order.

    Raises:
        UnknownName: a column is not in the data dictionary.
    """
    descriptions = data_dictionary().descriptions
    return tuple(
        BookedTable(
            name,
            descriptions.get(name, ""),
            tuple(_column(name, str(column), table[column]) for column in table.columns),
            len(table),
        )
        for name, table in tables.items()
    )


def _column(table: str, name: str, values: pd.Series[Any]) -> Column:
    known = data_dictionary().columns
    found = known.get(FACTOR_COLUMN if name.startswith(_FACTOR) else name)
    if found is None:
        raise UnknownName(
            f"table {table}", f"unknown column {name}", "define every column in protocols/columns.json"
        )
    if found.type == "timestamp" and not isinstance(values.dtype, pd.DatetimeTZDtype):
        return replace(found, name=name, type="date", description=f"{found.description} Cut to the day.")
    return replace(found, name=name)


def codebook_csv(book: tuple[BookedTable, ...]) -> str:
    """One row a column, with a header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEADER)
    for table in book:
        for column in table.columns:
            about = _about(column)
            cells = (about.get(key, "") for key in _HEADER[2:6])
            writer.writerow(
                (table.name, column.name, *cells, "|".join(column.levels), column.description),
            )
    return out.getvalue()


def codebook_json(book: tuple[BookedTable, ...]) -> str:
    """The codebook as JSON; `analysis.export.read_tables` reads the columns' types from it."""
    content = {
        "tables": {
            table.name: {
                "description": table.description,
                "rows": table.rows,
                "columns": [
                    {"name": column.name, **_about(column), "levels": list(column.levels)}
                    | {"description": column.description}
                    for column in table.columns
                ],
            }
            for table in book
        }
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def codebook_html(book: tuple[BookedTable, ...], title: str, about: tuple[str, ...]) -> str:
    """The codebook as a page that needs nothing else."""
    text = resources.files("analysis.export").joinpath("templates/codebook.html.j2").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text).render(book=book, title=title, about=about) + "\n"


def _about(column: Column) -> dict[str, Any]:
    facts = {
        "type": column.type,
        "unit": column.unit,
        "minimum": column.minimum,
        "maximum": column.maximum,
    }
    return {key: value for key, value in facts.items() if value is not None}
