"""Overview: alerts, today's sessions and enrolment against the plan, as they are now."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from analysis.figures.drawing import FigureImage
from analysis.figures.enrolment import enrolment_image
from dashboards.researcher import markup
from dashboards.researcher.frame import look, open_page, show_zone, tried
from dashboards.researcher.gate import require_staff, still_may
from dashboards.researcher.record_view import RecordView
from dashboards.researcher.times import clock_time, day, is_today, moment
from dashboards.researcher.verdict_words import due_words, reasons_words, session_words, verdict_mark
from dashboards.server.serving import current
from study.access.accounts import Staff
from study.access.roles import Permission
from study.oversight import Alert, AlertKind, Enrolment, Verdict, acknowledge, enrolment_of
from study.oversight.completeness import signs_of

LIVE_S = 5
_SHOWN = 20


def show() -> None:
    """The page."""
    require_staff(Permission.SEE_PROGRESS)
    looked = open_page("Overview", looked_title())
    show_zone(looked.now)
    _live()


def looked_title() -> str:
    """The study's title, as its protocol gives it."""
    return current().study.protocol.title


@st.fragment(run_every=LIVE_S)
def _live() -> None:
    staff = require_staff(Permission.SEE_PROGRESS, is_automatic=True)
    looked = look()
    view, now = looked.view, looked.now
    alerts = view.alerts(now)
    _alerts(staff, alerts)
    statuses = view.statuses(now)
    markup.show(markup.heading("Today", level=2))
    today = [
        (status, session_id, here)
        for status in statuses
        for session_id, found in status.sessions.items()
        if (here := signs_of(view.histories[status.participant_id], session_id))
        and (is_today(here[-1].at, now) or found.verdict is Verdict.UNDER_WAY)
    ]
    rows = [
        (
            status.participant_id,
            session_words(session_id),
            verdict_mark(status.sessions[session_id]),
            reasons_words(status.sessions[session_id]) or due_words(status),
            clock_time(here[0].at) if is_today(here[0].at, now) else moment(here[0].at),
            clock_time(here[-1].at) if is_today(here[-1].at, now) else moment(here[-1].at),
        )
        for status, session_id, here in sorted(today, key=lambda row: row[2][-1].at, reverse=True)
    ]
    columns = ("Participant", "Session", "How complete", "Why, or what is due", "Begun", "Last sign")
    if len(rows) > _SHOWN:
        markup.show(
            markup.paragraph(
                f"The {_SHOWN} latest of {len(rows)}; all are on the page Participants.", is_quiet=True
            )
        )
    markup.show(markup.table("Today's sessions", columns, rows[:_SHOWN], "Nobody has begun a session today."))
    _enrolment(view, enrolment_of(view.study.protocol, view.events, now))


def _alerts(staff: Staff, alerts: tuple[Alert, ...]) -> None:
    # A rule that was reached stays in view when somebody has seen it.
    for alert in alerts:
        if alert.kind is AlertKind.STOP_RULE:
            seen = f" Seen by {alert.acknowledged_by}." if alert.acknowledged_by else ""
            markup.show(markup.notice(f"{alert.text} ({moment(alert.at)}){seen}", "bad", "Stop rule."))
            if alert.acknowledged_by is None:
                _mark_as_seen(staff, alert)
    others = [alert for alert in alerts if alert.kind is not AlertKind.STOP_RULE]
    unseen = [alert for alert in others if alert.acknowledged_by is None]
    markup.show(markup.heading(f"Alerts ({len(unseen)} open)", level=2))
    if not unseen:
        text = "Nothing needs you now. Distress, calls for help and missed visits appear here."
        markup.show(markup.paragraph(text))
    for alert in unseen[:_SHOWN]:
        who = f"{alert.participant_id}: " if alert.participant_id else ""
        tone: markup.Tone = "bad" if alert.is_urgent else "look"
        text = f"{who}{alert.text} ({moment(alert.at)})"
        markup.show(markup.notice(text, tone, f"{alert.kind.capitalize()}."))
        _mark_as_seen(staff, alert)
    if len(unseen) > _SHOWN:
        text = f"{len(unseen) - _SHOWN} older ones follow when these are marked as seen."
        markup.show(markup.paragraph(text))
    seen_before = [alert for alert in others if alert.acknowledged_by is not None]
    if seen_before:
        with st.expander(f"Seen earlier ({len(seen_before)})"):
            rows = [
                (moment(alert.at), alert.participant_id, str(alert.kind), alert.text, alert.acknowledged_by)
                for alert in seen_before[: 5 * _SHOWN]
            ]
            columns = ("When", "Who", "What", "Said", "Seen by")
            markup.show(markup.table("Alerts that somebody has seen", columns, rows))


def _mark_as_seen(staff: Staff, alert: Alert) -> None:
    if not still_may(staff, Permission.REPORT_HARM):
        return
    key = f"alert-{alert.sequence}-{alert.kind}"
    with st.form(key, border=False):
        beside, last = st.columns((3, 1), vertical_alignment="bottom")
        note = beside.text_input("What was done (optional)", key=f"{key}-note", max_chars=500)
        if not last.form_submit_button("Mark as seen"):
            return
    require_staff(Permission.REPORT_HARM)
    study = current().study
    if tried(
        lambda: acknowledge(study, staff.actor, alert.sequence, note.strip(), alert.kind), "Marked as seen."
    ):
        st.rerun()


def _enrolment(view: RecordView, found: Enrolment) -> None:
    markup.show(markup.heading("Enrolment", level=2))
    if not found.days:
        markup.show(markup.paragraph("Nobody is enrolled yet: open Participants and enrol the first person."))
        return
    markup.show(
        markup.facts(
            (
                ("Allocated, of the plan", f"{found.allocated} of {found.planned}"),
                ("Enrolled", found.enrolled),
                ("Consented", found.consented),
                ("Declined", found.declined),
                ("Not eligible", found.not_eligible),
                ("Left early", found.left),
                (
                    "Plan reached, at the pace of the last 4 weeks",
                    f"about {day(found.expected_end)}" if found.expected_end else None,
                ),
            )
        )
    )
    is_rehearsal = any(recorded.kind == "RehearsalStarted" for recorded in view.events[:3])
    image = _image(found, is_rehearsal)
    caption = "Enrolled: given an id. Allocated: randomised, which is what the plan counts."
    markup.show(markup.picture(image.svg, image.alt, caption))
    if found.levels:
        rows = [
            (level.factor.replace("_", " "), level.level, level.enrolled, level.allocated)
            for level in found.levels
        ]
        markup.show(
            markup.table(
                "By site and stratum", ("Factor", "Level", "Enrolled", "Allocated"), rows, is_small=True
            )
        )


@lru_cache(maxsize=4)
def _image(found: Enrolment, is_rehearsal: bool) -> FigureImage:
    days = [(one.day, one.enrolled, one.allocated) for one in found.days]
    return enrolment_image(days, found.planned, is_rehearsal)
