"""Streamlit's pages and our routes as one ASGI app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from streamlit import config

from dashboards.server import export_routes, participant_routes, playback_routes, sound_routes, staff_routes
from dashboards.server.identity import LINK_COOKIE, clear_person, participant_id_of_token, set_cookie
from dashboards.server.serving import Served, begin_serving

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
    joined = [
        Route("/go/{token}", _opening(served)),
        *participant_routes.routes(served),
        *playback_routes.routes(served),
        *sound_routes.routes(served),
        *staff_routes.routes(served),
        *export_routes.routes(served),
    ]
    return st.App(Path(__file__).parents[1] / "app.py", routes=joined)


def _opening(served: Served) -> Callable[[Request], Awaitable[Response]]:
    async def go(request: Request) -> Response:
        token = request.path_params["token"]
        response = RedirectResponse("/", 303)
        if await run_in_threadpool(participant_id_of_token, served, token) is None:
            clear_person(response)
        else:
            set_cookie(response, LINK_COOKIE, token, served.is_secure)
        return response

    return go
