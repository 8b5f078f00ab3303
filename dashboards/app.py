"""The Streamlit script: which page is shown to whom. It runs anew at every step and click."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import streamlit as st

from dashboards.participant.page import participant_page
from dashboards.researcher.gate import SHOWN
from dashboards.researcher.menu import show_menu
from dashboards.researcher.pages import PAGES
from dashboards.researcher.sign_on_page import is_vouched, not_found_page, sign_on_page
from dashboards.server.identity import LINK_COOKIE
from dashboards.server.single_sign_on import PAGE as SIGN_ON_PAGE
from dashboards.server.staff_identity import STAFF_COOKIE, is_allowed, staff_of_cookies

_ASKED = "path asked for"


def main() -> None:
    """Run the page that was asked for; staff have a menu, participants have one page."""
    asked = _asked()
    staff = staff_of_cookies(st.context.cookies)
    mine = [page for page in PAGES if staff is not None and is_allowed(staff, page.permission)]
    # Nobody else is told of staff's pages, unless they ask for one; a page that is not theirs answers
    # by its gate, also when it was theirs a moment ago.
    pages = {
        page.url_path: st.Page(
            page.show, title=page.title if page in mine else "isopath", url_path=page.url_path
        )
        for page in PAGES
        if STAFF_COOKIE in st.context.cookies or page.url_path == asked
    }
    if asked and asked not in pages and "/" not in asked:
        other = sign_on_page if asked == SIGN_ON_PAGE else not_found_page
        pages[asked] = st.Page(other, title="isopath", url_path=asked)
    first = st.Page(_first_page(), title="isopath", url_path="", default=True)
    shown = st.navigation([first, *pages.values()], position="hidden")
    st.session_state[SHOWN] = shown.url_path
    if staff is not None and shown.url_path:
        show_menu(staff, [pages[page.url_path] for page in mine])
    shown.run()


def _asked() -> str:
    # Streamlit tells the address as it is only the first time; later it puts a page's title into it.
    if _ASKED not in st.session_state:
        st.session_state[_ASKED] = urlsplit(st.context.url or "").path.strip("/")
    return str(st.session_state[_ASKED])


def _first_page() -> Callable[[], None]:
    # An identity provider sends people back to the root, whatever page they came from.
    return sign_on_page if LINK_COOKIE not in st.context.cookies and is_vouched() else participant_page


main()
