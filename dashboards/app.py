"""The Streamlit script: which page is shown to whom."""

from __future__ import annotations

import streamlit as st

from dashboards.participant.page import participant_page

st.navigation([st.Page(participant_page, title="isopath", url_path="", default=True)], position="hidden").run()
