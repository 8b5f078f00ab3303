"""What people say they feel, and the allocation that follows the `pre` report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from study.affect import Affect
from study.errors import ConductError, OutOfRange, UnknownName
from study.events import (
    Asked,
    Event,
    History,
    QuestionnaireSubmitted,
    RecordedEvent,
    SelfReportMissed,
    SelfReportSubmitted,
    SupportCause,
    SupportOffered,
)
from study.founding import Study
from study.instruments import Perspective, ScoredResponse, instrument_kind, score
from study.places import allocate
from study.protocol import Phase, StudyProtocol
from study.questionnaire import check_answers, missed_items
from study.record import Draft, Reader
from study.step import GiveReport, RenderSession
from study.steps import is_allocated, next_step, require_step
from study.visits import window_deviations

_Report = SelfReportSubmitted | SelfReportMissed | QuestionnaireSubmitted


def submit_report(
    study: Study,
    actor: str,
    participant_id: str,
    report: GiveReport,
    responses: Mapping[str, float],
    asked: Asked | None = None,
) -> ScoredResponse:
    """Record one answered instrument; the last `pre` report of session 1 allocates.

    A felt report of distress while listening or after it makes the support page due,
    in the same transaction.

    Args:
        report: the step this answers.
        responses: item to raw value; leave out what was missed.
        asked: how it was shown; None where staff typed it in.

    Raises:
        OutOfRange, UnknownName: a response is not on its scale, or `asked` names
            other items; nothing is recorded.
        ConductError: this report is not the next step, is empty, or is a
            `pre` report without the valence and arousal that start the path.
    """
    protocol = study.protocol_for(participant_id)
    instrument = protocol.instrument(report.instrument_id)
    items = tuple(instrument_kind(instrument.kind).items)
    scored = score(instrument, responses)
    _check_asked(report, items, asked)
    if not scored.raw:
        remedy = f"give {', '.join(items)}, or record it as missed"
        raise ConductError(report.instrument_id, "no item was answered", remedy)
    if scored.affect is None and _starts_the_path(protocol, report):
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
        asked,
    )
    _record(study, actor, participant_id, report, submitted)
    return scored


def submit_questionnaire(
    study: Study,
    actor: str,
    participant_id: str,
    report: GiveReport,
    answers: Mapping[str, str | float],
    asked: Asked | None = None,
) -> QuestionnaireSubmitted:
    """Record one of the protocol's own questionnaires; blank items are recorded as missed.

    Args:
        report: the step this answers; `instrument_id` is the questionnaire's.
        answers: item to a point of its scale, an option's id, or text; leave out what was missed.
        asked: how it was shown; None where staff typed it in.

    Raises:
        OutOfRange, UnknownName, ConductError: an answer that is none, a required item
            left blank, or this is not the next step; nothing is recorded.
    """
    protocol = study.protocol_for(participant_id)
    questionnaire = protocol.questionnaire(report.instrument_id)
    if questionnaire is None:
        known = ", ".join(q.questionnaire_id for q in protocol.questionnaires) or "none"
        raise UnknownName(report.instrument_id, "is not a questionnaire of this protocol", f"it has {known}")
    given = check_answers(questionnaire, answers)
    items = tuple(item.item_id for item in questionnaire.items)
    _check_asked(report, items, asked)
    missed = missed_items(questionnaire, given)
    submitted = QuestionnaireSubmitted(
        report.phase, report.instrument_id, given, missed, asked, report.probe_at_s
    )
    _record(study, actor, participant_id, report, submitted)
    return submitted


def miss_report(study: Study, actor: str, participant_id: str, report: GiveReport, reason: str) -> None:
    """Record that a due instrument or questionnaire was not answered at all.

    Raises:
        ConductError: this report is not the next step, or it starts the path.
    """
    if _starts_the_path(study.protocol_for(participant_id), report):
        problem = "starts the path and cannot be missed"
        raise ConductError(report.instrument_id, problem, "ask again, or discontinue")
    missed = SelfReportMissed(report.phase, report.instrument_id, reason, report.probe_at_s)
    _record(study, actor, participant_id, report, missed)


def is_about_to_allocate(study: Study, participant_id: str, report: GiveReport) -> bool:
    """Whether this report, once recorded, gives the person their place."""
    history = study.record.participant(participant_id)
    given = SelfReportMissed(report.phase, report.instrument_id, "", report.probe_at_s)
    return not is_allocated(history) and _leads_to_rendering(study, history, participant_id, report, given)


def _check_asked(report: GiveReport, items: Sequence[str], asked: Asked | None) -> None:
    if asked is None:
        return
    where = f"{report.instrument_id}, as it was shown"
    if sorted(asked.item_order) != sorted(items):
        shown = ", ".join(asked.item_order) or "nothing"
        raise UnknownName(where, f"{shown} is not its items in some order", f"name {', '.join(items)}")
    strange = sorted(set(asked.untouched_items) - set(items))
    if strange:
        raise UnknownName(where, f"{', '.join(strange)} is not one of its items", f"name {', '.join(items)}")
    seconds = asked.response_time_s
    if seconds is not None and not 0.0 <= seconds < math.inf:
        raise OutOfRange(where, f"a response time of {seconds:g} s", "write seconds from 0")


def _record(study: Study, actor: str, participant_id: str, report: GiveReport, event: _Report) -> None:
    def decide(reader: Reader, history: History) -> Sequence[Draft]:
        protocol = study.protocol_of(history)
        require_step(protocol, history, participant_id, report, f"the {report.phase} report")
        drafts = window_deviations(protocol, history, participant_id, report, study.record.clock())
        drafts.append(Draft(event, participant_id, report.session_id))
        felt = _distress(protocol, report, event)
        if felt is not None:
            offered = SupportOffered(SupportCause.DISTRESS, felt)
            drafts.append(Draft(offered, participant_id, report.session_id))
        if not is_allocated(history) and _leads_to_rendering(study, history, participant_id, report, event):
            drafts.append(Draft(allocate(study, reader, history), participant_id))
        return drafts

    study.act(actor, participant_id, decide)


def _distress(protocol: StudyProtocol, report: GiveReport, event: _Report) -> Affect | None:
    if report.phase not in (Phase.PROBE, Phase.POST) or not isinstance(event, SelfReportSubmitted):
        return None
    felt = event.affect if event.perspective is Perspective.FELT else None
    return felt if felt is not None and protocol.safety.is_distress(felt) else None


def _starts_the_path(protocol: StudyProtocol, report: GiveReport) -> bool:
    needs_start = any(arm.start is None for arm in protocol.arms)
    return (
        report.phase is Phase.PRE and needs_start and report.instrument_id == protocol.analysis.instrument_id
    )


def _leads_to_rendering(
    study: Study, history: History, participant_id: str, report: GiveReport, event: Event
) -> bool:
    protocol = study.protocol_of(history)
    after = RecordedEvent(
        sequence=0,
        at=study.record.clock(),
        actor="",
        kind=type(event).__name__,
        protocol_sha256=protocol.sha256,
        participant_id=participant_id,
        session_id=report.session_id,
        event=event,
    )
    return isinstance(next_step(protocol, [*history, after]), RenderSession)
