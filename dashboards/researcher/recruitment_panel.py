"""Pausing and resuming recruitment, where people are enrolled."""

from __future__ import annotations

import streamlit as st

from dashboards.researcher import markup
from dashboards.researcher.frame import form_key, tried, used_up
from dashboards.researcher.gate import require_staff
from dashboards.server.serving import current
from study.access.accounts import Staff
from study.access.roles import Permission
from study.frozen import is_paused
from study.recruitment import pause_recruitment, resume_recruitment


def show_recruitment(staff: Staff) -> None:
    """A form, closed while people are enrolled and open while they are not."""
    study, paused = current().study, is_paused(current().study.record)
    doing = "Resume recruitment" if paused else "Pause recruitment"
    change = resume_recruitment if paused else pause_recruitment
    with st.expander(doing, expanded=paused):
        key = form_key("recruitment")
        with st.form(key, border=False):
            text = "Nobody is enrolled while it is paused; people under way go on."
            markup.show(markup.paragraph(text))
            reason = st.text_input("Why", max_chars=500, key=f"{key}-why")
            if not st.form_submit_button(doing):
                return
        require_staff(Permission.PAUSE)
        if tried(lambda: change(study, staff, reason), "Saved."):
            used_up("recruitment")
            st.rerun()
