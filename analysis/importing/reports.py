"""The self-reports of one person, from the rows that hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.importing.cells import Cells, NoAnswer
from analysis.importing.column_map import ReportColumns, Source
from analysis.importing.map_checks import times_asked
from analysis.importing.people import PersonRows
from analysis.importing.source_table import SourceRow
from study.imported_people import GivenReport
from study.instruments import score
from study.protocol import Phase, StudyProtocol
from study.protocol_file.text import shown
from study.session import session_id_of

IN_SESSIONS = (Phase.PRE, Phase.PROBE, Phase.POST)

_Moment = tuple[Phase, str, str | None, float | None, int]


@dataclass(frozen=True)
class _Said:
    """What one row says of one report."""

    row: SourceRow
    raw: dict[str, float]
    reasons: tuple[str, ...]


def reports_of(
    cells: Cells, protocol: StudyProtocol, person: PersonRows
) -> tuple[tuple[GivenReport, ...], int]:
    """A person's reports, and how many stood in several rows alike.

    An instrument of which no item was answered is missed, with the map's reason;
    where the map has none, it is not given yet and is left out.
    """
    said: dict[_Moment, list[_Said]] = {}
    for row in person.rows:
        entries = entries_of(cells, row)
        _refuse_unread(cells, row, entries)
        for entry in entries:
            moment = _moment_of(cells, protocol, row, entry)
            if moment is None:
                continue
            found = _read(cells, protocol, row, entry)
            phase, instrument_id, _, at_s, _ = moment
            if times_asked(protocol, instrument_id, phase, at_s):
                said.setdefault(moment, []).append(found)
            elif found.raw:
                _refuse_unasked(cells, row, entry, phase, at_s)
    repeated = 0
    reports = []
    for moment, mine in said.items():
        answered = [one for one in mine if one.raw]
        for other in answered[1:]:
            repeated += 1
            if other.raw != answered[0].raw or moment[0] in IN_SESSIONS:
                _refuse_second(cells, other.row, answered[0].row, moment)
        report = _given(cells, moment, answered[0] if answered else mine[0])
        if report is not None:
            reports.append(report)
    return tuple(reports), repeated


def is_left_out(cells: Cells, row: SourceRow) -> bool:
    """Whether the map's codes say null of the row's phase or instrument: it is not wanted."""
    column_map = cells.column_map
    return any(
        source is not None
        and source.codes is not None
        and source.codes.get(row.cells[source.column or ""], "") is None
        for source in (column_map.phase, column_map.instrument)
    )


def entries_of(cells: Cells, row: SourceRow) -> list[ReportColumns]:
    """The map's reports that take a row; none where the row is left out."""
    column_map = cells.column_map
    if is_left_out(cells, row):
        return []
    entries = [entry for entry in column_map.reports if entry.selector.takes(row.cells)]
    source = column_map.instrument
    if source is None:
        return entries
    known = tuple(dict.fromkeys(entry.instrument_id for entry in column_map.reports))
    instrument_id = _told(cells, row, source, known, "the instrument")
    return [entry for entry in entries if entry.instrument_id == instrument_id]


def _told(cells: Cells, row: SourceRow, source: Source, known: tuple[str, ...], what: str) -> str | None:
    """A name that every row must tell; None where it was refused."""
    before = len(cells.refusals)
    found = cells.word(row, source, known)
    if found is None and len(cells.refusals) == before:
        cells.refuse(row, source.column, f"does not tell {what}", "write one of " + ", ".join(known))
    return found


def _refuse_unread(cells: Cells, row: SourceRow, entries: Sequence[ReportColumns]) -> None:
    """No answer is passed over: a filled cell in a row that no report takes is refused."""
    if is_left_out(cells, row):
        return
    read = {column for entry in entries for column in entry.items.values()}
    every = dict.fromkeys(c for entry in cells.column_map.reports for c in entry.items.values())
    for column in every:
        if column not in read and row.cells[column] not in cells.column_map.missing and row.cells[column]:
            cells.refuse(
                row,
                column,
                f"{shown(row.cells[column])} stands in a row of which the map reads no such answer",
                "write a report for these rows into the map, or take the value out",
            )


