"""Personal links: made, shown once as text and QR code, and revoked."""

from __future__ import annotations

import io
from datetime import timedelta
from html import escape
from urllib.parse import urlsplit

import segno
import streamlit as st

from dashboards.researcher import markup
from dashboards.researcher.frame import tried
from dashboards.researcher.gate import require_staff
from dashboards.server.serving import current
from study.access.accounts import Staff
from study.access.links import issue_link, revoke_links
from study.access.roles import Permission

_LENGTHS = {"1 day": 1, "7 days": 7, "30 days": 30, "half a year": 182}


def show_links(staff: Staff, participant_id: str) -> None:
    """Forms to make a link and to revoke every open one."""
    study = current().study
    with st.expander("Personal link"):
        with st.form(f"link-{participant_id}", border=False):
            lasts = st.selectbox("Opens for", tuple(_LENGTHS), index=2, key=f"link-lasts-{participant_id}")
            make = st.form_submit_button("Make a personal link")
        if make:
            require_staff(Permission.MANAGE_LINKS)
            made: list[str] = []
            days = timedelta(days=_LENGTHS[lasts])
            is_saved = tried(
                lambda: made.append(issue_link(study, staff.actor, participant_id, days)),
                "Made. Give it to the person now: it is shown this once, and is stored nowhere.",
            )
            if is_saved:
                markup.show(_secret(participant_id, f"{_origin()}/go/{made[0]}"))
        with st.form(f"revoke-{participant_id}", border=False):
            reason = st.text_input("Why revoke", max_chars=300, key=f"revoke-why-{participant_id}")
            revoke = st.form_submit_button("Revoke every open link")
        if revoke:
            require_staff(Permission.MANAGE_LINKS)
            if not reason.strip():
                markup.show(
                    markup.notice("Say why: it is kept in the record.", "bad", "Nothing was revoked.")
                )
            else:
                tried(
                    lambda: revoke_links(study, staff.actor, participant_id, reason.strip()),
                    "Revoked: the person's links open nothing any more.",
                )


def _origin() -> str:
    address = urlsplit(st.context.url or "")
    return f"{address.scheme}://{address.netloc}"


def _secret(participant_id: str, address: str) -> str:
    drawn = io.BytesIO()
    segno.make_qr(address, error="m").save(drawn, kind="svg", scale=6, border=4)
    image = markup.picture(drawn.getvalue().decode(), f"QR code of the personal link of {participant_id}")
    return (
        f'<div class="ip-secret"><strong>{escape(participant_id)}</strong>{image}'
        f"<code>{escape(address)}</code></div>"
    )
