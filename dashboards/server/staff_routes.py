"""Logging in and out, and what else staff are given by HTTP."""

from __future__ import annotations

import math
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboards.server.serving import Served
from dashboards.server.single_sign_on import PAGE as SIGN_ON_PAGE
from dashboards.server.single_sign_on import forget_provider, is_offered, use_secrets_of
from dashboards.server.staff_forms import (
    FORM_COOKIE,
    TooLong,
    fields_of,
    form_cookie_of,
    is_signed,
    page_after,
    sign,
)
from dashboards.server.staff_identity import (
    STAFF_COOKIE,
    clear_staff_cookie,
    set_staff_cookie,
    staff_of_request,
)
from dashboards.server.staff_sound import staff_sound
from study.access.accounts import Accounts, LogIn

_TEMPLATES = Path(__file__).with_name("templates")
_LOG_IN = "log in"
_LOG_OUT = "log out"
_ADOPT = "adopt"
_WRONG = "That name and password do not go together. Please try again."
_TOO_OLD = "This page had been open for too long. Please try again."


def routes(served: Served) -> list[Route]:
    """The routes, for `build_app`."""
    if served.accounts is None:
        return []
    use_secrets_of(served.study)
    pages = _StaffPages(served, served.accounts)
    return [
        Route("/staff/log-in", pages.log_in_page, methods=["GET"]),
        Route("/staff/log-in", pages.log_in, methods=["POST"]),
        Route("/staff/log-out", pages.log_out_page, methods=["GET"]),
        Route("/staff/log-out", pages.log_out, methods=["POST"]),
        Route("/staff/adopt", pages.adopt_page, methods=["GET"]),
        Route("/staff/adopt", pages.adopt, methods=["POST"]),
        Route("/staff/staff.css", pages.style, methods=["GET"]),
        staff_sound(served),
    ]


class _StaffPages:
    def __init__(self, served: Served, accounts: Accounts) -> None:
        self._served = served
        self._accounts = accounts
        self._key = accounts.signing_key()
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined
        )
        self._style = (_TEMPLATES / "staff.css").read_text()

    async def style(self, _: Request) -> Response:
        return Response(self._style, media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})

    async def log_in_page(self, request: Request) -> Response:
        next_page = page_after(request.query_params.get("next", ""))
        if await run_in_threadpool(staff_of_request, request) is not None:
            return RedirectResponse(next_page, 303)
        return self._form(request, next_page)

    async def log_in(self, request: Request) -> Response:
        try:
            fields = await fields_of(request)
        except (TooLong, ValueError):
            return self._form(request, page_after(""), said=_TOO_OLD, status=413)
        next_page, staff_id = page_after(fields.get("next", "")), fields.get("staff_id", "")
        if not self._is_ours(request.cookies.get(FORM_COOKIE, ""), _LOG_IN, fields):
            return self._form(request, next_page, said=_TOO_OLD, status=403)
        came = await run_in_threadpool(
            self._accounts.log_in,
            staff_id,
            fields.get("password", ""),
            address_of(request),
            self._served.study.record.clock(),
        )
        if came.token is None:
            return self._refusal(request, next_page, staff_id, came)
        return await self._enter(request, came.token, next_page)

    async def adopt_page(self, request: Request) -> Response:
        """Where somebody comes with a one-time code; nothing happens until they post it."""
        holder = form_cookie_of(request)
        form = sign(self._key, _ADOPT, holder)
        response = self._page("adopt.html", form=form, code=request.query_params.get("code", "")[:128])
        return self._holding(response, holder)

    async def adopt(self, request: Request) -> Response:
        """Begin a session with a one-time code."""
        try:
            fields = await fields_of(request)
        except (TooLong, ValueError):
            fields = {}
        token = None
        if self._is_ours(request.cookies.get(FORM_COOKIE, ""), _ADOPT, fields):
            now, address = self._served.study.record.clock(), address_of(request)
            token = await run_in_threadpool(self._accounts.redeem_code, fields.get("code", ""), address, now)
        if token is None:
            return self._form(request, page_after(""), said=_TOO_OLD, status=403)
        response = await self._enter(request, token, page_after(""))
        forget_provider(request, response)
        return response

    async def log_out_page(self, request: Request) -> Response:
        staff = await run_in_threadpool(staff_of_request, request)
        if staff is None:
            return self._page("log_out.html", form=None, staff_id="")
        form = sign(self._key, _LOG_OUT, request.cookies.get(STAFF_COOKIE, ""))
        return self._page("log_out.html", form=form, staff_id=staff.staff_id)

    async def log_out(self, request: Request) -> Response:
        token = request.cookies.get(STAFF_COOKIE, "")
        try:
            fields = await fields_of(request)
        except (TooLong, ValueError):
            fields = {}
        if not self._is_ours(token, _LOG_OUT, fields):
            return RedirectResponse("/staff/log-out", 303)
        await run_in_threadpool(self._accounts.end_session, token)
        response = self._page("log_out.html", form=None, staff_id="")
        clear_staff_cookie(response)
        forget_provider(request, response)
        return response

    async def _enter(self, request: Request, token: str, next_page: str) -> Response:
        # Whatever session the browser came with ends: nobody else goes on in it.
        before = request.cookies.get(STAFF_COOKIE, "")
        if before:
            await run_in_threadpool(self._accounts.end_session, before)
        response = RedirectResponse(next_page, 303)
        response.headers["Cache-Control"] = "no-store"
        set_staff_cookie(response, token, self._served)
        response.delete_cookie(FORM_COOKIE, path="/staff", httponly=True, samesite="strict")
        return response

    def _refusal(self, request: Request, next_page: str, staff_id: str, came: LogIn) -> Response:
        if came.wait_s <= 0:
            return self._form(request, next_page, staff_id, _WRONG, status=401)
        said = f"Too many attempts. Please wait {_in_words(came.wait_s)} and try again."
        response = self._form(request, next_page, staff_id, said, status=429)
        response.headers["Retry-After"] = str(math.ceil(came.wait_s))
        return response

    def _form(
        self, request: Request, next_page: str, staff_id: str = "", said: str = "", status: int = 200
    ) -> Response:
        holder = form_cookie_of(request)
        response = self._page(
            "log_in.html",
            status,
            form=sign(self._key, _LOG_IN, holder),
            next=next_page,
            staff_id=staff_id[:64],
            said=said,
            single_sign_on=SIGN_ON_PAGE if is_offered(self._served.study) else "",
        )
        return self._holding(response, holder)

    def _holding(self, response: Response, holder: str) -> Response:
        response.set_cookie(
            FORM_COOKIE,
            holder,
            httponly=True,
            samesite="strict",
            secure=self._served.is_secure,
            path="/staff",
        )
        return response

    def _page(self, template: str, status: int = 200, **values: str | None) -> Response:
        # A stranger may stand here: the full title may tell what is compared.
        title = self._served.study.protocol.study_id
        html = self._templates.get_template(template).render(study_title=title, **values)
        return HTMLResponse(html, status, {"Cache-Control": "no-store"})

    def _is_ours(self, holder: str, purpose: str, fields: dict[str, str]) -> bool:
        return is_signed(self._key, purpose, holder, fields.get("form", ""))


def address_of(request: Request) -> str:
    """Where a request comes from, as far as the server can tell."""
    return request.client.host if request.client is not None else "unknown"


def _in_words(wait_s: float) -> str:
    if wait_s <= 90:
        return f"{math.ceil(wait_s)} seconds"
    return f"{math.ceil(wait_s / 60)} minutes"
