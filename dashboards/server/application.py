"""Streamlit's pages and our routes as one ASGI app, behind one guard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config, file_util

from dashboards.server import (
    entrance,
    export_routes,
    kiosk,
    participant_routes,
    playback_routes,
    sound_routes,
    staff_routes,
)
from dashboards.server.response_headers import inline_script_hashes, security_headers
from dashboards.server.security import Guard
from dashboards.server.serving import Served, begin_serving
from dashboards.server.staff_identity import staff_of_request

_OPTIONS = {
    "browser.gatherUsageStats": False,
    "client.disableDataExport": True,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "global.developmentMode": False,
    "logger.enableRich": False,
    "server.enableStaticServing": False,
    "server.fileWatcherType": "none",
    # A page that lost its socket asks for its session again; what it may hold is small.
    "server.disconnectedSessionTTL": 60,
    "server.maxUploadSize": 5,
    # Streamlit's own red has too little contrast on its pale ground.
    "theme.primaryColor": "#22594e",
}

_API = "/api/"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def build_app(served: Served) -> ASGIApp:
    """The app that serves one study."""
    begin_serving(served)
    for name, value in _OPTIONS.items():
        config.set_option(name, value)
    index = Path(file_util.get_static_dir()) / "index.html"
    routes = [
        *entrance.routes(served, index.read_text(encoding="utf-8")),
        *kiosk.routes(served),
        *participant_routes.routes(served),
        *playback_routes.routes(served),
        *sound_routes.routes(served),
        *staff_routes.routes(served),
        *export_routes.routes(served),
        # Below here Streamlit answers every path with its page.
        Route("/api/{path:path}", _unknown, methods=_METHODS),
    ]

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[None]:
        async with _beside(served):
            yield

    api = [route for route in routes if route.path.startswith(_API)]
    pages = [route for route in routes if route not in api]
    app = st.App(Path(__file__).parents[1] / "app.py", routes=pages, lifespan=lifespan)
    headers = security_headers(served.is_secure, inline_script_hashes(index))
    apart = _Apart(Starlette(routes=api), app)
    return Guard(apart, served, headers, lambda request: staff_of_request(request) is not None)


class _Apart:
    """What many listeners ask every few seconds does not go through what Streamlit's pages need."""

    def __init__(self, api: ASGIApp, pages: ASGIApp) -> None:
        self._api = api
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["type"] == "http" and scope["path"].startswith(_API)
        await (self._api if is_api else self._pages)(scope, receive, send)


async def _unknown(_: Request) -> Response:
    return JSONResponse({"code": "unknown"}, 404)


@asynccontextmanager
async def _beside(served: Served) -> AsyncIterator[None]:
    """What runs as long as the server does: the writer of players' logs, and the renderer."""
    if served.renderer is not None:
        await asyncio.to_thread(served.renderer.start)
    try:
        yield
    finally:
        if served.renderer is not None:
            await asyncio.to_thread(served.renderer.close)
        if served.playback is not None:
            await served.playback.close()
