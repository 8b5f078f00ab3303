"""The participant's Streamlit page: finds the person, shows the step that is due."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import streamlit as st

from dashboards.components.mounting import mount_step
from dashboards.participant.step_view import closed_view, due_page, language_of, step_view, trouble_view
from dashboards.server.identity import LANGUAGE_COOKIE, participant_id_of_cookies
from dashboards.server.serving import current
from study.errors import IsopathError

log = logging.getLogger("isopath.pages")

WAITING_EVERY = timedelta(seconds=5)
LOOK_EVERY = timedelta(seconds=15)

# Streamlit's own frame around the page, and the colours behind ours. Its dialog about a lost connection
# and its link to the content are left out too: the one our pages say in the person's own language, and
# nothing stands before the content that the other would skip.
_CHROME = """<style>
[data-testid="stHeader"], [data-testid="stToolbar"], [data-testid="stDecoration"],
[data-testid="stStatusWidget"], [data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"],
[data-testid="stConnectionStatus"], [data-testid="stSkipToContent"], [data-testid="stMainMenu"],
#MainMenu, footer,
[data-testid="stDialog"] { display: none !important; }
.stApp { background: #faf6ef !important; color-scheme: light; }
[data-testid="stMainBlockContainer"] { padding: 0 !important; max-width: none !important; }
[data-testid="stMainBlockContainer"] [data-testid="stVerticalBlock"] { gap: 0 !important; }
[data-stale="true"] { opacity: 1 !important; }
@media (prefers-color-scheme: dark) { .stApp { background: #1e1b18 !important; color-scheme: dark; } }
</style>"""


def participant_page() -> None:
    """Show what is due for whoever holds the link in this browser's cookie.

    Nothing is kept in Streamlit's session: each run looks at the record anew.
    """
    st.html(_CHROME)
    view = _due_view()
    try:
        mount_step(view)
    except Exception:
        log.exception("the page of %s could not be shown", view["kind"])
        view = trouble_view(current().study, view["language"])
        mount_step(view)
    _look_again(view["kind"], view["key"])


def _due_view() -> Mapping[str, Any]:
    study = current().study
    chosen = [st.context.cookies.get(LANGUAGE_COOKIE), st.context.locale]
    language = language_of(study.protocol, (), chosen)
    try:
        participant_id = participant_id_of_cookies(st.context.cookies)
        if participant_id is None:
            return closed_view(study, language)
        history = study.record.participant(participant_id)
        language = language_of(study.protocol_of(history), history, chosen)
        return step_view(study, participant_id, language, study.record.clock())
    # Whatever it is, a person in front of this page is told kindly, and staff find it in the log.
    except Exception as problem:
        if isinstance(problem, IsopathError):
            log.error("%s: %s", type(problem).__name__, problem)
        else:
            log.exception("the page could not be shown")
        return trouble_view(study, language)


def _due_page() -> tuple[str, str] | None:
    """Kind and key of the page that is due; None where that cannot be told now."""
    study = current().study
    try:
        participant_id = participant_id_of_cookies(st.context.cookies)
        if participant_id is None:
            return "closed", "closed"
        return due_page(study, participant_id, study.record.clock())
    except Exception:
        log.exception("what is due could not be told")
        return None


def _look_again(kind: str, key: str) -> None:
    """Run the page again when the record has moved on without it: a link revoked, a sound made."""
    if kind == "finished":
        return
    has_looked = False

    @st.fragment(run_every=WAITING_EVERY if kind == "waiting" else LOOK_EVERY)
    def look() -> None:
        nonlocal has_looked
        is_first, has_looked = not has_looked, True
        if kind == "trouble":
            # What is due can be told though it cannot be shown: tried at once, it would be tried without end.
            if not is_first and _due_view()["kind"] != "trouble":
                st.rerun(scope="app")
            return
        due = _due_page()
        # Where it cannot be told, what somebody has begun to write stays on the page.
        if due is not None and due != (kind, key):
            st.rerun(scope="app")

    look()
