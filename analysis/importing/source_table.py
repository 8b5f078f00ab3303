"""A table that another system exported, read strictly: text cells with the line each came from.

Nothing is guessed where a guess could change a value: the encoding is told or
is UTF-8, the separator is told or is the only one the header can mean, and a
row that does not fit the header is refused. Cells stay text, so that leading
zeros stay; blanks around a cell are no part of it.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from study.errors import IsopathError, OutOfRange, StorageError, UnknownName, refuse

MAX_BYTES = 100_000_000
ENCODINGS = ("utf-8", "utf-16", "windows-1252", "iso-8859-15")
"""Encodings that a map can name; a byte-order mark of UTF-8 is allowed and told."""

DELIMITERS: Mapping[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t"}

_MOST_TOLD = 100


@dataclass(frozen=True)
class SourceRow:
    """One row: the line it begins on, from 1, and its cells by column."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class SourceTable:
    """A file as it was read.

    Args:
        file_name: for messages and the record, without its folder.
        sha256: of the file's bytes.
        columns: the header, in order.
        told: how the file was read, in words.
    """

    file_name: str
    sha256: str
    columns: tuple[str, ...]
    rows: tuple[SourceRow, ...]
    told: tuple[str, ...]

    def at(self, row: SourceRow, column: str | None = None) -> str:
        """A place in the file, for messages."""
        return cell_place(self.file_name, row.line, column)


def cell_place(file_name: str, line: int, column: str | None = None) -> str:
    """``ratings.csv, line 12, column pre_valence``."""
    return f"{file_name}, line {line}" + (f", column {column}" if column is not None else "")


def load_table(path: Path, encoding: str = "utf-8", delimiter: str | None = None) -> SourceTable:
    """Read a table's file.

    Args:
        encoding: one of `ENCODINGS`.
        delimiter: a key of `DELIMITERS`; None for the one that the header shows.

    Raises:
        StorageError: no such file, or one that cannot be read or is too large.
        IsopathError: as `parse_table`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as problem:
        reason = (getattr(problem, "strerror", None) or "is not a file name").lower()
        raise StorageError(str(path), f"cannot be read ({reason})", "name a CSV file") from None
    if len(data) > MAX_BYTES:
        problem_text = f"is larger than {MAX_BYTES // 1_000_000} MB"
        raise StorageError(str(path), problem_text, "export fewer columns, or import it in parts")
    return parse_table(data, path.name, encoding, delimiter)


def parse_table(
    data: bytes, file_name: str, encoding: str = "utf-8", delimiter: str | None = None
) -> SourceTable:
    """Read a table's bytes.

    Raises:
        OutOfRange: not text of this encoding, no table, or rows that do not fit the header;
            all such rows at once, in `Refusals`.
        UnknownName: an unknown encoding or separator, or a header that names a column twice.
    """
    text, read_as = _decoded(data, file_name, encoding)
    separator = _separator(text, file_name, delimiter)
    lines = list(_records(text, file_name, separator))
    if not lines:
        raise OutOfRange(file_name, "is empty", "export the table again, with its header line")
    if not any(lines[0][1]):
        raise OutOfRange(cell_place(file_name, 1), "is blank", "begin the file with its header line")
    columns = _header(lines[0][1], file_name)
    if len(lines) == 1:
        raise OutOfRange(file_name, "holds a header and no rows", "export the table again")
    rows, blank, refusals = [], 0, list[IsopathError]()
    for line, cells in lines[1:]:
        if not any(cells):
            blank += 1
        elif len(cells) != len(columns):
            refusals.append(
                OutOfRange(
                    cell_place(file_name, line),
                    f"has {len(cells)} cells, and the header has {len(columns)}",
                    "put a value that holds the separator or a line break in double quotation marks",
                )
            )
        else:
            rows.append(SourceRow(line, dict(zip(columns, cells, strict=True))))
    refuse(at_most(refusals, file_name))
    if not rows:
        raise OutOfRange(file_name, "holds blank rows alone", "export the table again")
    name = next(name for name, sign in DELIMITERS.items() if sign == separator)
    told = [f"read as {read_as}, separated by {name}"]
    if blank:
        told.append(f"{blank} blank row(s) left out")
    return SourceTable(file_name, hashlib.sha256(data).hexdigest(), columns, tuple(rows), tuple(told))


def at_most(refusals: Sequence[IsopathError], file_name: str) -> list[IsopathError]:
    """The first hundred refusals, and how many more there are."""
    if len(refusals) <= _MOST_TOLD:
        return list(refusals)
    rest = len(refusals) - _MOST_TOLD
    more = OutOfRange(file_name, f"{rest} more problem(s) like these", "mend these first, and run it again")
    return [*refusals[:_MOST_TOLD], more]


def _decoded(data: bytes, file_name: str, encoding: str) -> tuple[str, str]:
    if encoding not in ENCODINGS:
        raise UnknownName(
            "encoding", f"{encoding!r} is not one of those read", "write one of " + ", ".join(ENCODINGS)
        )
    if encoding != "utf-16" and data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise OutOfRange(file_name, "begins as UTF-16 text does", 'write "encoding": "utf-16" in the map')
    try:
        text = data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise OutOfRange(
            cell_place(file_name, line),
            f"the byte {data[problem.start]:#04x} is not {encoding} text",
            'name the encoding in the map ("encoding": "windows-1252" for most files saved by Excel), '
            "or save the file as UTF-8",
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise OutOfRange(
            cell_place(file_name, line),
            "a NUL character stands here, which no table holds",
            "name a CSV file, or its encoding",
        )
    has_mark = encoding == "utf-8" and data.startswith(b"\xef\xbb\xbf")
    return text, encoding.upper() + (" with a byte-order mark" if has_mark else "")


def _separator(text: str, file_name: str, delimiter: str | None) -> str:
    if delimiter is not None:
        if delimiter not in DELIMITERS:
            known = ", ".join(DELIMITERS)
            raise UnknownName("delimiter", f"{delimiter!r} is not known", f"write one of {known}")
        return DELIMITERS[delimiter]
    widths = {}
    for sign in DELIMITERS.values():
        first = next(_records(text, file_name, sign), None)
        widths[sign] = 0 if first is None else len(first[1])
    several = [sign for sign, width in widths.items() if width > 1]
    if len(several) > 1:
        found = " and ".join(name for name, sign in DELIMITERS.items() if sign in several)
        raise OutOfRange(
            cell_place(file_name, 1),
            f"the header could be separated by {found}",
            'write "delimiter": "comma", "semicolon" or "tab" in the map',
        )
    return several[0] if several else ","


def _records(text: str, file_name: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The line each record begins on, and its cells, trimmed."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise OutOfRange(
                cell_place(file_name, line),
                f"is not a row of a CSV file ({problem})",
                "close every quotation mark, write one inside a value twice, and name the separator",
            ) from None
        yield line, [cell.strip() for cell in cells]
        line = reader.line_num + 1


def _header(names: Sequence[str], file_name: str) -> tuple[str, ...]:
    where = cell_place(file_name, 1)
    refusals: list[IsopathError] = []
    if "" in names:
        number = names.index("") + 1
        refusals.append(OutOfRange(where, f"column {number} has no name", "name it, or delete it"))
    refusals.extend(
        UnknownName(where, f"the column {name!r} stands {names.count(name)} times", "rename all but one")
        for name in dict.fromkeys(names)
        if name and names.count(name) > 1
    )
    refuse(refusals)
    return tuple(names)
