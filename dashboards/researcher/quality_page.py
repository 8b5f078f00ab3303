"""Data quality: what speaks for and against what was recorded."""

from __future__ import annotations

import streamlit as st

from dashboards.researcher import markup
from dashboards.researcher.frame import open_page, show_zone
from dashboards.researcher.gate import require_staff
from dashboards.researcher.times import moment
from dashboards.researcher.verdict_words import session_words
from dashboards.server.serving import current
from study.access.roles import Permission
from study.errors import IsopathError
from study.oversight import QualityRow, insecure_servings
from study.oversight.quality import TOO_FAST_S
from study.oversight.reasons import HEARD_ENOUGH, MUTED_TOO_LONG_S
from study.oversight.words import counted, duration_words, share_words

_SHOWN = 300


def show() -> None:
    """The page."""
    require_staff(Permission.SEE_PROGRESS)
    looked = open_page(
        "Data quality", "What was noticed about the data, session by session. No arm is looked at."
    )
    show_zone(looked.now)
    _show_record()
    served = insecure_servings(looked.view.events)
    if served:
        since = [(moment(one.at), one.host) for one in served]
        text = "The app was started without encryption: what people sent could be read on the way."
        markup.show(markup.notice(text, "look"))
        markup.show(markup.table("Served without encryption", ("Since", "On"), since, is_small=True))
    found = looked.view.quality()
    if not found:
        markup.show(
            markup.paragraph("Nothing is recorded yet: a row appears with each person's first answers.")
        )
        return
    noticed = {id(row): what_was_noticed(row) for row in found}
    _show_totals(found)
    only = st.toggle("Only rows where something was noticed", value=True, key="quality-only")
    shown = [row for row in found if noticed[id(row)] or not only]
    rows = [
        (
            row.participant_id,
            session_words(row.session_id),
            None if row.heard_share is None else share_words(row.heard_share),
            row.sound_check,
            {True: "yes", False: "no", None: None}[row.sound_verified],
            "; ".join(noticed[id(row)]) or "nothing",
        )
        for row in shown[:_SHOWN]
    ]
    columns = ("Participant", "Where", "Heard", "Sound check", "Sound verified", "Noticed")
    caption = f"{len(shown)} of {len(found)} rows"
    markup.show(markup.table(caption, columns, rows, "Nothing was noticed in any session."))
    if len(shown) > _SHOWN:
        markup.show(markup.paragraph(f"The first {_SHOWN} are shown; the exports hold them all."))
    _explain()


def what_was_noticed(row: QualityRow) -> tuple[str, ...]:
    """What a person should look at, in words."""
    share = row.heard_share
    said = (
        (share is not None and share < HEARD_ENOUGH, f"heard {share_words(share or 0)}"),
        (row.sound_check == "failed", "sound check failed"),
        (row.sound_verified is False, "sound not verified in the browser"),
        (row.muted_s >= MUTED_TOO_LONG_S, f"muted {duration_words(row.muted_s)}"),
        (row.hidden_s >= MUTED_TOO_LONG_S, f"page out of view {duration_words(row.hidden_s)}"),
        (row.stalls > 0, f"sound halted {counted(row.stalls, 'time')}"),
        (row.longest_gap_s >= 60, f"longest break {duration_words(row.longest_gap_s)}"),
        (row.untouched_items > 0, f"{counted(row.untouched_items, 'slider')} left untouched"),
        (row.fast_answers > 0, f"{counted(row.fast_answers, 'report')} answered within {TOO_FAST_S:g} s"),
        (row.missed_items > 0, f"{counted(row.missed_items, 'item')} left out"),
        (row.missed_reports > 0, f"{counted(row.missed_reports, 'report')} not given"),
        (row.outside_window, "visit outside its window"),
        (row.moves > 0, f"moved to another tab or device {counted(row.moves, 'time')}"),
    )
    return tuple(words for is_so, words in said if is_so)


def _show_totals(rows: tuple[QualityRow, ...]) -> None:
    heard = [row.heard_share for row in rows if row.heard_share is not None]
    whole = sum(share >= HEARD_ENOUGH for share in heard)
    markup.show(
        markup.facts(
            (
                ("Heard nearly all", f"{whole} of {counted(len(heard), 'session')}"),
                ("Reports not given", sum(row.missed_reports for row in rows)),
                ("Items left out", sum(row.missed_items for row in rows)),
                ("Sliders left untouched", sum(row.untouched_items for row in rows)),
                ("Answered within a second", sum(row.fast_answers for row in rows)),
                ("Outside the window", sum(row.outside_window for row in rows)),
            )
        )
    )


def _show_record() -> None:
    if not st.button(
        "Check the record now", help="Walks every row and compares its hash with the next one's."
    ):
        return
    study = current().study
    try:
        head = study.record.verify()
    except IsopathError as refusal:
        markup.show(
            markup.notice(f"{refusal.problem}; {refusal.remedy}.", "bad", "The record does not hold:")
        )
        return
    markup.show(markup.notice(f"{counted(head.sequence, 'row')} fit together. Head: {head.sha256}", "good"))


def _explain() -> None:
    with st.expander("What the words mean"):
        markup.show(
            markup.bullets(
                (
                    "Heard: share of the session's sound that was audible at least once.",
                    f"Heard nearly all: {share_words(HEARD_ENOUGH)} or more.",
                    "Sound verified: the browser compared the sound's hash with the one that was recorded.",
                    "Sound halted: the browser ran out of data and waited.",
                    "Longest break: the longest silence between two stretches of sound, but for a probe's.",
                    "Left untouched: a slider that was confirmed where it stood at the start.",
                    "Not given: a report that was due and not answered at all.",
                )
            )
        )
