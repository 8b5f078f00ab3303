"""What people say they feel, and the allocation that follows the `pre` report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from study.allocation import place_at
from study.errors import ConductError
from study.events import (
    DeviationRecorded,
    Event,
    History,
    ParticipantAllocated,
    ParticipantEnrolled,
    RecordedEvent,
    SelfReportMissed,
    SelfReportSubmitted,
)
from study.founding import Study
from study.instruments import ScoredResponse, instrument_kind, score
from study.protocol import Phase, StudyProtocol
from study.record import Draft, Reader
from study.session import session_id_of
from study.step import GiveReport, RenderSession
from study.steps import is_allocated, next_step, require_step


def submit_report(
    study: Study, actor: str, participant_id: str, report: GiveReport, responses: Mapping[str, float]
) -> ScoredResponse:
    """Record one answered instrument; the last `pre` report of session 1 allocates.

    Args:
        report: the step this answers.
        responses: item to raw value; leave out what was missed.

    Raises:
        OutOfRange, UnknownName: a response is not on its scale; nothing is recorded.
        ConductError: this report is not the next step, is empty, or is a
            `pre` report without the valence and arousal that start the path.
    """
    instrument = study.protocol.instrument(report.instrument_id)
    scored = score(instrument, responses)
    if not scored.raw:
        items = ", ".join(instrument_kind(instrument.kind).items)
        remedy = f"give {items}, or record it as missed"
        raise ConductError(report.instrument_id, "no item was answered", remedy)
    if scored.affect is None and _starts_the_path(study.protocol, report):
        missed = ", ".join(scored.missed_items)
        problem = f"{missed} was missed, and it starts the path"
        raise ConductError(report.instrument_id, problem, "ask again")
    submitted = SelfReportSubmitted(
        report.phase,
        report.instrument_id,
        scored.perspective,
        scored.raw,
        scored.affect,
        scored.scores,
        scored.missed_items,
        report.probe_at_s,
    )
    _record(study, actor, participant_id, report, submitted)
    return scored


def miss_report(study: Study, actor: str, participant_id: str, report: GiveReport, reason: str) -> None:
    """Record that a due instrument was not answered at all.

    Raises:
        ConductError: this report is not the next step, or it starts the path.
    """
    if _starts_the_path(study.protocol, report):
        problem = "starts the path and cannot be missed"
        raise ConductError(report.instrument_id, problem, "ask again, or discontinue")
    missed = SelfReportMissed(report.phase, report.instrument_id, reason, report.probe_at_s)
    _record(study, actor, participant_id, report, missed)


def _record(
    study: Study,
    actor: str,
    participant_id: str,
    report: GiveReport,
    event: SelfReportSubmitted | SelfReportMissed,
) -> None:
    def decide(reader: Reader, history: History) -> Sequence[Draft]:
        require_step(study.protocol, history, participant_id, report, f"the {report.phase} report")
        now = study.record.clock()
        drafts = _outside_window(study.protocol, history, participant_id, report, now)
        drafts.append(Draft(event, participant_id, report.session_id))
        if not is_allocated(history) and _leads_to_rendering(study, history, participant_id, report, event):
            drafts.append(Draft(_allocate(study, reader, history), participant_id))
        return drafts

    study.act(actor, participant_id, decide)


def _starts_the_path(protocol: StudyProtocol, report: GiveReport) -> bool:
    needs_start = any(arm.start is None for arm in protocol.arms)
    return (
        report.phase is Phase.PRE and needs_start and report.instrument_id == protocol.analysis.instrument_id
    )


def _leads_to_rendering(
    study: Study, history: History, participant_id: str, report: GiveReport, event: Event
) -> bool:
    after = RecordedEvent(
        sequence=0,
        at=study.record.clock(),
        actor="",
        kind=type(event).__name__,
        protocol_sha256=study.protocol.sha256,
        participant_id=participant_id,
        session_id=report.session_id,
        event=event,
    )
    return isinstance(next_step(study.protocol, [*history, after]), RenderSession)


def _allocate(study: Study, reader: Reader, history: History) -> ParticipantAllocated:
    enrolled = next(r.event for r in history if isinstance(r.event, ParticipantEnrolled))
    stratum = dict(enrolled.stratum)
    taken = [r.event for r in reader.events(kinds=[ParticipantAllocated])]
    index = sum(isinstance(t, ParticipantAllocated) and dict(t.stratum) == stratum for t in taken)
    place = place_at(study.protocol.allocation, study.allocation_seed(), stratum, index)
    return ParticipantAllocated(place.group_id, place.arm_ids, stratum, place.block, place.position)


def _outside_window(
    protocol: StudyProtocol, history: History, participant_id: str, report: GiveReport, now: datetime
) -> list[Draft]:
    first = next((r.at for r in history if r.session_id == session_id_of(1)), None)
    begun = any(r.session_id == report.session_id for r in history)
    if report.phase is not Phase.PRE or first is None or begun:
        return []
    day = (now - first).total_seconds() / 86_400
    return [
        Draft(
            DeviationRecorded(
                f"session {window.session_number} on day {day:.1f}, outside day "
                f"{window.from_day:g} to {window.to_day:g}",
                "visit outside its window",
            ),
            participant_id,
            report.session_id,
        )
        for window in protocol.visit_windows
        if session_id_of(window.session_number) == report.session_id
        and not window.from_day <= day <= window.to_day
    ]
