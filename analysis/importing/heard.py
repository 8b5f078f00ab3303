"""What one person heard, as the rows tell it: which file, its clips, and how long it was listened to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from analysis.importing.cells import Cells
from analysis.importing.column_map import SoundColumns
from analysis.importing.people import PersonRows
from analysis.importing.reports import is_left_out, session_of
from analysis.importing.source_table import SourceRow
from study.affect import Affect
from study.events import StopReason
from study.protocol import StudyProtocol
from study.protocol_file.text import shown

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class ToldClip:
    """A clip as a row tells it: where it lies in the file, and what it was meant to express."""

    onset_s: float
    duration_s: float
    affect: Affect | None


@dataclass(frozen=True)
class ToldSession:
    """What a file tells of one session's sound.

    Args:
        file: name of the sound file; None where it tells none.
        clips: in order of onset; empty where the file is one clip.
        affect: what the whole file was meant to express, where it is one clip.
        listened_s: None where it is not told.
        stop_reason: why it was stopped early; None where it is not told.
        row, column: where the file's name, or else the listening, stands.
    """

    session_id: str
    file: str | None
    clips: tuple[ToldClip, ...]
    affect: Affect | None
    listened_s: float | None
    stop_reason: StopReason | None
    row: SourceRow
    column: str | None


@dataclass
class _Gathered:
    """One session's values, each with the row that told it first."""

    row: SourceRow
    columns: SoundColumns
    files: list[tuple[SourceRow, str]]
    listened: list[tuple[SourceRow, float]]
    stopped: list[tuple[SourceRow, str]]
    clips: dict[ToldClip, SourceRow]
    affects: list[tuple[SourceRow, Affect]]


def heard_by(cells: Cells, protocol: StudyProtocol, person: PersonRows) -> tuple[ToldSession, ...]:
    """A person's sessions of which a row tells a sound or how long it was listened to."""
    sessions: dict[str, _Gathered] = {}
    for row in person.rows:
        for columns in cells.column_map.sounds:
            if is_left_out(cells, row) or not columns.selector.takes(row.cells):
                continue
            if not _says_something(row, columns):
                continue
            session_id = columns.session_id or session_of(cells, protocol, row)
            if session_id is not None:
                empty = _Gathered(row, columns, [], [], [], {}, [])
                _gather(cells, sessions.setdefault(session_id, empty), row, columns)
    return tuple(_told(cells, session_id, found) for session_id, found in sorted(sessions.items()))


def _says_something(row: SourceRow, columns: SoundColumns) -> bool:
    return any(row.cells[column] for column in (columns.file, columns.listened_s) if column is not None)


def _gather(cells: Cells, found: _Gathered, row: SourceRow, columns: SoundColumns) -> None:
    if columns.file is not None and row.cells[columns.file]:
        found.files.append((row, row.cells[columns.file]))
    listened_s = cells.seconds(row, columns.listened_s)
    if listened_s is not None:
        found.listened.append((row, listened_s))
    if columns.stopped is not None:
        reason = cells.word(row, columns.stopped, tuple(map(str, StopReason)))
        if reason is not None:
            found.stopped.append((row, reason))
    affect = _affect(cells, row, columns)
    onset_s, duration_s = cells.seconds(row, columns.onset_s), cells.seconds(row, columns.duration_s)
    if onset_s is not None and duration_s is not None:
        found.clips.setdefault(ToldClip(onset_s, duration_s, affect), row)
    elif onset_s is not None or duration_s is not None:
        column = columns.duration_s if duration_s is None else columns.onset_s
        cells.refuse(row, column, "is blank beside the clip's other time", "write both, or neither")
    elif affect is not None:
        found.affects.append((row, affect))


def _affect(cells: Cells, row: SourceRow, columns: SoundColumns) -> Affect | None:
    valence = cells.on_scale(row, columns.target_valence, columns.target_scale)
    arousal = cells.on_scale(row, columns.target_arousal, columns.target_scale)
    if valence is None or arousal is None:
        return None
    return Affect(valence, arousal)


def _told(cells: Cells, session_id: str, found: _Gathered) -> ToldSession:
    columns = found.columns
    files = _one(cells, found.files, columns.file, f"sound of {session_id}")
    listened = _one(cells, found.listened, columns.listened_s, f"time listened of {session_id}")
    stop_column = columns.stopped.column if columns.stopped is not None else None
    stopped = _one(cells, found.stopped, stop_column, f"reason of the stop of {session_id}")
    affect = None
    if found.clips and found.affects:
        problem = "tells a clip's target and not where the clip lies"
        cells.refuse(found.affects[0][0], columns.onset_s, problem, "write its onset and duration too")
    elif not found.clips:
        affect = _one(cells, found.affects, columns.target_valence, f"target of {session_id}")
    clips = tuple(_in_order(cells, found))
    column = columns.file if found.files else columns.listened_s
    row = found.files[0][0] if found.files else found.row
    reason = None if stopped is None else StopReason(stopped)
    return ToldSession(session_id, files, clips, affect, listened, reason, row, column)


def _one(cells: Cells, said: list[tuple[SourceRow, _Value]], column: str | None, what: str) -> _Value | None:
    for row, value in said[1:]:
        if value != said[0][1]:
            first = f"{_text(said[0][1])} in line {said[0][0].line}"
            problem = f"the {what} is {_text(value)} here and {first}"
            cells.refuse(row, column, problem, "let all rows of a session say the same")
            break
    return said[0][1] if said else None


def _text(value: object) -> str:
    if isinstance(value, Affect):
        return f"({value.valence:g}, {value.arousal:g})"
    return f"{value:g}" if isinstance(value, float) else shown(value)


def _in_order(cells: Cells, found: _Gathered) -> Iterator[ToldClip]:
    reached_s = 0.0
    for clip, row in sorted(found.clips.items(), key=lambda one: one[0].onset_s):
        if clip.duration_s <= 0:
            cells.refuse(row, found.columns.duration_s, "is a clip of no length", "write seconds above 0")
        elif clip.onset_s < reached_s - 1e-6:
            problem = f"begins at {clip.onset_s:g} s, before the clip ahead of it ends ({reached_s:g} s)"
            cells.refuse(row, found.columns.onset_s, problem, "let clips follow one another")
        else:
            yield clip
        reached_s = max(reached_s, clip.onset_s + clip.duration_s)
