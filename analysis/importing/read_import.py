"""A file of a study that ran elsewhere, with its map: read whole, or refused with every reason at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.importing.cells import Cells
from analysis.importing.column_map import REDCAP_OWN, ColumnMap
from analysis.importing.heard import heard_by
from analysis.importing.listening import listening_of
from analysis.importing.map_file import load_map
from analysis.importing.people import PersonRows, facts_of, people_of
from analysis.importing.reports import is_left_out, reports_of
from analysis.importing.sounds import SoundFolder
from analysis.importing.source_table import SourceTable, at_most, cell_place, load_table
from study.errors import IsopathError, StorageError, UnknownName, refuse
from study.events import DataImported
from study.imported_people import GivenSound, ImportedPerson
from study.manifest import RenderManifest
from study.protocol import StudyProtocol
from study.protocol_file.text import did_you_mean, shown


@dataclass(frozen=True)
class ReadImport:
    """A file as it would go into a record.

    Args:
        told: how it was read and what was left out, in words.
    """

    data: DataImported
    people: tuple[ImportedPerson, ...]
    told: tuple[str, ...]


def read_import(
    file: Path, map_path: Path, protocol: StudyProtocol, audio: Path | None, software: str
) -> ReadImport:
    """Read a file by its map; nothing is written.

    Args:
        audio: folder of the sound files that the file names; None where the map names none.
        software: name and version, for the manifests of imported sounds.

    Raises:
        ProtocolErrors: the map has problems.
        IsopathError: the file has; all of them at once, in `Refusals`, each with file, line and column.
    """
    column_map = load_map(map_path, protocol)
    has_files = any(sound.file for sound in column_map.sounds)
    if has_files and audio is None:
        raise StorageError("--audio", "is missing, and the map names sound files", "name their folder")
    if audio is not None and not has_files:
        remedy = "name the column of files under `sounds` in the map, or leave --audio out"
        raise StorageError("--audio", "is given, and the map names no sound files", remedy)
    if audio is not None and not audio.is_dir():
        raise StorageError(str(audio), "is not a folder", "name the folder of the sound files")
    table = load_table(file, column_map.encoding, column_map.delimiter)
    return read_table(table, column_map, protocol, None if audio is None else SoundFolder(audio, software))


def read_table(
    table: SourceTable, column_map: ColumnMap, protocol: StudyProtocol, folder: SoundFolder | None
) -> ReadImport:
    """As `read_import`, for a table and a map that are read already."""
    unused = _check_header(table, column_map)
    cells = Cells(table, column_map)
    rows_of, twice = people_of(cells, protocol)
    people, repeated = [], 0
    for person in rows_of:
        imported, alike = _person(cells, protocol, person, folder)
        people.append(imported)
        repeated += alike
    refuse(at_most(cells.refused(), table.file_name))
    left_out = sum(is_left_out(cells, row) for row in table.rows)
    columns = column_map.columns() | dict.fromkeys(unused, "left out")
    data = DataImported(
        table.file_name,
        table.sha256,
        columns,
        len(table.rows),
        len(people),
        tuple(_assumed(column_map, protocol, people, left_out)),
    )
    told = [*table.told, f"decimal {column_map.decimal}"]
    if twice:
        told.append(f"{twice} row(s) stand there twice, word for word: each was read once")
    if repeated:
        told.append(f"{repeated} report(s) stand in several rows alike: each was read once")
    if unused:
        told.append(f"columns left out: {', '.join(unused)}")
    return ReadImport(data, tuple(people), (*told, *_unread_rows(cells), *data.assumed))


def _check_header(table: SourceTable, column_map: ColumnMap) -> list[str]:
    """Refuse what the header and the map do not agree on; the columns that are left out."""
    where = cell_place(table.file_name, 1)
    uses = column_map.columns()
    refusals: list[IsopathError] = [
        UnknownName(
            where,
            f"there is no column {shown(column)}, which the map takes for {what}",
            did_you_mean(column, table.columns) + "the columns are " + ", ".join(table.columns[:40]),
        )
        for column, what in uses.items()
        if column not in table.columns
    ]
    if any(entry.selector.event for entry in column_map.entries()):
        if "redcap_event_name" not in table.columns:
            problem = "there is no column redcap_event_name"
            refusals.append(UnknownName(where, problem, "export it, or delete `event`"))
    elif column_map.layout == "redcap" and "redcap_event_name" in table.columns:
        remedy = "write `event` in each entry of reports and sounds"
        refusals.append(UnknownName(where, "the export has events, and the map names none", remedy))
    unused = [column for column in table.columns if column not in uses]
    known = {*column_map.ignored, *(REDCAP_OWN if column_map.layout == "redcap" else ())}
    unknown = [
        column
        for column in unused
        if column not in known and not (column_map.layout == "redcap" and column.endswith("_complete"))
    ]
    if not column_map.ignores_others:
        refusals += [
            UnknownName(
                where,
                f"the map says nothing of the column {shown(column)}",
                'name it under `ignored`, or write "other_columns": "ignore"',
            )
            for column in unknown
        ]
    refuse(at_most(refusals, table.file_name))
    return unused


def _person(
    cells: Cells, protocol: StudyProtocol, person: PersonRows, folder: SoundFolder | None
) -> tuple[ImportedPerson, int]:
    facts = facts_of(cells, protocol, person)
    reports, repeated = reports_of(cells, protocol, person)
    told = heard_by(cells, protocol, person)
    sounds: dict[str, GivenSound] = {}
    for session in told:
        if session.file is None or folder is None:
            continue
        if facts.group_id is None:
            problem = f"a sound of {shown(person.code)}, who was never allocated"
            cells.refuse(session.row, session.column, problem, "write the arm, or take the sound out")
            continue
        sound = folder.sound_of(cells, person.participant_id, session)
        if sound is not None:
            sounds[session.session_id] = sound
    listening = listening_of(cells, protocol, told, sounds, reports)
    where = cells.table.at(person.rows[0])
    imported = ImportedPerson(
        person.participant_id,
        person.code,
        facts.stratum,
        facts.group_id,
        reports,
        where,
        sounds,
        listening,
        facts.ended,
    )
    return imported, repeated


def _unread_rows(cells: Cells) -> Iterator[str]:
    """Rows of a REDCap export that no report or sound of the map takes."""
    if cells.column_map.layout != "redcap":
        return
    entries = cells.column_map.entries()
    unread = Counter(
        (row.cells.get("redcap_event_name", ""), row.cells.get("redcap_repeat_instrument", ""))
        for row in cells.table.rows
        if not any(entry.selector.takes(row.cells) for entry in entries)
    )
    for (event, instrument), number in unread.items():
        of = " ".join(part for part in (event, instrument) if part) or "no event"
        yield f"{number} row(s) of {of} hold no report or sound that the map names"


def _assumed(
    column_map: ColumnMap, protocol: StudyProtocol, people: Sequence[ImportedPerson], left_out: int
) -> Iterator[str]:
    """What the file does not say, in sentences for the report's reader."""
    for name, source in column_map.sources():
        if source.constant is not None:
            what = name.removeprefix("strata.").split(".")[-1].replace("_", " ")
            yield f"For every row, {what} was taken as {source.constant}: the file does not tell it."
    if column_map.same:
        yield f"{len(column_map.same)} code(s) were taken for another spelling of the same person's."
    if left_out:
        yield f"{left_out} row(s) were left out, as the map says of their phase or instrument."
    heard = [(p, session_id) for p in people for session_id in p.listening]
    if column_map.assumes_whole:
        yield (
            "Whoever answered during or after a session is assumed to have heard all of its sound: "
            "the file does not tell how long anybody listened."
        )
    elif heard:
        yield "Listening was taken as one stretch from the beginning, as long as the file tells."
    if any(session_id not in person.sounds for person, session_id in heard):
        yield f"Sessions without a sound file were taken to last {protocol.duration_s:g} s, as planned."
    yield from _about_sounds(protocol, [sound.manifest for p in people for sound in p.sounds.values()])


def _about_sounds(protocol: StudyProtocol, manifests: Sequence[RenderManifest]) -> Iterator[str]:
    loudness = sorted(m.loudness_lufs for m in manifests if m.loudness_lufs is not None)
    if loudness:
        yield (
            f"Sounds were taken as they are, at {loudness[0]:.1f} to {loudness[-1]:.1f} LUFS; the protocol's "
            f"{protocol.safety.loudness_lufs:g} LUFS were not set here."
        )
    lengths = sorted(manifest.duration_s for manifest in manifests)
    if lengths and max(abs(length - protocol.duration_s) for length in lengths) > 1.0:
        yield (
            f"The sounds last {lengths[0]:.1f} to {lengths[-1]:.1f} s; a session of the protocol lasts "
            f"{protocol.duration_s:g} s."
        )
