"""Streamlit's pages and our routes as one ASGI app."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from streamlit import config

from dashboards.server.serving import Served, begin_serving
from study.access.links import participant_of

LINK_COOKIE = "isopath_link"

_OPTIONS = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "global.developmentMode": False,
    "server.fileWatcherType": "none",
}


def build_app(served: Served) -> st.App:
    """The app that serves one study."""
    begin_serving(served)
    for name, value in _OPTIONS.items():
        config.set_option(name, value)

    async def go(request: Request) -> Response:
        token = request.path_params["token"]
        response = RedirectResponse("/", 303)
        if participant_of(served.study, token) is not None:
            response.set_cookie(
                LINK_COOKIE, token, httponly=True, samesite="lax", secure=served.is_secure, path="/"
            )
        return response

    return st.App(Path(__file__).parents[1] / "app.py", routes=[Route("/go/{token}", go)])
