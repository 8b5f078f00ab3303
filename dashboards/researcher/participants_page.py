"""Participants: enrol, see where everybody is, and open one person's panel."""

from __future__ import annotations

import streamlit as st

from dashboards.researcher import markup
from dashboards.researcher.frame import form_key, look, open_page, show_zone, tried, used_up
from dashboards.researcher.gate import require_staff, still_may
from dashboards.researcher.participant_panel import show_participant
from dashboards.researcher.recruitment_panel import show_recruitment
from dashboards.researcher.times import moment
from dashboards.researcher.verdict_words import (
    STAGE_LEGEND,
    due_words,
    reasons_words,
    session_words,
    stages_words,
    stratum_words,
)
from dashboards.server.serving import current
from study.access.accounts import Staff
from study.access.roles import Permission
from study.conduct import enrol
from study.events import DataImported
from study.frozen import is_paused
from study.oversight import ParticipantStatus
from study.protocol import SITE

_CHOSEN = "participants-chosen"


def show() -> None:
    """The page."""
    staff = require_staff(Permission.SEE_PROGRESS)
    looked = open_page("Participants", "Enrol people, give them their personal links, and see where each is.")
    show_zone(looked.now)
    if still_may(staff, Permission.ENROL):
        _enrol_form(staff)
        looked = look()
    if still_may(staff, Permission.PAUSE):
        show_recruitment(staff)
    statuses = looked.view.statuses(looked.now)
    if not statuses:
        markup.show(
            markup.paragraph(
                "Nobody is enrolled yet: enrol the first person above; they then get a personal link."
                if still_may(staff, Permission.ENROL)
                else "Nobody is enrolled yet: a coordinator enrols people on this page."
            )
        )
        return
    people = [status.participant_id for status in reversed(statuses)]
    chosen = st.selectbox(
        "One participant: links, sessions, reports",
        people,
        index=None,
        key=_CHOSEN,
        placeholder="Choose an id",
    )
    if chosen is not None:
        show_participant(staff, chosen)
    _everybody(statuses)


def _enrol_form(staff: Staff) -> None:
    study = current().study
    if study.rehearsal() is not None:
        markup.show(
            markup.paragraph(
                "People cannot be enrolled in a rehearsal: begin the real study with isopath init."
            )
        )
        return
    if study.record.events(kinds=[DataImported]):
        markup.show(
            markup.paragraph(
                "This record holds a study that ran elsewhere: nobody is enrolled into it. "
                "Begin a study of your own with isopath init."
            )
        )
        return
    if is_paused(study.record):
        return
    key = form_key("enrol")
    with st.form(key, border=True):
        markup.show(markup.heading("Enrol a person", "Nobody is told an arm; it is drawn later.", level=2))
        stratum = {
            factor.factor: st.selectbox(
                factor.factor.replace("_", " ").capitalize(),
                factor.levels,
                index=factor.levels.index(fixed) if fixed is not None else None,
                disabled=fixed is not None,
                key=f"{key}-{factor.factor}",
            )
            for factor in study.protocol.allocation.strata
            for fixed in [current().site if factor.factor == SITE else None]
        }
        if not st.form_submit_button("Enrol", type="primary"):
            return
    require_staff(Permission.ENROL)
    if current().site is not None:
        # A field that is greyed out in the browser is not thereby fixed.
        stratum[SITE] = current().site
    missing = [factor.replace("_", " ") for factor, level in stratum.items() if level is None]
    if missing:
        markup.show(markup.notice(f"Choose {' and '.join(missing)} first.", "bad", "Nobody was enrolled."))
        return
    given = {factor: str(level) for factor, level in stratum.items()}
    made: list[str] = []
    if tried(
        lambda: made.append(enrol(study, staff.actor, given)), "Enrolled. Make the personal link below."
    ):
        used_up("enrol")
        st.session_state[_CHOSEN] = made[0]


def _everybody(statuses: list[ParticipantStatus]) -> None:
    markup.show(markup.heading("Everybody", level=2))
    wanted = st.segmented_control(
        "Show", ("everybody", "on their way", "over"), default="everybody", key="participants-shown"
    )
    shown = [
        status
        for status in reversed(statuses)
        if wanted in (None, "everybody") or (status.outcome is None) == (wanted == "on their way")
    ]
    rows = [
        (
            status.participant_id,
            stratum_words(status),
            due_words(status),
            stages_words(status),
            "; ".join(
                f"{session_words(session_id)}: {found.verdict}"
                + (f" ({reasons_words(found)})" if found.reasons else "")
                for session_id, found in status.sessions.items()
            ),
            "open" if status.has_link else "none",
            moment(status.last_at),
        )
        for status in shown
    ]
    columns = ("Participant", "Stratum", "Due", "Stages", "Sessions", "Link", "Last recorded")
    markup.show(markup.table(f"{len(shown)} participants", columns, rows, "Nobody is in this list."))
    markup.show(markup.paragraph(f"Stages: {STAGE_LEGEND}.", is_quiet=True))
