"""What stands beside every researcher page: where else to go, who is logged in, and the way out."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.navigation.page import Page

from dashboards.server.serving import current
from dashboards.server.staff_identity import STAFF_COOKIE
from study.access.accounts import Staff


def show_menu(staff: Staff, pages: Sequence[Page]) -> None:
    """The menu of somebody who is logged in.

    Args:
        pages: those that are for them.
    """
    served = current()
    with st.sidebar:
        st.text(served.study.protocol.title)
        if served.study.rehearsal() is not None:
            st.warning("Rehearsal: all participants are simulated.")
        for page in pages:
            st.page_link(page)
        st.divider()
        st.text(f"{staff.staff_id}\n{staff.role}")
        if st.button("Log out", key="log_out", use_container_width=True) and served.accounts is not None:
            served.accounts.end_session(st.context.cookies.get(STAFF_COOKIE, ""))
            st.rerun()
