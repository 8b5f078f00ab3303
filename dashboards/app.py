"""The Streamlit script: which page is shown to whom."""

from __future__ import annotations

import streamlit as st


def _participant() -> None:
    st.write("The participant's page is built in dashboards/participant/page.py.")


st.navigation([st.Page(_participant, title="Listening", url_path="", default=True)], position="hidden").run()
