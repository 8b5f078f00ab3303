"""A tablet that people share: nothing of one person is left for the next."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from dashboards.participant.step_view import language_of
from dashboards.server.identity import (
    KIOSK_COOKIE,
    LINK_COOKIE,
    clear_person,
    first_language,
    participant_id_of,
    participant_id_of_token,
    set_cookie,
)
from dashboards.server.replies import NotJson, invalid, json_object, reply
from dashboards.server.security import FAILED
from dashboards.server.serving import Served
from dashboards.texts.catalogue import direction, words
from study.step import Finished

_TEMPLATES = Path(__file__).with_name("templates")
_TOKEN = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_LONGEST_CODE = 400
_YEAR_S = 365 * 86_400

CLEAR = {"Clear-Site-Data": '"cache", "storage"'}
"""Browsers obey it over TLS and on this machine; elsewhere the pages' own script clears what it can."""


def routes(served: Served) -> list[Route]:
    """The routes, for `build_app`."""
    kiosk = _Kiosk(served)
    return [
        Route("/kiosk", kiosk.page, methods=["GET"]),
        Route("/kiosk/begin", kiosk.begin, methods=["POST"]),
        Route("/kiosk/state", kiosk.state, methods=["GET"]),
        Route("/kiosk/page.css", _file("kiosk.css", "text/css"), methods=["GET"]),
        Route("/kiosk/page.js", _file("kiosk_page.js", "text/javascript"), methods=["GET"]),
        Route("/kiosk/watch.js", _file("kiosk_watch.js", "text/javascript"), methods=["GET"]),
    ]


def token_in(code: str) -> str | None:
    """The token in what was typed or scanned: a whole link, or its last part, in groups or not."""
    link = code.strip().lower()
    for form in (link, re.sub(r"[\s-]", "", link)):
        found = _TOKEN.findall(form)
        if len(found) == 1:
            return str(found[0])
    return None


class _Kiosk:
    def __init__(self, served: Served) -> None:
        self._served = served
        templates = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined
        )
        self._page = templates.get_template("kiosk.html")

    async def page(self, request: Request) -> Response:
        """The start page; opening it makes this browser one that people share, and clears it."""
        if request.headers.get("sec-fetch-mode", "navigate") != "navigate":
            # Another site's picture of this address must not log anybody out.
            return PlainTextResponse("Not found", 404)
        study = self._served.study
        language = language_of(study.protocol, (), [first_language(request)])
        response = HTMLResponse(
            self._page.render(
                language=language,
                direction=direction(language),
                study_title=study.protocol.public_title_in(language),
                words=words(language, ("kiosk",), study.folder.root / "texts"),
            ),
            headers=CLEAR,
        )
        clear_person(response)
        set_cookie(response, KIOSK_COOKIE, "1", self._served.is_secure, lasts_s=_YEAR_S)
        return response

    async def begin(self, request: Request) -> Response:
        """Open a person's pages on this tablet, by their link or its code."""
        try:
            body = await json_object(request)
        except NotJson:
            return invalid("the body is not a JSON object")
        code = body.get("code")
        if set(body) != {"code"} or not isinstance(code, str) or len(code) > _LONGEST_CODE:
            return invalid("send code")
        token = token_in(code)
        if token is None or await run_in_threadpool(participant_id_of_token, self._served, token) is None:
            request.scope[FAILED] = True
            return reply(404, {"code": "link"})
        response = reply(200, {"to": "/"})
        set_cookie(response, LINK_COOKIE, token, self._served.is_secure)
        return response

    async def state(self, request: Request) -> Response:
        """Whether somebody's pages are open here, and whether they have come to their end."""
        return reply(200, {"state": await run_in_threadpool(self._state, request)})

    def _state(self, request: Request) -> str:
        participant_id = participant_id_of(request)
        if participant_id is None:
            return "nobody"
        step = self._served.study.due(participant_id)
        return "finished" if isinstance(step, Finished) else "under_way"


def _file(name: str, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    content = (_TEMPLATES / name).read_text(encoding="utf-8")

    async def give(_: Request) -> Response:
        return Response(content, media_type=media_type)

    return give
