"""Coming in through an identity provider, and the page for an address that is none of ours."""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboards.server.serving import current
from dashboards.server.single_sign_on import is_offered, vouched_id
from study.errors import IsopathError


def is_vouched() -> bool:
    """Whether an identity provider has just said who this is."""
    return is_offered(current().study) and bool(st.user.is_logged_in)


def sign_on_page() -> None:
    """Ask the provider who this is; hand over to a session of ours if they have an account here."""
    served = current()
    if served.accounts is None or not is_offered(served.study):
        not_found_page()
        return
    st.header("Log in with your institution")
    if not st.user.is_logged_in:
        st.write("You are taken to your institution's own log-in page, and back.")
        if st.button("Go on", type="primary"):
            st.login()
        return
    staff_id = vouched_id(st.user.to_dict())
    try:
        code = served.accounts.issue_code(staff_id or "", served.study.record.clock())
    except IsopathError:
        # Not whether there is an account of this name that has a password: only that it cannot be entered so.
        st.write(
            "Your institution has said who you are, but no account of this study is opened that way for "
            f"{staff_id or 'an address it has not verified'}. Ask whoever manages the study's accounts."
        )
        if st.button("Use another account"):
            st.logout()
        return
    st.html(
        f'<a href="/staff/adopt?code={escape(code)}" target="_self">Go on as {escape(staff_id or "")}</a>'
    )


def not_found_page() -> None:
    """A kind word to somebody who is lost."""
    st.header("There is no such page")
    st.write(
        "The address may have been mistyped. If you take part in a study, open your personal link again: "
        "it leads to where you were."
    )
    st.html('<a href="/" target="_self">To the first page</a>')
