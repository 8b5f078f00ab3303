"""A drawn path: waypoints from a CSV file."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Sequence
from pathlib import Path

from study.affect import Affect
from study.errors import IsopathError, OutOfRange, StorageError, refuse
from study.path import AffectPath, PathKind, Waypoint

LONGEST_MINUTES = 180.0
SHORTEST_S = 1.0
MOST_WAYPOINTS = 10_000
COLUMNS = ("onset_s", "valence", "arousal")

_MOST_TOLD = 20
_COLUMNS_REMEDY = "begin the file with the line onset_s,valence,arousal, and separate columns by commas"


def read_waypoints(file: Path, duration_s: float | None = None) -> AffectPath:
    """A path from a CSV file with the columns onset_s, valence, arousal.

    Each row is a waypoint, held until the next row's onset; between the middles of waypoints the path is
    straight. The last one lasts until the end of the session.

    Args:
        duration_s: of the session; None: the last waypoint lasts as long as the one before it.

    Raises:
        StorageError: the file cannot be read, or is no text.
        OutOfRange: it is no such table.
        IsopathError: every row that is wrong, all at once, by its line.
    """
    onsets_s: list[float] = []
    points: list[Affect] = []
    problems: list[IsopathError] = []
    before_s: float | None = None
    for number, (line, cells) in enumerate(_rows(file)):
        where = f"{file}, line {line}"
        try:
            onset_s = _onset_s(where, cells)
            problems += _out_of_order(where, onset_s, number == 0, before_s)
            onsets_s.append(onset_s)
            before_s = onset_s
            points.append(_point(where, cells))
        except IsopathError as refusal:
            problems.append(refusal)
    _refuse_rows(file, problems)
    end_s = _end_s(file, onsets_s, duration_s)
    return AffectPath(
        PathKind.ISO,
        tuple(
            Waypoint(onset_s, next_s - onset_s, point)
            for (onset_s, next_s), point in zip(itertools.pairwise([*onsets_s, end_s]), points, strict=True)
        ),
    )


def _rows(file: Path) -> list[tuple[int, list[str]]]:
    """The line and cells of each row after the header."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as problem:
        reason = (problem.strerror or "unknown reason").lower()
        raise StorageError(str(file), f"cannot be read ({reason})", "name a CSV file") from problem
    except UnicodeDecodeError as problem:
        raise StorageError(str(file), "is not UTF-8 text", "save it as CSV in UTF-8") from problem
    if not text.strip():
        raise OutOfRange(str(file), "is empty", _COLUMNS_REMEDY)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except csv.Error as problem:
        where = f"{file}, line {reader.line_num}"
        raise OutOfRange(where, f"is no row of a table ({problem})", "write plain numbers") from problem
    header = rows[0][1]
    if tuple(header) != COLUMNS:
        shown = ",".join(header)
        what = "separated by semicolons" if ";" in shown else "not onset_s,valence,arousal"
        if "\t" in shown:
            what = "separated by tabs"
        raise OutOfRange(str(file), f"its first line is {what}: {shown[:60]!r}", _COLUMNS_REMEDY)
    if len(rows) == 1:
        raise OutOfRange(str(file), "holds no waypoint", "write a row for each: 0,-0.6,0.5")
    if len(rows) - 1 > MOST_WAYPOINTS:
        problem_told = f"{len(rows) - 1:,} waypoints, more than {MOST_WAYPOINTS:,}"
        raise OutOfRange(str(file), problem_told, "keep every second or third row")
    return rows[1:]


def _onset_s(where: str, cells: Sequence[str]) -> float:
    if len(cells) != len(COLUMNS):
        raise OutOfRange(where, f"{len(cells)} cells", "write three: onset_s,valence,arousal")
    onset_s = _number(where, COLUMNS[0], cells[0])
    if not (math.isfinite(onset_s) and onset_s >= 0):
        raise OutOfRange(where, f"onset_s {cells[0]} is no moment", "write seconds from 0")
    return onset_s


def _point(where: str, cells: Sequence[str]) -> Affect:
    numbers = [_number(where, name, cell) for name, cell in zip(COLUMNS[1:], cells[1:], strict=True)]
    try:
        return Affect(*numbers)
    except OutOfRange as refusal:
        raise OutOfRange(where, f"{refusal.where} {refusal.problem}", "write a value from -1 to 1") from None


def _number(where: str, name: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        remedy = "write a number with a decimal point"
        raise OutOfRange(where, f"{name} {cell!r} is not a number", remedy) from None


def _out_of_order(where: str, onset_s: float, is_first: bool, before_s: float | None) -> list[IsopathError]:
    if is_first and onset_s > 0:
        return [OutOfRange(where, f"the first waypoint begins at {onset_s:g} s", "begin with onset_s 0")]
    if before_s is None or onset_s > before_s:
        return []
    what = "stands there twice" if onset_s == before_s else f"comes after {before_s:g}"
    return [OutOfRange(where, f"onset_s {onset_s:g} {what}", "sort the rows, one for each moment")]


def _refuse_rows(file: Path, problems: Sequence[IsopathError]) -> None:
    told = list(problems[:_MOST_TOLD])
    if len(problems) > _MOST_TOLD:
        rest = f"{len(problems) - _MOST_TOLD} more problem(s) like these"
        told.append(OutOfRange(str(file), rest, "mend these first, and run it again"))
    refuse(told)


def _end_s(file: Path, onsets_s: Sequence[float], duration_s: float | None) -> float:
    if duration_s is None:
        if len(onsets_s) == 1:
            raise OutOfRange(str(file), "one waypoint, and nothing says how long it lasts", "give --minutes")
        duration_s = 2 * onsets_s[-1] - onsets_s[-2]
    if duration_s <= onsets_s[-1]:
        problem = (
            f"the session ends at {duration_s:g} s, before the last waypoint begins ({onsets_s[-1]:g} s)"
        )
        raise OutOfRange("--minutes", problem, "give a longer session, or leave it out")
    if not SHORTEST_S <= duration_s <= 60.0 * LONGEST_MINUTES:
        problem = f"a session of {duration_s:g} s is not between 1 second and {LONGEST_MINUTES:g} minutes"
        raise OutOfRange(str(file), problem, "change its onsets, or give --minutes")
    return duration_s
