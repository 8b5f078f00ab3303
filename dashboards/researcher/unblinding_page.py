"""Unblinding of one participant: asked for, decided by somebody else, shown once to whoever asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from dashboards.researcher import markup
from dashboards.researcher.frame import Looked, form_key, open_page, show_zone, tried, used_up
from dashboards.researcher.gate import require_staff, still_may
from dashboards.researcher.times import moment
from dashboards.server.serving import current
from study.access.accounts import Staff
from study.access.roles import Permission
from study.errors import IsopathError
from study.events import ParticipantAllocated
from study.unblinding import (
    CaseState,
    ToldArm,
    UnblindingCase,
    approve_unblinding,
    cases_of,
    decline_unblinding,
    request_unblinding,
    reveal_arm,
    reveal_in_emergency,
)

_WORDS = 500
_LEAD = (
    "One participant's arm for one person who has to know it: asked for, allowed by somebody else, shown "
    "once. Every step is recorded; none of them holds the arm."
)


def show() -> None:
    """Draw the page."""
    staff = require_staff(Permission.SEE_UNBLINDINGS)
    looked = open_page("Unblinding", _LEAD)
    show_zone(looked.now)
    listed = st.container()
    if still_may(staff, Permission.DECIDE_UNBLINDING):
        _decisions(staff)
    if still_may(staff, Permission.ASK_FOR_ARM):
        _own_requests(staff)
        people = _allocated(looked)
        if people:
            _request_form(staff, people)
            with st.expander("Emergency: be told at once, without approval"):
                _emergency_form(staff, people)
        else:
            markup.show(markup.paragraph("Nobody has an arm yet: there is nothing to ask for."))
    # After the forms: what was just saved is seen.
    with listed:
        _list(cases_of(current().study.record))


def _list(cases: Sequence[UnblindingCase]) -> None:
    rows = [
        (
            case.sequence,
            moment(case.at),
            case.participant_id,
            case.asked_by,
            case.reason,
            _mark(case),
            case.decided_by,
            case.decision,
        )
        for case in reversed(cases)
    ]
    columns = ("Number", "When", "Participant", "Asked by", "Why", "State", "Decided by", "In words")
    markup.show(markup.table("Requests and emergencies", columns, rows, "Nobody has asked for an arm."))


def _mark(case: UnblindingCase) -> markup.Mark:
    if case.is_emergency:
        return markup.Mark("bad", "emergency: shown without approval")
    words: dict[CaseState, markup.Mark] = {
        CaseState.WAITING: markup.Mark("look", "waits for a decision"),
        CaseState.APPROVED: markup.Mark("good", "approved, not shown yet"),
        CaseState.DECLINED: markup.Mark("quiet", "declined"),
        CaseState.REVEALED: markup.Mark("quiet", "shown"),
    }
    return words[case.state]


def _decisions(staff: Staff) -> None:
    waiting = [case for case in cases_of(current().study.record) if case.state is CaseState.WAITING]
    markup.show(markup.heading(f"To decide ({len(waiting)})", level=2))
    if not waiting:
        markup.show(markup.paragraph("No request waits for you. Whoever asked never decides."))
    for case in waiting:
        with st.container(border=True):
            said = f"{case.asked_by} asks for the arm of {case.participant_id}: {case.reason}"
            markup.show(markup.paragraph(f"Request {case.sequence}, {moment(case.at)}\n{said}"))
            _decision_form(staff, case)


def _decision_form(staff: Staff, case: UnblindingCase) -> None:
    study, key = current().study, f"decide-{case.sequence}"
    with st.form(key, border=False):
        words = st.text_input(
            "What you considered; to decline, why", max_chars=_WORDS, key=f"{key}-words"
        ).strip()
        beside, last = st.columns(2)
        is_approved = beside.form_submit_button(f"Approve request {case.sequence}", type="primary")
        is_declined = last.form_submit_button(f"Decline request {case.sequence}")
    if not (is_approved or is_declined):
        return
    require_staff(Permission.DECIDE_UNBLINDING)
    if is_approved:
        _rerun_if(lambda: approve_unblinding(study, staff, case.sequence, words), "Approved.")
    else:
        _rerun_if(lambda: decline_unblinding(study, staff, case.sequence, words), "Declined.")


def _own_requests(staff: Staff) -> None:
    mine = [
        case
        for case in cases_of(current().study.record)
        if case.state is CaseState.APPROVED and case.asked_by.partition(":")[2] == staff.staff_id
    ]
    for case in mine:
        with st.container(border=True):
            said = f"Request {case.sequence} for {case.participant_id} was approved by {case.decided_by}."
            markup.show(
                markup.paragraph(f"{said} The arm is shown once: be ready to note it where it is safe.")
            )
            doing = f"Show the arm of {case.participant_id}"
            if st.button(doing, key=f"reveal-{case.sequence}", type="primary"):
                require_staff(Permission.ASK_FOR_ARM)
                _tell(partial(reveal_arm, current().study, staff, case.sequence))


def _request_form(staff: Staff, people: Sequence[str]) -> None:
    study, key = current().study, form_key("unblinding")
    with st.form(key, border=True):
        markup.show(markup.heading("Ask for an arm", "An admin decides. Name no arm in the reason.", level=2))
        who = st.selectbox("Participant", people, index=None, key=f"{key}-who")
        reason = st.text_input("Why it must be known", max_chars=_WORDS, key=f"{key}-why")
        if not st.form_submit_button("Send the request"):
            return
    require_staff(Permission.ASK_FOR_ARM)
    if who is None:
        markup.show(markup.notice("Choose a participant.", "bad", "Not sent:"))
    elif tried(lambda: request_unblinding(study, staff, who, reason), "Sent: it waits for a decision."):
        used_up("unblinding")


def _emergency_form(staff: Staff, people: Sequence[str]) -> None:
    study, key = current().study, form_key("emergency")
    with st.form(key, border=False):
        text = "For when somebody's treatment cannot wait. Everybody is alerted, and the report says so."
        markup.show(markup.notice(text, "look"))
        who = st.selectbox("Participant", people, index=None, key=f"{key}-who")
        reason = st.text_input("What happened; name no arm", max_chars=_WORDS, key=f"{key}-why")
        typed = st.text_input("Type the participant's id", max_chars=64, key=f"{key}-typed")
        if not st.form_submit_button("Show the arm now, without approval"):
            return
    require_staff(Permission.ASK_FOR_ARM)
    if who is None:
        markup.show(markup.notice("Choose a participant.", "bad", "Not shown:"))
    elif _tell(lambda: reveal_in_emergency(study, staff, who, reason, typed)):
        used_up("emergency")


def _tell(reveal: Callable[[], ToldArm]) -> bool:
    """Show what is told, in this run of the page and in no other."""
    try:
        told = reveal()
    except IsopathError as refusal:
        markup.show(markup.notice(f"{refusal.problem}; {refusal.remedy}.", "bad", "Not shown:"))
        return False
    markup.show(markup.notice(f"{told.text}. It was recorded, and is not shown again.", "good", "The arm:"))
    return True


def _rerun_if(act: Callable[[], object], done: str) -> None:
    if tried(act, done):
        st.rerun()


def _allocated(looked: Looked) -> list[str]:
    kind = ParticipantAllocated.__name__
    return [str(r.participant_id) for r in looked.view.events if r.kind == kind][::-1]
