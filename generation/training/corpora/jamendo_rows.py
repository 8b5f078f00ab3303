"""The rows of MTG-Jamendo's table and split files: which are tracks, and what is wrong with the others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from generation.training.corpora.table_file import BadRow, place, rows, shown, sound_file, table_text
from generation.training.tracks import Fault, FaultKind, Split, Track
from study.errors import OutOfRange

COLUMNS = ("TRACK_ID", "ARTIST_ID", "ALBUM_ID", "PATH", "DURATION", "TAGS")
CATEGORY = "mood/theme"
_SEPARATOR = "---"
_PATH_AT = COLUMNS.index("PATH")


@dataclass(frozen=True)
class Row:
    """A row of one of the files, as it stands: its tags are a cell each.

    Args:
        where: file and line, for messages.
    """

    where: str
    cells: tuple[str, ...]

    @property
    def track_id(self) -> str:
        """The first cell; the place where that is empty."""
        return self.cells[0].strip() or self.where

    @property
    def path(self) -> str:
        """The cell of the path; empty where the row ends before it."""
        return self.cells[_PATH_AT].strip() if len(self.cells) > _PATH_AT else ""

    def fault(self, kind: FaultKind, problem: str, is_kept: bool = False) -> Fault:
        """A fault of this row."""
        return Fault(self.track_id, self.path, kind, f"{self.where}: {problem}", is_kept)


def read_rows(path: Path) -> tuple[Row, ...]:
    """The rows of a table or split file, without the header.

    Raises:
        StorageError: it cannot be read, or is no text.
        OutOfRange: it has other columns, or no rows.
    """
    found = [
        Row(place(path, line), tuple(cells))
        for line, cells in rows(path, table_text(path), "\t", is_quoted=False)
    ]
    header = found[0].cells if found else ()
    if tuple(cell.strip() for cell in header) != COLUMNS:
        raise OutOfRange(
            found[0].where if found else str(path),
            f"has the columns {shown(', '.join(header))}",
            f"name a table of MTG-Jamendo: its columns are {', '.join(COLUMNS)}",
        )
    if len(found) == 1:
        raise OutOfRange(str(path), "has a header and no row", "fetch the data set's tables again")
    return tuple(found[1:])


@dataclass
class Taken:
    """What has been taken from the rows.

    Args:
        tracks: of the table that are in one split, in its order; licences not stated yet.
        other_tags: category of a tag that is no mood or theme to the number of such tags.
    """

    tracks: list[Track] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    other_tags: Counter[str] = field(default_factory=Counter)


def take(table: Sequence[Row], parts: Mapping[Split, Sequence[Row]], root: Path) -> Taken:
    """Join the table with its splits; no row of the table is lost between tracks and faults.

    Args:
        root: folder of the sound.
    """
    taken = Taken()
    split_rows = _by_track(parts, taken.faults)
    first_on: dict[str, str] = {}
    for row in table:
        try:
            track = _track(row, root, taken.other_tags)
            split = _split_of(row, split_rows.get(track.track_id, {}))
        except BadRow as problem:
            taken.faults.append(row.fault(FaultKind.BAD_ROW, str(problem)))
        except _NotInOneSplit as problem:
            taken.faults.append(row.fault(problem.kind, str(problem)))
        else:
            # A name is an id or a path here: no path looks like an id of the data set.
            twice = [name for name in (track.track_id, str(track.path)) if name in first_on]
            if twice:
                what = "the track" if twice[0] == track.track_id else "its file"
                problem_told = f"{what} stands on {first_on[twice[0]]} already"
                taken.faults.append(row.fault(FaultKind.DUPLICATE, problem_told))
                continue
            first_on |= dict.fromkeys((track.track_id, str(track.path)), row.where)
            taken.tracks.append(replace(track, split=split))
    in_table = {row.track_id for row in table}
    taken.faults.extend(
        row.fault(FaultKind.NOT_IN_TABLE, "the table has no such track")
        for track_id, found in split_rows.items()
        if track_id not in in_table
        for row in found.values()
    )
    return taken


class _NotInOneSplit(ValueError):
    def __init__(self, kind: FaultKind, problem: str) -> None:
        super().__init__(problem)
        self.kind = kind


def _by_track(parts: Mapping[Split, Sequence[Row]], faults: list[Fault]) -> dict[str, dict[Split, Row]]:
    found: dict[str, dict[Split, Row]] = {}
    for split, split_rows in parts.items():
        for row in split_rows:
            if len(row.cells) < len(COLUMNS):
                faults.append(row.fault(FaultKind.BAD_ROW, _too_few(row)))
                continue
            own = found.setdefault(row.track_id, {})
            if split in own:
                problem = f"the track stands on {own[split].where} already"
                faults.append(row.fault(FaultKind.DUPLICATE, problem, is_kept=True))
            else:
                own[split] = row
    return found


def _split_of(row: Row, found: Mapping[Split, Row]) -> Split:
    if not found:
        raise _NotInOneSplit(FaultKind.NO_SPLIT, "no split has this track")
    if len(found) > 1:
        places = " and ".join(one.where for one in found.values())
        raise _NotInOneSplit(FaultKind.TWO_SPLITS, f"is in {' and '.join(found)} ({places})")
    ((split, stated),) = found.items()
    if stated.path != row.path:
        raise BadRow(f"the path is {shown(row.path)}, and {shown(stated.path)} on {stated.where}")
    return split


def _too_few(row: Row) -> str:
    return f"{len(row.cells)} fields; a row has {len(COLUMNS)} at least"


def _track(row: Row, root: Path, other_tags: Counter[str]) -> Track:
    if len(row.cells) < len(COLUMNS):
        raise BadRow(_too_few(row))
    track_id, artist_id, album_id, written, duration, *tags = (cell.strip() for cell in row.cells)
    if not track_id:
        raise BadRow("no track id")
    _, path = sound_file(root, written)
    return Track(
        track_id=track_id,
        path=path,
        split=Split.TRAIN,
        tags=_moods(tags, other_tags),
        duration_s=_duration_s(duration),
        artist_id=artist_id or None,
        album_id=album_id or None,
    )


def _duration_s(cell: str) -> float:
    try:
        duration_s = float(cell)
    except ValueError:
        raise BadRow(f"the duration {shown(cell)} is no number") from None
    if not (math.isfinite(duration_s) and duration_s > 0):
        raise BadRow(f"a duration of {cell} s")
    return duration_s


def _moods(tags: Sequence[str], other_tags: Counter[str]) -> tuple[str, ...]:
    moods = []
    others = []
    for tag in tags:
        category, separator, word = tag.partition(_SEPARATOR)
        if not (category and separator and word):
            raise BadRow(f"the tag {shown(tag)} is not written category{_SEPARATOR}word")
        if category == CATEGORY:
            moods.append(word)
        else:
            others.append(category)
    other_tags.update(others)
    return tuple(dict.fromkeys(moods))
