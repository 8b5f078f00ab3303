"""Any folder of music with a table: ``path,valence,arousal[,prompt][,split][,tags][,licence]``.

A comma-separated file, or a tab-separated one that ends in ``.tsv``. Paths are relative to the folder
of the sound, and are the tracks' names. Valence and arousal lie in [-1, 1]; a track without either is
unlabelled, one with half of them is refused.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from generation.training.corpora.table_file import (
    BadRow,
    bad_row,
    folder_of_sound,
    place,
    rows,
    shown,
    sound_file,
    table_text,
)
from generation.training.recipe import DataRecipe
from generation.training.tracks import Corpus, Fault, FaultKind, Split, Track
from study.affect import Affect
from study.errors import IsopathError, OutOfRange, UnknownName, refuse
from study.folder import file_sha256
from study.protocol_file.text import did_you_mean

COLUMNS = ("path", "valence", "arousal", "prompt", "split", "tags", "licence")
"""All a table may hold; the first one it must."""

TAG_SEPARATORS = ",;"
_AXES = ("valence", "arousal")


def read_table(data: DataRecipe, seed: int) -> Corpus:
    """The tracks of a table; no sound is opened.

    Every row is a track or a fault. A path that stands twice is taken once, as it stands first.

    Args:
        data: its `splits` is None.
        seed: of the split, where the table has no column of it.

    Raises:
        IsopathError: all that is wrong with the table as a whole, at once: no such file, not text, quotation
            marks left open, unknown columns, `path` or half of the labels missing, no row.
    """
    table = Path(data.path)
    if data.splits is not None:
        raise OutOfRange(
            "data.splits", "is for MTG-Jamendo's split files", "name a track's split in the column split"
        )
    root = folder_of_sound(data.audio, table)
    delimiter = "\t" if table.suffix.lower() == ".tsv" else ","
    found = list(rows(table, table_text(table), delimiter, is_quoted=True))
    if not found:
        raise OutOfRange(str(table), "has no header", f"write the columns: {', '.join(COLUMNS)}")
    header = _header(table, found)
    if len(found) == 1:
        raise OutOfRange(str(table), "has a header and no row", "write a row for each sound file")
    tracks, faults = _Reading(table, root, header).read(found[1:])
    if "split" not in header:
        tracks = _divided(tracks, data.validation_share, seed)
    return Corpus(
        name=table.parent.resolve().name or table.stem,
        root=root,
        tracks=tuple(tracks),
        faults=tuple(faults),
        licences={"audio": "in the table's column licence" if "licence" in header else "not stated"},
        sha256={table.name: file_sha256(table)},
        notes=(_how_split(header, data.validation_share, seed),),
    )


def in_validation(names: Iterable[str], share: float, seed: int) -> frozenset[str]:
    """Which tracks are for validation: those with the smallest SHA-256 of seed and name.

    Neither the order of the table nor the machine decides anything, and the share is met to the nearest
    track; one at least where there are two and the share is above 0.

    Args:
        share: of the tracks, 0 to 1.
    """
    ranked = sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
    count = round(share * len(ranked))
    if share > 0 and len(ranked) > 1:
        count = min(max(count, 1), len(ranked) - 1)
    return frozenset(ranked[:count])


def _divided(tracks: Sequence[Track], share: float, seed: int) -> list[Track]:
    chosen = in_validation((track.track_id for track in tracks), share, seed)
    return [
        replace(track, split=Split.VALIDATION if track.track_id in chosen else Split.TRAIN)
        for track in tracks
    ]


def _how_split(header: Sequence[str], share: float, seed: int) -> str:
    if "split" in header:
        return "The table's column split says what each track is for."
    return f"{share:.1%} of the tracks are for validation, by the SHA-256 of seed {seed} and path."


def _header(table: Path, found: Sequence[tuple[int, list[str]]]) -> tuple[str, ...]:
    line, cells = found[0]
    names = tuple(cell.strip() for cell in cells)
    where = place(table, line)
    refusals: list[IsopathError] = [
        UnknownName(
            where,
            f"the column {shown(name)} is not known",
            did_you_mean(name, COLUMNS) + f"delete it; the columns are {', '.join(COLUMNS)}",
        )
        for name in dict.fromkeys(names)
        if name not in COLUMNS
    ]
    refusals.extend(
        UnknownName(where, f"the column {name} stands {names.count(name)} times", "delete all but one")
        for name in dict.fromkeys(names)
        if name in COLUMNS and names.count(name) > 1
    )
    if "path" not in names:
        refusals.append(UnknownName(where, "there is no column path", "name the sound file of each row"))
    stated = [axis for axis in _AXES if axis in names]
    if len(stated) == 1:
        refusals.append(
            UnknownName(where, f"there is {stated[0]} alone", "write valence and arousal, or neither")
        )
    refuse(refusals)
    return names


@dataclass(frozen=True)
class _Reading:
    table: Path
    root: Path
    header: tuple[str, ...]

    def read(self, found: Sequence[tuple[int, list[str]]]) -> tuple[list[Track], list[Fault]]:
        tracks: list[Track] = []
        faults: list[Fault] = []
        first_on: dict[str, int] = {}
        for line, cells in found:
            where = place(self.table, line)
            try:
                track = self._track(cells)
            except BadRow as problem:
                faults.append(bad_row(self.table, line, self._written(cells), str(problem)))
                continue
            if track.track_id in first_on:
                problem_told = f"{where}: the path stands on line {first_on[track.track_id]} already"
                faults.append(Fault(where, track.track_id, FaultKind.DUPLICATE, problem_told))
                continue
            first_on[track.track_id] = line
            tracks.append(track)
        return tracks, faults

    def _written(self, cells: Sequence[str]) -> str:
        at = self.header.index("path")
        return cells[at].strip() if at < len(cells) else ""

    def _track(self, cells: Sequence[str]) -> Track:
        if len(cells) != len(self.header):
            raise BadRow(f"{len(cells)} cells, and the header has {len(self.header)}")
        row = {name: cell.strip() for name, cell in zip(self.header, cells, strict=True)}
        problems: list[str] = []
        name, path = "", self.root
        affect, split = None, Split.TRAIN
        try:
            name, path = sound_file(self.root, row["path"])
        except BadRow as problem:
            problems.append(str(problem))
        try:
            affect = _affect(row)
        except BadRow as problem:
            problems.append(str(problem))
        try:
            split = _split(row)
        except BadRow as problem:
            problems.append(str(problem))
        if problems:
            raise BadRow("; ".join(problems))
        return Track(
            track_id=name,
            path=path,
            split=split,
            tags=_tags(row.get("tags", "")),
            affect=affect,
            prompt=row.get("prompt") or None,
            licence=row.get("licence") or "not stated",
        )


def _affect(row: Mapping[str, str]) -> Affect | None:
    written = [row.get(axis, "") for axis in _AXES]
    if not any(written):
        return None
    problems = []
    values = []
    for axis, cell in zip(_AXES, written, strict=True):
        try:
            # Python would read 1_0 as ten.
            value = float(cell.replace("_", "no"))
        except ValueError:
            problems.append(f"{axis} {shown(cell)} is no number" if cell else f"{axis} is missing")
            continue
        values.append(value)
        if not -1.0 <= value <= 1.0:
            problems.append(
                f"{axis} {'is not a number' if math.isnan(value) else f'{cell} is outside [-1, 1]'}"
            )
    if problems:
        raise BadRow("; ".join(problems))
    return Affect(*values)


def _split(row: Mapping[str, str]) -> Split:
    if "split" not in row:
        return Split.TRAIN
    try:
        return Split(row["split"])
    except ValueError:
        known = ", ".join(Split)
        raise BadRow(f"the split {shown(row['split'])} is not known; write one of {known}") from None


def _tags(cell: str) -> tuple[str, ...]:
    for sign in TAG_SEPARATORS[1:]:
        cell = cell.replace(sign, TAG_SEPARATORS[0])
    return tuple(
        dict.fromkeys(tag for tag in (part.strip() for part in cell.split(TAG_SEPARATORS[0])) if tag)
    )
