"""What every researcher page begins with: its name, and what must be known of the study before reading on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from dashboards.researcher.markup import heading, notice, paragraph, show, show_style
from dashboards.researcher.record_view import RecordView, record_view
from dashboards.researcher.times import zone_words
from dashboards.server.serving import current
from study.errors import IsopathError
from study.events import ArmsUnblinded, RecordFrozen, RehearsalStarted
from study.frozen import is_paused


@dataclass(frozen=True)
class Looked:
    """What a page shows: the record as it is, and the moment it was looked at."""

    view: RecordView
    now: datetime


def look() -> Looked:
    """The served study's record, as it is now."""
    study = current().study
    return Looked(record_view(study), study.record.clock())


def open_page(title: str, lead: str) -> Looked:
    """Begin a page; call `require_staff` before."""
    st.set_page_config(layout="wide")
    looked = look()
    show_style()
    show(heading(title, lead))
    kinds = {recorded.kind for recorded in looked.view.events if recorded.participant_id is None}
    if RehearsalStarted.__name__ in kinds:
        show(
            notice("This study is a rehearsal: nobody in it is a person.", "look", "Simulated participants.")
        )
    if is_paused(looked.view.study.record):
        show(notice("Nobody is enrolled for now; people under way go on.", "look", "Recruitment is paused."))
    if ArmsUnblinded.__name__ in kinds:
        show(notice("The record is frozen, and arms may be seen by those who may see results.", "quiet"))
    elif RecordFrozen.__name__ in kinds:
        show(notice("The record is frozen: no participant's data are taken any more.", "quiet"))
    return looked


def show_zone(now: datetime) -> None:
    """Name the zone of the page's times."""
    show(paragraph(zone_words(now), is_quiet=True))


def tried(act: Callable[[], object], done: str) -> bool:
    """Do something to the study; say that it is done, or why it was refused.

    Args:
        done: what to say when it was saved.
    """
    try:
        act()
    except IsopathError as refusal:
        show(notice(f"{refusal.problem}; {refusal.remedy}.", "bad", "Not saved:"))
        return False
    show(notice(done, "good"))
    return True


def form_key(name: str) -> str:
    """The key of a form that is to be sent once; it is another one after `used_up`."""
    return f"{name}-{st.session_state.get(_sent(name), 0)}"


def used_up(name: str) -> None:
    """What was sent with this form is saved: sending it again does nothing, and the next form is empty."""
    st.session_state[_sent(name)] = st.session_state.get(_sent(name), 0) + 1


def _sent(name: str) -> str:
    return f"forms-sent-{name}"
