"""One participant: where they are, their sessions, their links, and what staff report."""

from __future__ import annotations

import streamlit as st

from dashboards.researcher import markup
from dashboards.researcher.frame import look
from dashboards.researcher.gate import still_may
from dashboards.researcher.incident_forms import show_incident_forms
from dashboards.researcher.link_panel import show_links
from dashboards.researcher.times import moment
from dashboards.researcher.verdict_words import (
    STAGE_LEGEND,
    due_words,
    reasons_words,
    session_words,
    stages_words,
    stratum_words,
    verdict_mark,
)
from study.access.accounts import Staff
from study.access.roles import Permission
from study.events import (
    AdverseEventReported,
    ConsentWithdrawn,
    DataErased,
    DeviationRecorded,
    ParticipantDiscontinued,
    RecordedEvent,
    ReportCorrected,
    VisitMissed,
)
from study.oversight.blinding import sound_deviations
from study.oversight.words import counted
from study.visits import VisitStatus, visits_of

_VISITS = {
    VisitStatus.NOT_YET: "not yet",
    VisitStatus.EARLY: "its window has not begun",
    VisitStatus.OPEN: "may take place now",
    VisitStatus.LATE: "its window is over; it may still take place",
    VisitStatus.UNDER_WAY: "under way",
    VisitStatus.DONE: "done",
    VisitStatus.MISSED: "missed",
}


def show_participant(staff: Staff, participant_id: str) -> None:
    """The panel; what is done in its forms shows at once."""
    with st.container(border=True):
        markup.show(markup.heading(participant_id, level=2))
        above = st.container()
        if still_may(staff, Permission.MANAGE_LINKS):
            show_links(staff, participant_id)
        if still_may(staff, Permission.REPORT_HARM) or still_may(staff, Permission.ENROL):
            show_incident_forms(staff, participant_id)
        # After the forms: what was just saved is seen.
        with above:
            _show_status(participant_id, still_may(staff, Permission.SEE_ARMS))


def _show_status(participant_id: str, sees_arms: bool) -> None:
    looked = look()
    status = looked.view.status(participant_id, looked.now)
    history = looked.view.histories[participant_id]
    markup.show(
        markup.facts(
            (
                ("Due", due_words(status)),
                ("Enrolled", moment(status.enrolled_at)),
                ("Stratum", stratum_words(status) or None),
                ("Personal link", "open" if status.has_link else "none open"),
            )
        )
    )
    markup.show(markup.paragraph(f"{stages_words(status)}\n({STAGE_LEGEND})"))
    rows = [
        (session_words(session_id), verdict_mark(found), reasons_words(found))
        for session_id, found in status.sessions.items()
    ]
    markup.show(markup.table("Sessions", ("Session", "How complete", "Why"), rows))
    visits = [
        (
            visit.name,
            _VISITS[visit.status],
            moment(visit.opens_at) if visit.opens_at else None,
            moment(visit.closes_at) if visit.closes_at else None,
        )
        for visit in visits_of(looked.view.study.protocol, history, looked.now)
        if visit.opens_at is not None or visit.closes_at is not None
    ]
    if visits:
        markup.show(markup.table("Visit windows", ("Visit", "Now", "Opens", "Closes"), visits))
    # How a sound was made tells what kind it is.
    withheld = frozenset() if sees_arms else sound_deviations(history)
    told = [row for recorded in history if (row := _told(recorded, withheld)) is not None]
    if told:
        markup.show(markup.table("Reported by staff", ("When", "What", "In words", "By"), told))


def _told(recorded: RecordedEvent, withheld: frozenset[int]) -> tuple[str, str, str, str] | None:
    match recorded.event:
        case AdverseEventReported(category, severity, relatedness, description):
            what = f"adverse event: {category}, {severity}, {relatedness}"
            words = description
        case DeviationRecorded() if recorded.sequence in withheld:
            what, words = (
                "deviation",
                "the sound was made otherwise than planned (told to the unblinded alone)",
            )
        case DeviationRecorded(description, reason):
            what, words = "deviation", f"{description} ({reason})" if reason else description
        case VisitMissed(reason):
            what, words = f"{session_words(recorded.session_id)} missed", reason
        case ParticipantDiscontinued(reason, note):
            what, words = f"left the study: {reason.replace('_', ' ')}", note
        case ConsentWithdrawn(keeps_data, reason):
            what = "withdrew; what they gave is kept" if keeps_data else "asked for their data to be erased"
            words = reason
        case ReportCorrected(row, instrument_id, item, reason=reason):
            what, words = f"corrected: {instrument_id}, {item} (row {row})", reason
        case DataErased(rows=rows, files=files):
            what, words = "erased", f"{counted(rows, 'row')}, {counted(files, 'file')}"
        case _:
            return None
    return moment(recorded.at), what, words, recorded.actor
