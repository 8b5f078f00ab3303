"""The rules of Psych-DS' schema 1.5.1 that have an error level, written from the schema's text.

Its own validator is on npm and JSR, which a test may not fetch from. The codes are the schema's.
"""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

FILE_NAME = re.compile(r"([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data\.(csv|tsv)")
OFFICIAL = {
    "study", "site", "subject", "session", "task", "condition", "trial", "stimulus", "description",
}  # fmt: skip


def problems_of(folder: Path) -> set[str]:
    """Codes of the rules that the dataset breaks."""
    found: set[str] = set()
    metadata = folder / "dataset_description.json"
    if not metadata.is_file():
        return {"MISSING_DATASET_DESCRIPTION"}
    try:
        description: dict[str, Any] = json.loads(metadata.read_bytes().decode())
    except ValueError:
        return {"INVALID_JSON_FORMATTING"}
    if "@type" not in description:
        found.add("MISSING_DATASET_TYPE")
    elif description["@type"] not in ("Dataset", "https://schema.org/Dataset"):
        found.add("INCORRECT_DATASET_TYPE")
    if description.get("@context") != "https://schema.org/":
        found.add("UNKNOWN_NAMESPACE")
    if not all(description.get(key) for key in ("name", "description", "variableMeasured")):
        found.add("JSON_KEY_REQUIRED")
    if not (folder / "data").is_dir():
        return found | {"MISSING_DATA_DIRECTORY"}
    files = sorted(path for path in (folder / "data").rglob("*") if path.is_file())
    if not any(FILE_NAME.fullmatch(path.name) for path in files):
        found.add("MISSING_DATAFILE")
    measured = {
        each if isinstance(each, str) else each["name"] for each in description.get("variableMeasured", [])
    }
    seen: set[str] = set()
    for path in files:
        found |= _file_problems(path, measured)
        seen |= set(_rows(path)[0])
    if measured - seen:
        found.add("VARIABLE_MISSING_FROM_CSV_COLUMNS")
    return found


def _file_problems(path: Path, measured: set[str]) -> set[str]:
    found: set[str] = set()
    if not FILE_NAME.fullmatch(path.name):
        return {"FILENAME_KEYWORD_FORMATTING_ERROR"}
    keywords = {part.partition("-")[0] for part in path.stem.removesuffix("_data").split("_")}
    if keywords - OFFICIAL:
        found.add("FILENAME_UNOFFICIAL_KEYWORD_WARNING")
    rows = _rows(path)
    if not rows or not rows[0]:
        return found | {"CSV_HEADER_MISSING"}
    header = rows[0]
    if len(set(header)) != len(header):
        found.add("CSV_HEADER_REPEATED")
    if any(len(row) != len(header) for row in rows):
        found.add("CSV_HEADER_LENGTH_MISMATCH")
    if set(header) - measured:
        found.add("CSV_COLUMN_MISSING_FROM_METADATA")
    return found


def _rows(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline=""), strict=True)) or [[]]
