"""What both readers of tables share: a file's text, its rows with their lines, and where its sound lies."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

from generation.training.tracks import Fault, FaultKind
from study.errors import OutOfRange, StorageError

_LONGEST_SHOWN = 60
_DRIVE = re.compile(r"[A-Za-z]:|\\\\")


class BadRow(ValueError):
    """A row that cannot be used; says why, without its line."""


def place(path: Path, line: int) -> str:
    """A line of a file, as people and editors write it: ``tracks.csv:7``."""
    return f"{path.name}:{line}"


def table_text(path: Path) -> str:
    """The text of a table, UTF-8 with or without a byte-order mark.

    Raises:
        StorageError: it cannot be read, is no text of UTF-8, or is empty.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise StorageError(str(path), f"cannot be read ({reason})", "name the data set's table") from problem
    except UnicodeDecodeError as problem:
        raise StorageError(
            str(path), f"is not UTF-8 (byte {problem.start})", "save the table as UTF-8"
        ) from problem
    if "\0" in text:
        raise StorageError(
            str(path), "holds a NUL character, which no table does", "name the data set's table"
        )
    if not text.strip():
        raise StorageError(str(path), "is empty", "name the data set's table")
    return text


def rows(path: Path, text: str, delimiter: str, is_quoted: bool) -> Iterator[tuple[int, list[str]]]:
    """The line each row begins on, and its cells; lines with nothing on them are no rows.

    Args:
        is_quoted: cells may be in quotation marks; where not, a quotation mark is a character like others.

    Raises:
        OutOfRange: the quotation marks do not close, or a cell is longer than any (131,072 characters).
    """
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, quoting=quoting)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise OutOfRange(
                place(path, line), f"is not a row of a table ({problem})", "close every quotation mark"
            ) from problem
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1


def sound_file(root: Path, written: str) -> tuple[str, Path]:
    """The path of a sound as its table writes it: in one spelling, and whole.

    A data set that is copied elsewhere must still find its sound, so every path stays in its folder; a
    link inside the folder may lead where it likes.

    Raises:
        BadRow: no path, an absolute one, one that leaves the folder, or one that no file can have.
    """
    pure = PurePosixPath(written)
    if not written or pure == PurePosixPath():
        raise BadRow("no path of a sound file")
    if pure.is_absolute() or _DRIVE.match(written):
        raise BadRow(f"the path {shown(written)} is absolute; write it relative to the folder of the sound")
    if ".." in pure.parts:
        raise BadRow(f"the path {shown(written)} leaves the folder of the sound")
    if not written.isprintable():
        raise BadRow(f"the path {shown(written)} holds a character that cannot be printed")
    return str(pure), root / pure


def bad_row(path: Path, line: int, written: str, problem: str) -> Fault:
    """The fault of a row that cannot be used, named by its line."""
    where = place(path, line)
    return Fault(where, written, FaultKind.BAD_ROW, f"{where}: {problem}")


def folder_of_sound(audio: str | None, table: Path) -> Path:
    """Where the sound lies: the folder named, or the table's own.

    Raises:
        StorageError: no such folder.
    """
    root = table.parent if audio is None else Path(audio)
    if not root.is_dir():
        raise StorageError(
            str(root), "there is no such folder", "write the folder of the sound as data.audio"
        )
    return root


def shown(text: str) -> str:
    """A value in a message: in quotation marks, control characters escaped, cut where it is long."""
    whole = repr(text)
    return whole if len(whole) <= _LONGEST_SHOWN else whole[:_LONGEST_SHOWN] + "…'"
