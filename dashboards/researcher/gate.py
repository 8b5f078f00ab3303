"""The gate before every researcher page: nothing is shown to anybody who may not see it."""

from __future__ import annotations

from urllib.parse import quote

import streamlit as st

from dashboards.server.staff_identity import is_allowed, staff_of_cookies
from study.access.accounts import Staff
from study.access.roles import Permission

SHOWN = "path shown"
"""Where the script notes, for this run, which page it shows."""


def require_staff(permission: Permission, is_automatic: bool = False) -> Staff:
    """Who is looking, if they may; else the page ends here, with a word and nothing of the study.

    Call it first on every page, and first in every fragment: a fragment runs without its page. It looks at
    the session anew each time, so that logging out, a new role or a removed account take effect at once.

    Args:
        is_automatic: True in a fragment that runs by itself (`run_every`), so that a page left open
            does not keep the session alive.
    """
    staff = staff_of_cookies(st.context.cookies, is_use=not is_automatic)
    if staff is None:
        st.header("Please log in")
        st.write("You are not logged in, or your session has ended. Nothing that was saved is lost.")
        asked = quote(str(st.session_state.get(SHOWN, "")))
        # Markdown's links open another tab.
        st.html(f'<a href="/staff/log-in?next=/{asked}" target="_self">Log in</a>')
        st.stop()
    if not is_allowed(staff, permission):
        st.header("Not for your role")
        st.write(
            f"You are logged in as {staff.staff_id} ({staff.role}), and this page is for others. "
            "If you need it, ask whoever manages the study's accounts."
        )
        st.stop()
    return staff


def still_may(staff: Staff, permission: Permission) -> bool:
    """Whether somebody may do one more thing of a page, so that it is offered; ask again before doing it."""
    return is_allowed(staff, permission)
