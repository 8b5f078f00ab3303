"""A page that tells an arm in every way a page can; to see that each is found."""

from __future__ import annotations

import base64
import json
import os
import sys

import streamlit as st

TOLD = json.loads(os.environ["TOLD"])

st.text(f"sub-1a2b3c4d hears {TOLD['in words']}")
st.button("Details", help=f"rendered as {TOLD['in a tooltip']}")
if st.selectbox("Which session", ["ses-01", "ses-02"]) == "ses-02":
    st.text(TOLD["behind a choice"])
st.html(f'<a href="/api/staff/sound/{TOLD["in an address"].replace("_", "%5F")}">Sound</a>')
picture = base64.b64encode(f"<svg><title>{TOLD['in a picture']}</title></svg>".encode()).decode()
st.html(f'<img alt="" src="data:image/svg+xml;base64,{picture}">')
st.html('<a href="/api/staff/status">Status</a> <a href="/api/staff/export/all.zip">Everything</a>')
sys.stderr.write(f"rendering with {TOLD['in the log']}\n")
sys.stderr.flush()
