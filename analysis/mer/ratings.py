"""A lab's own rated music: a table of sound files with perceived valence and arousal."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from study.errors import IsopathError, OutOfRange, StorageError, refuse
from study.folder import file_sha256

COLUMNS = ("path", "valence", "arousal")


@dataclass(frozen=True)
class RatedTrack:
    """A sound file and what listeners said it expresses.

    Args:
        path: as the table names it.
        sound: where the file is.
        valence, arousal: mean rating, perceived, in [-1, 1].
    """

    path: str
    sound: Path
    valence: float
    arousal: float


def load_ratings(table: Path) -> tuple[RatedTrack, ...]:
    """The tracks of a CSV with the columns path, valence, arousal; paths from the table's own folder.

    Raises:
        StorageError: it cannot be read.
        IsopathError: every row that is wrong, all at once: a rating outside [-1, 1], a path or a sound
            that stands there twice.
    """
    try:
        text = table.read_bytes().decode("utf-8-sig")
    except OSError as problem:
        raise StorageError(
            str(table), str(problem.strerror).lower(), "name a CSV file that can be read"
        ) from problem
    except UnicodeDecodeError as problem:
        raise OutOfRange(str(table), "is not UTF-8 text", "save it as CSV in UTF-8") from problem
    reader = csv.reader(io.StringIO(text, newline=""))
    rows = [(reader.line_num, row) for row in reader if row]
    if not rows or tuple(rows[0][1]) != COLUMNS:
        raise OutOfRange(
            str(table),
            "its first line is not " + ",".join(COLUMNS),
            "give it these three columns and no others; ratings are of perceived emotion, from -1 to 1",
        )
    tracks: list[RatedTrack] = []
    problems: list[IsopathError] = []
    for number, row in rows[1:]:
        where = f"{table}, line {number}"
        if len(row) != len(COLUMNS):
            problems.append(OutOfRange(where, f"{len(row)} cells", f"write {len(COLUMNS)}"))
            continue
        path, *ratings = row
        numbers = [_rating(rating) for rating in ratings]
        problems += [
            OutOfRange(f"{where}, column {name}", f"{rating!r}", "write a number from -1 to 1 (SAM 9 is 1)")
            for name, rating, value in zip(COLUMNS[1:], ratings, numbers, strict=True)
            if value is None
        ]
        valence, arousal = numbers
        if valence is not None and arousal is not None:
            tracks.append(RatedTrack(path, table.parent / path, valence, arousal))
    refuse([*problems, *_named_twice(table, tracks)])
    refuse(_same_sound(table, tracks))
    return tuple(tracks)


def _rating(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= 1 else None


def _named_twice(table: Path, tracks: Sequence[RatedTrack]) -> list[IsopathError]:
    paths = [track.path for track in tracks]
    return [
        OutOfRange(
            str(table), f"{path} stands there {paths.count(path)} times", "keep one row for each track"
        )
        for path in dict.fromkeys(paths)
        if paths.count(path) > 1
    ]


def _same_sound(table: Path, tracks: Sequence[RatedTrack]) -> list[IsopathError]:
    """One sound under two names could calibrate a band and then be held out from it."""
    seen: dict[str, str] = {}
    found: list[IsopathError] = []
    for track in tracks:
        # What cannot be read is refused where it is heard, by a message of its own.
        if not track.sound.is_file():
            continue
        first = seen.setdefault(file_sha256(track.sound), track.path)
        if first != track.path:
            found.append(
                OutOfRange(str(table), f"{track.path} is the same sound as {first}", "keep one of them")
            )
    return found
