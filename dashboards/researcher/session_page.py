"""One session: how complete it is, what was heard and felt; and, for who may know arms, what was played."""

from __future__ import annotations

import streamlit as st

from dashboards.researcher import markup
from dashboards.researcher.felt_picture import felt_paths, session_pictures, when_words
from dashboards.researcher.frame import Looked, open_page, show_zone
from dashboards.researcher.gate import require_staff, still_may
from dashboards.researcher.times import clock_time, moment
from dashboards.researcher.verdict_words import due_words, reasons_words, session_words, verdict_mark
from study.access.roles import Permission
from study.corrections import corrected
from study.events import History
from study.listening import listening_of
from study.oversight.completeness import signs_of
from study.oversight.felt import answers_of, felt_reports
from study.oversight.reasons import heard_share
from study.oversight.words import duration_words, share_words


def show() -> None:
    """The page."""
    staff = require_staff(Permission.SEE_FELT)
    looked = open_page("Sessions", "What one person heard and felt in one session.")
    show_zone(looked.now)
    begun = _begun(looked)
    if not begun:
        markup.show(
            markup.paragraph(
                "Nobody has begun a session yet: they appear here with the first sound check or report."
            )
        )
        return
    chosen = st.selectbox(
        "Which session",
        tuple(begun),
        format_func=lambda key: f"{key[0]}, {session_words(key[1])} ({begun[key]})",
        key="session-chosen",
    )
    participant_id, session_id = chosen
    history = looked.view.histories[participant_id]
    _show_facts(looked, participant_id, session_id)
    _show_felt(looked, corrected(looked.view.study.protocol, history), session_id)
    if still_may(staff, Permission.SEE_ARMS):
        # Music emotion recognition loads for those who may see what it says.
        from dashboards.researcher.session_sound import show_what_was_played

        show_what_was_played(staff, participant_id, session_id, history)


def _begun(looked: Looked) -> dict[tuple[str, str], str]:
    """Every session that a person has begun, latest first."""
    found = [
        (
            signs[-1].at,
            (status.participant_id, session_id),
            str(one.verdict),
        )
        for status in looked.view.statuses(looked.now)
        for session_id, one in status.sessions.items()
        if (signs := signs_of(looked.view.histories[status.participant_id], session_id))
    ]
    return {key: verdict for _, key, verdict in sorted(found, reverse=True)}


def _show_facts(looked: Looked, participant_id: str, session_id: str) -> None:
    status = looked.view.status(participant_id, looked.now)
    history = looked.view.histories[participant_id]
    here = [recorded for recorded in history if recorded.session_id == session_id]
    found = status.sessions[session_id]
    listening = listening_of(here, session_id)
    share, heard = heard_share(here, listening), duration_words(listening.heard_s)
    markup.show(markup.heading(f"{participant_id}, {session_words(session_id)}", level=2))
    markup.show(
        markup.facts(
            (
                ("How complete", verdict_mark(found)),
                ("Heard", None if share is None else f"{heard} ({share_words(share)})"),
                ("Paused", _times(listening.pauses)),
                ("Sound halted for want of data", _times(listening.stalls)),
                ("Begun", moment(here[0].at)),
                ("Due", due_words(status)),
            )
        )
    )
    if found.reasons:
        markup.show(markup.paragraph(f"Why {found.verdict}: {reasons_words(found)}."))


def _times(n: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(n, f"{n} times")


def _show_felt(looked: Looked, history: History, session_id: str) -> None:
    study = looked.view.study
    reports = felt_reports(history, session_id)
    paths = felt_paths(study.protocol, history, session_id)
    markup.show(session_pictures(paths, study.rehearsal() is not None))
    rows = [
        (
            when_words(report),
            report.instrument_id,
            report.affect.valence if report.affect else None,
            report.affect.arousal if report.affect else None,
            ", ".join(f"{name} {value:g}" for name, value in report.scores),
            ", ".join(report.missed_items),
            clock_time(report.at),
        )
        for report in reports
    ]
    columns = ("When", "Instrument", "Valence", "Arousal", "Scores", "Left out", "Recorded")
    markup.show(markup.table("Felt reports", columns, rows, "No felt report yet."))
    note = "Valence runs from −1 (unpleasant) to 1 (pleasant), arousal from −1 (low) to 1 (high)."
    markup.show(markup.paragraph(note, is_quiet=True))
    answers = [(answer.question, answer.answer) for answer in answers_of(study.protocol, history, session_id)]
    if answers:
        markup.show(markup.table("Answers to the study's own questions", ("Question", "Answer"), answers))
