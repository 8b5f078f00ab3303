"""How people come in: by a personal link, or at the front page."""

from __future__ import annotations

import re
from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboards.participant.step_view import language_of
from dashboards.server.identity import (
    LANGUAGE_COOKIE,
    LINK_COOKIE,
    clear_person,
    first_language,
    is_shared,
    participant_id_of,
    participant_id_of_token,
    set_cookie,
)
from dashboards.server.security import FAILED
from dashboards.server.serving import Served
from dashboards.server.staff_identity import STAFF_COOKIE

WATCH = '<script src="/kiosk/watch.js" defer></script>'

_NO_SCRIPT = "<noscript><p>This page needs JavaScript.</p></noscript>"


def routes(served: Served, index: str) -> list[Route]:
    """The routes, for `build_app`.

    Args:
        index: Streamlit's own page.
    """
    entrance = _Entrance(served, plain_page(index))
    return [
        Route("/", entrance.front, methods=["GET"]),
        Route("/go/{token}", entrance.go, methods=["GET"]),
    ]


def plain_page(index: str) -> str:
    """Streamlit's page without its invitation to programs: this study's pages are for people."""
    index = re.sub(r"<!--.*?-->", "", index, flags=re.DOTALL).lstrip()
    index = re.sub(r'\s*<link rel="service-desc"[^>]*>', "", index)
    return re.sub(r"<noscript>.*?</noscript>", _NO_SCRIPT, index, flags=re.DOTALL)


class _Entrance:
    def __init__(self, served: Served, page: str) -> None:
        self._served = served
        self._page = page

    async def front(self, request: Request) -> Response:
        """The page; on a tablet that people share, the start page where nobody's link is open."""
        page = self._page
        if is_shared(self._served, request.cookies):
            is_nobody = await run_in_threadpool(participant_id_of, request) is None
            if is_nobody and STAFF_COOKIE not in request.cookies:
                return RedirectResponse("/kiosk", 303)
            page = page.replace("</head>", f"{WATCH}</head>")
        wishes = [request.cookies.get(LANGUAGE_COOKIE), first_language(request)]
        language = language_of(self._served.study.protocol, (), wishes)
        return HTMLResponse(page.replace('<html lang="en">', f'<html lang="{escape(language)}">'))

    async def go(self, request: Request) -> Response:
        """Keep the link as a cookie, so that its token leaves the address bar at once."""
        token = request.path_params["token"]
        response = RedirectResponse("/", 303)
        if await run_in_threadpool(participant_id_of_token, self._served, token) is None:
            request.scope[FAILED] = True
            clear_person(response)
        else:
            set_cookie(response, LINK_COOKIE, token, self._served.is_secure)
        return response
