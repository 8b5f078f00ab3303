"""How much of a session was heard: as far as the file says, or as the map says to assume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis.importing.cells import Cells
from analysis.importing.heard import ToldSession
from analysis.importing.reports import answered_sessions
from study.imported_people import GivenListening, GivenReport, GivenSound
from study.protocol import Phase, StudyProtocol

END_TOLERANCE_S = 1.0
"""Whoever listened to all but this much heard the end, as in a session that is played here."""


def listening_of(
    cells: Cells,
    protocol: StudyProtocol,
    told: Sequence[ToldSession],
    sounds: Mapping[str, GivenSound],
    reports: Sequence[GivenReport],
) -> dict[str, GivenListening]:
    """Session to how long it was heard; without an entry where nothing says that it was.

    A session without a sound file is as long as the protocol plans.
    """
    found: dict[str, GivenListening] = {}
    lengths = {session_id: sound.manifest.duration_s for session_id, sound in sounds.items()}
    if cells.column_map.assumes_whole:
        for session_id in answered_sessions(reports):
            length_s = lengths.get(session_id, protocol.duration_s)
            where = next(report.where for report in reports if report.session_id == session_id)
            found[session_id] = GivenListening(length_s, length_s, None, where)
    for session in told:
        heard = _told(cells, session, lengths.get(session.session_id, protocol.duration_s))
        if heard is not None:
            found[session.session_id] = heard
    _refuse_unheard_probes(cells, reports, found, lengths, told)
    return found


def _told(cells: Cells, session: ToldSession, length_s: float) -> GivenListening | None:
    listened_s = session.listened_s
    if listened_s is None or listened_s == 0:
        return None
    columns = cells.column_map.sounds
    column = next((sound.listened_s for sound in columns if sound.listened_s is not None), None)
    where = cells.table.at(session.row, column)
    if listened_s > length_s + END_TOLERANCE_S:
        problem = f"{listened_s:g} s listened, and the sound lasts {length_s:g} s"
        cells.refuse(session.row, column, problem, "write seconds of the sound that were heard once or more")
        return None
    if listened_s >= length_s - END_TOLERANCE_S:
        return GivenListening(length_s, length_s, None, where)
    if session.stop_reason is None:
        cells.refuse(
            session.row,
            column,
            f"{listened_s:g} s of {length_s:g} s listened, and nothing says why it was stopped",
            'name the column of reasons as `stopped` beside listened_s in the map, or write {"is": '
            '"chose_to_stop"} there, which the report will say',
        )
        return None
    return GivenListening(listened_s, length_s, session.stop_reason, where)


def _refuse_unheard_probes(
    cells: Cells,
    reports: Sequence[GivenReport],
    found: Mapping[str, GivenListening],
    lengths: Mapping[str, float],
    told: Sequence[ToldSession],
) -> None:
    """A probe that was answered lies in sound that was heard."""
    rows = {session.session_id: session for session in told}
    for report in reports:
        if report.phase is not Phase.PROBE or not report.raw or report.session_id not in rows:
            continue
        session, at_s = rows[report.session_id], report.probe_at_s or 0.0
        heard = found.get(report.session_id)
        end_s = heard.heard_s if heard is not None else lengths.get(report.session_id)
        if end_s is not None and at_s > end_s + END_TOLERANCE_S:
            problem = f"a probe at {at_s:g} s was answered, and the sound was heard to {end_s:g} s"
            remedy = f"see {report.where}: one of the two is wrong"
            cells.refuse(session.row, session.column, problem, remedy)
