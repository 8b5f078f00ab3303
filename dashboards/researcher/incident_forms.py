"""What staff report about a participant: harm, deviations, missed visits, the end of a person's part."""

from __future__ import annotations

import streamlit as st

from dashboards.cli.report_commands import Category, Relatedness, Severity
from dashboards.researcher import markup
from dashboards.researcher.frame import form_key, tried, used_up
from dashboards.researcher.gate import require_staff, still_may
from dashboards.researcher.verdict_words import session_words
from dashboards.server.serving import current
from study.access.accounts import Staff
from study.access.roles import Permission
from study.conduct import discontinue, record_deviation, report_adverse_event
from study.events import AdverseEventReported, EndReason
from study.oversight import session_ids_of
from study.privacy.withdrawal import withdraw
from study.visits import miss_visit

_WORDS = 2000
_NO_SESSION = "no session"


def show_incident_forms(staff: Staff, participant_id: str) -> None:
    """A form for each kind of report, closed until it is wanted."""
    if still_may(staff, Permission.REPORT_HARM):
        with st.expander("Report an adverse event"):
            _adverse_event(staff, participant_id)
    if still_may(staff, Permission.ENROL):
        with st.expander("Report a deviation from the protocol"):
            _deviation(staff, participant_id)
        if current().study.protocol.session_count > 1:
            with st.expander("A visit will not take place"):
                _missed_visit(staff, participant_id)
        with st.expander("End this person's part"):
            _discontinuation(staff, participant_id)


def _adverse_event(staff: Staff, participant_id: str) -> None:
    study, key = current().study, form_key(f"harm-{participant_id}")
    sessions = (_NO_SESSION, *session_ids_of(study.protocol))
    with st.form(key, border=False):
        category = st.selectbox("Kind", tuple(Category), index=None, key=f"{key}-category")
        severity = st.selectbox("How bad", tuple(Severity), index=None, key=f"{key}-severity")
        relatedness = st.selectbox(
            "Caused by the music", tuple(Relatedness), index=None, key=f"{key}-relatedness"
        )
        session = st.selectbox("During", sessions, format_func=_during, key=f"{key}-session")
        description = st.text_area("What happened, without names", max_chars=_WORDS, key=f"{key}-words")
        if not st.form_submit_button("Save the adverse event"):
            return
    require_staff(Permission.REPORT_HARM)
    if category is None or severity is None or relatedness is None or not description.strip():
        _incomplete("Give the kind, how bad it was, whether the music caused it, and what happened.")
        return
    event = AdverseEventReported(str(category), str(severity), str(relatedness), description.strip())
    session_id = None if session == _NO_SESSION else session
    if tried(
        lambda: report_adverse_event(study, staff.actor, participant_id, event, session_id),
        "Saved. It stands among the alerts until somebody marks it as seen.",
    ):
        used_up(f"harm-{participant_id}")


def _deviation(staff: Staff, participant_id: str) -> None:
    study, key = current().study, form_key(f"deviation-{participant_id}")
    with st.form(key, border=False):
        description = st.text_area("What was done otherwise", max_chars=_WORDS, key=f"{key}-words")
        reason = st.text_input("Why", max_chars=300, key=f"{key}-why")
        if not st.form_submit_button("Save the deviation"):
            return
    require_staff(Permission.ENROL)
    if not description.strip() or not reason.strip():
        _incomplete("Say what was done otherwise, and why.")
        return
    if tried(
        lambda: record_deviation(study, staff.actor, participant_id, description.strip(), reason.strip()),
        "Saved.",
    ):
        used_up(f"deviation-{participant_id}")


def _missed_visit(staff: Staff, participant_id: str) -> None:
    study, key = current().study, form_key(f"missed-{participant_id}")
    with st.form(key, border=False):
        session = st.selectbox(
            "Which visit", session_ids_of(study.protocol)[1:], format_func=_during, key=f"{key}-session"
        )
        reason = st.text_input("Why", max_chars=300, key=f"{key}-why")
        if not st.form_submit_button("Save the visit as missed"):
            return
    require_staff(Permission.ENROL)
    if session is None or not reason.strip():
        _incomplete("Say why the visit will not take place.")
        return
    tried(
        lambda: miss_visit(study, staff.actor, participant_id, session, reason.strip()),
        "Saved. What is due next is shown above.",
    )


_WISHES = {"it may be used": True, "it is to be erased": False}


def _discontinuation(staff: Staff, participant_id: str) -> None:
    study, key = current().study, form_key(f"end-{participant_id}")
    with st.form(key, border=False):
        markup.show(markup.paragraph("The person's links then lead to a page that says their part is over."))
        reason = st.selectbox("Why", tuple(EndReason), index=None, format_func=_spaced, key=f"{key}-reason")
        wish = st.selectbox(
            "Where they withdrew: what may become of what they gave",
            tuple(_WISHES),
            index=None,
            key=f"{key}-wish",
        )
        note = st.text_input("In words, without names (optional)", max_chars=300, key=f"{key}-note")
        is_sure = st.checkbox(
            f"Yes, end the part of {participant_id}. This cannot be undone.", key=f"{key}-sure"
        )
        if not st.form_submit_button("End this person's part"):
            return
    require_staff(Permission.ENROL)
    if reason is None or not is_sure:
        _incomplete("Choose why, and tick the box.")
        return
    if (reason is EndReason.WITHDREW) != (wish is not None):
        _incomplete("Ask whoever withdraws what may become of what they gave; of nobody else choose it.")
        return
    if wish is None:
        tried(
            lambda: discontinue(study, staff.actor, participant_id, reason, note.strip()),
            "Their part is over.",
        )
        return
    tried(
        lambda: withdraw(study, staff.actor, participant_id, _WISHES[wish], note, closes_links=False),
        "Their part is over." if _WISHES[wish] else "Their part is over. Now: isopath withdraw --erase",
    )


def _incomplete(what: str) -> None:
    markup.show(markup.notice(what, "bad", "Not saved:"))


def _during(session_id: str) -> str:
    return session_id if session_id == _NO_SESSION else session_words(session_id)


def _spaced(reason: EndReason) -> str:
    return reason.replace("_", " ")
