"""The data dictionary `protocols/columns.json`, and tables held to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from study.errors import OutOfRange, UnknownName

#: Column type of the dictionary to pandas dtype; every one can be empty.
DTYPES: Mapping[str, str] = {
    "string": "string",
    "object": "string",
    "number": "float64",
    "integer": "Int64",
    "boolean": "boolean",
    "timestamp": "datetime64[us, UTC]",
}

FACTOR_COLUMN = "stratum_{factor}"
"""Stands for one column per stratification factor of the protocol."""


@dataclass(frozen=True)
class Column:
    """One column, defined once for every table that has it.

    Args:
        type: a key of `DTYPES`.
        unit: as printed, or None for a number without unit.
        minimum, maximum: inclusive limits, or None.
        levels: the only values a string may take; empty if any.
    """

    name: str
    type: str
    description: str
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataDictionary:
    """Every column and every table.

    Args:
        columns: name to column.
        tables: table to its columns' names, in order.
        descriptions: table to one sentence.
    """

    columns: Mapping[str, Column]
    tables: Mapping[str, tuple[str, ...]]
    descriptions: Mapping[str, str]

    def columns_of(self, table: str, factors: Sequence[str] = ()) -> tuple[Column, ...]:
        """A table's columns, with one per stratification factor where it has those.

        Raises:
            UnknownName: no such table.
        """
        if table not in self.tables:
            raise UnknownName(f"table {table}", "is not in the dictionary", "use " + ", ".join(self.tables))
        found: list[Column] = []
        for name in self.tables[table]:
            column = self.columns[name]
            if name == FACTOR_COLUMN:
                found += [Column(f"stratum_{factor}", column.type, column.description) for factor in factors]
            else:
                found.append(column)
        return tuple(found)


@cache
def data_dictionary() -> DataDictionary:
    """The dictionary as shipped."""
    content = json.loads(resources.files("protocols").joinpath("columns.json").read_text("utf-8"))
    columns = {
        name: Column(name, **{**fields, "levels": tuple(fields.get("levels", ()))})
        for name, fields in content["columns"].items()
    }
    return DataDictionary(
        columns,
        {name: tuple(table["columns"]) for name, table in content["tables"].items()},
        {name: table["description"] for name, table in content["tables"].items()},
    )


def make_table(table: str, rows: Sequence[Mapping[str, Any]], factors: Sequence[str] = ()) -> pd.DataFrame:
    """Rows as a typed table, checked against the dictionary.

    Args:
        rows: column name to value; None where a value is missing. Every row
            names every column.
        factors: the protocol's stratification factors.

    Raises:
        UnknownName: a row has a column the dictionary does not, or lacks one.
        OutOfRange: a number outside its column's limits.
    """
    columns = data_dictionary().columns_of(table, factors)
    names = [column.name for column in columns]
    expected = set(names)
    for row in rows:
        if row.keys() != expected:
            _check_names(table, list(row), names)
    # As objects first: pandas guesses nothing, and a missing integer stays an integer column.
    untyped = pd.DataFrame([[row[name] for name in names] for row in rows], columns=names, dtype=object)
    frame = untyped.astype({column.name: DTYPES[column.type] for column in columns})
    check_table(table, frame, factors)
    return frame


def check_table(table: str, frame: pd.DataFrame, factors: Sequence[str] = ()) -> None:
    """Hold a table to the dictionary.

    Raises:
        UnknownName: an unknown or missing column, another type, or an unknown level.
        OutOfRange: a number outside its column's limits.
    """
    columns = data_dictionary().columns_of(table, factors)
    _check_names(table, list(frame.columns), [column.name for column in columns])
    for column in columns:
        where = f"{table}.{column.name}"
        values = frame[column.name]
        if str(values.dtype) != DTYPES[column.type]:
            raise UnknownName(where, f"has type {values.dtype}", f"give it {DTYPES[column.type]}")
        present = values.dropna()
        if column.levels:
            for value in present.unique():
                if value not in column.levels:
                    levels = ", ".join(column.levels)
                    raise UnknownName(where, f"{value!r} is not a level", f"use one of {levels}")
        if column.minimum is not None or column.maximum is not None:
            _check_limits(where, present.to_numpy(dtype=float), column)


def _check_limits(where: str, values: NDArray[np.float64], column: Column) -> None:
    low = -np.inf if column.minimum is None else column.minimum
    high = np.inf if column.maximum is None else column.maximum
    for value in values:
        if not low <= value <= high:
            raise OutOfRange(
                where,
                f"{value:g} is outside {low:g} to {high:g}",
                "see protocols/columns.json for what the column holds",
            )


def _check_names(table: str, seen: Sequence[str], expected: Sequence[str]) -> None:
    unknown = [name for name in seen if name not in expected]
    missing = [name for name in expected if name not in seen]
    if unknown or missing or len(set(seen)) != len(seen):
        problem = "; ".join(
            part
            for part in (
                f"unknown column {', '.join(unknown)}" if unknown else "",
                f"missing column {', '.join(missing)}" if missing else "",
                "a column stands twice" if len(set(seen)) != len(seen) else "",
            )
            if part
        )
        raise UnknownName(f"table {table}", problem, "define every column in protocols/columns.json")
