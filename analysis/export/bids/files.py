"""Files as BIDS writes them: TSV with n/a, JSON sidecars, labels of letters and digits, reproducible gzip.

Source: Brain Imaging Data Structure 1.11.1, "Common principles" (tabular files; entities).
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.tables.data_dictionary import Column
from study.errors import OutOfRange

MISSING = "n/a"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def label(text: str) -> str:
    """Letters and digits only; a letter after a sign that is left out is a capital: ``a_b`` is ``aB``."""
    first, *more = [part for part in re.split(r"[^0-9A-Za-z]+", text) if part] or ["x"]
    return first + "".join(part[0].upper() + part[1:] for part in more)


def labels(prefix: str, ids: Iterable[str]) -> dict[str, str]:
    """Each of the study's ids as a BIDS label with its prefix: ``sub-1a2b`` stays, ``sub-a_b`` is ``sub-aB``.

    Raises:
        OutOfRange: two ids would have the same label.
    """
    found: dict[str, str] = {}
    taken: dict[str, str] = {}
    for each in ids:
        made = f"{prefix}-{label(each.removeprefix(f'{prefix}-'))}"
        if taken.setdefault(made, each) != each:
            raise OutOfRange(
                each, f"has the same BIDS label as {taken[made]}", "export as CSV, where ids stay as they are"
            )
        found[each] = made
    return found


def cell(value: Any) -> str:
    r"""A value as a cell: n/a where missing or empty; line ends, tabs and backslashes are escaped.

    A backslash is written ``\\``, a tab ``\t``, a line end ``\n`` or ``\r``: a TSV cell cannot hold them.
    """
    if pd.isna(value):
        return MISSING
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, pd.Timestamp):
        return value.isoformat(timespec="microseconds")
    return str(value).translate(_ESCAPES) or MISSING


def write_tsv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """A table with a header; a column that a row does not name is n/a."""
    lines = ["\t".join(columns)]
    lines += ["\t".join(cell(row.get(name)) for name in columns) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(("\n".join(lines) + "\n").encode())


def write_continuous(path: Path, rows: Iterable[Sequence[float]]) -> None:
    """A continuous recording: gzipped TSV without a header; no time of day in the gzip header."""
    text = "".join("\t".join(cell(float(value)) for value in row) + "\n" for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """A sidecar, or the dataset's description."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def described(columns: Iterable[Column]) -> dict[str, dict[str, Any]]:
    """Columns of the data dictionary as a sidecar describes them."""
    return {column.name: _described(column) for column in columns}


def _described(column: Column) -> dict[str, Any]:
    about: dict[str, Any] = {"Description": column.description}
    if column.unit:
        about["Units"] = column.unit
    if column.levels:
        about["Levels"] = {level: level.replace("_", " ") for level in column.levels}
    limits = {"Minimum": column.minimum, "Maximum": column.maximum}
    return about | {name: limit for name, limit in limits.items() if limit is not None}
