"""Freezing the record and unblinding it: once each, in this order, with a reason."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboards.researcher import markup
from dashboards.researcher.gate import require_staff
from dashboards.server.serving import current
from study.access.roles import Permission
from study.errors import IsopathError
from study.events import ArmsUnblinded, ParticipantEnrolled, RecordedEvent, RecordFrozen
from study.founding import Study
from study.freeze import freeze, unblind
from study.step import Finished


def show() -> None:
    """Draw the page."""
    staff = require_staff(Permission.FREEZE)
    study = current().study
    markup.show_style()
    markup.show(
        markup.heading(
            "Freeze and unblind",
            "Freezing closes the record to participants' data. Unblinding then lets results be seen by arm.",
        )
    )
    closing = study.record.events(kinds=[RecordFrozen, ArmsUnblinded])
    for recorded in closing:
        _say(recorded)
    if not closing:
        unfinished = _unfinished(study)
        if unfinished:
            who = "1 person is" if unfinished == 1 else f"{unfinished} people are"
            text = f"{who} still on the way: what has yet to be answered would be refused."
            markup.show(markup.notice(text, "look"))
        _form(study, "Freeze the record", lambda reason: freeze(study, staff.actor, reason))
    elif not any(isinstance(recorded.event, ArmsUnblinded) for recorded in closing):
        staff = require_staff(Permission.UNBLIND)
        _form(study, "Unblind", lambda reason: unblind(study, staff.actor, reason))


def _say(recorded: RecordedEvent) -> None:
    when = f"{recorded.at:%Y-%m-%d %H:%M} UTC by {recorded.actor}"
    match recorded.event:
        case RecordFrozen(analysis_sha256, head_sha256, reason):
            markup.show(markup.notice(f"{when}: {reason}", "good", "Frozen."))
            markup.show(markup.facts([("Analysis plan", analysis_sha256), ("Record head", head_sha256)]))
        case ArmsUnblinded(reason):
            markup.show(markup.notice(f"{when}: {reason}", "good", "Unblinded."))


def _form(study: Study, doing: str, do: Callable[[str], object]) -> None:
    with st.form("closing"):
        st.subheader(doing)
        reason = st.text_input("Why, in a few words", max_chars=500)
        typed = st.text_input(f"This cannot be taken back. Type the study's id, {study.protocol.study_id}")
        if not st.form_submit_button(doing, type="primary"):
            return
        if typed.strip() != study.protocol.study_id:
            markup.show(markup.notice("The study's id was not typed as it is.", "bad"))
            return
        try:
            do(reason)
        except IsopathError as refusal:
            markup.show(markup.notice(f"{refusal.problem}; {refusal.remedy}", "bad", f"{refusal.where}:"))
            return
        st.rerun()


def _unfinished(study: Study) -> int:
    people = [recorded.participant_id for recorded in study.record.events(kinds=[ParticipantEnrolled])]
    return sum(not isinstance(study.due(who), Finished) for who in people if who is not None)