def _moment_of(cells: Cells, protocol: StudyProtocol, row: SourceRow, entry: ReportColumns) -> _Moment | None:
    """When a row's report was given; None where the row was refused."""
    column_map = cells.column_map
    phase_text = entry.phase
    if phase_text is None and column_map.phase is not None:
        phase_text = _told(cells, row, column_map.phase, tuple(map(str, Phase)), "the phase")
    if phase_text is None:
        return None
    phase = Phase(phase_text)
    session_id = None
    if phase in IN_SESSIONS:
        session_id = entry.session_id or session_of(cells, protocol, row)
        if session_id is None:
            return None
    at_s = entry.probe_at_s
    if phase is Phase.PROBE and at_s is None:
        at_s = _probe_at_s(cells, protocol, row)
        if at_s is None:
            return None
    return phase, entry.instrument_id, session_id, at_s, entry.occasion


def session_of(cells: Cells, protocol: StudyProtocol, row: SourceRow) -> str | None:
    """The session of a row, or the only one; None where it was refused."""
    known = tuple(session_id_of(number) for number in range(1, protocol.session_count + 1))
    source = cells.column_map.session
    return known[0] if source is None else _told(cells, row, source, known, "the session")


def _probe_at_s(cells: Cells, protocol: StudyProtocol, row: SourceRow) -> float | None:
    """The onset of a row's probe, as the protocol has it; None where it was refused."""
    source = cells.column_map.probe_at_s
    if source is None:
        remedy = "name the column of onsets as `probe_at_s` in the map"
        cells.refuse(row, None, "is a probe, and the map does not say which", remedy)
        return None
    before = len(cells.refusals)
    value: Any = cells.meaning(row, source)
    if isinstance(value, str) and source.column is not None:
        value = cells.number(row, source.column)
    known = protocol.probes_at_s
    if len(cells.refusals) > before:
        return None
    if value is None or value not in known:
        told = "is blank" if value is None else f"{value:g} s is no probe of the protocol"
        remedy = "write one of " + ", ".join(f"{at:g}" for at in known) + ", in seconds of session time"
        cells.refuse(row, source.column, told, remedy)
        return None
    return float(value)


def _read(cells: Cells, protocol: StudyProtocol, row: SourceRow, entry: ReportColumns) -> _Said:
    instrument = protocol.instrument(entry.instrument_id)
    raw: dict[str, float] = {}
    reasons: list[str] = []
    for item, column in entry.items.items():

        def check(value: float, item: str = item) -> object:
            return score(instrument, {item: value})

        match cells.answer(row, column, check):
            case NoAnswer(reason=reason):
                reasons += [] if reason is None else [reason]
            case float(value):
                raw[item] = value
            case None:
                pass
    told = cells.column_map.missed_reason
    if told is not None and row.cells[told]:
        reasons = [row.cells[told]]
    return _Said(row, raw, tuple(dict.fromkeys(reasons)))


def _given(cells: Cells, moment: _Moment, said: _Said) -> GivenReport | None:
    phase, instrument_id, session_id, at_s, occasion = moment
    if not said.raw and not said.reasons:
        return None
    reason = None if said.raw else "; ".join(said.reasons)
    where = cells.table.at(said.row)
    return GivenReport(phase, instrument_id, session_id, at_s, said.raw, reason, where, occasion)


def _refuse_unasked(
    cells: Cells, row: SourceRow, entry: ReportColumns, phase: Phase, at_s: float | None
) -> None:
    when = "" if at_s is None else f" at {at_s:g} s"
    cells.refuse(
        row,
        next(iter(entry.items.values())),
        f"an answer to {entry.instrument_id} at {phase}{when}, which the protocol does not ask",
        "write it into the protocol's assessments, or take it out of the file",
    )


def _refuse_second(cells: Cells, row: SourceRow, first: SourceRow, moment: _Moment) -> None:
    phase, instrument_id, session_id, at_s, _ = moment
    when = "" if at_s is None else f" at {at_s:g} s"
    place = f" of {session_id}" if session_id else ""
    cells.refuse(
        row,
        None,
        f"a second answer to {instrument_id} at {phase}{when}{place}; the first stands in line {first.line}",
        "keep the row that counts, and delete the other",
    )


def answered_sessions(reports: Sequence[GivenReport]) -> Iterator[str]:
    """Sessions of which somebody answered during the sound or after it."""
    for report in reports:
        if report.raw and report.session_id is not None and report.phase is not Phase.PRE:
            yield report.session_id
