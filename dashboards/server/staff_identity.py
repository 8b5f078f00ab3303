"""Which member of staff a request or a page belongs to: whoever holds the session its cookie names."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.responses import Response

from dashboards.server.serving import Served, current
from study.access.accounts import Staff
from study.access.roles import Permission, may
from study.freeze import is_unblinded

STAFF_COOKIE = "isopath_staff"

_LONGEST_TOKEN = 128


def staff_of_request(request: HTTPConnection) -> Staff | None:
    """Who asks; None for somebody who is not logged in.

    It reads the record: call it in a worker thread, not on the event loop.
    """
    return staff_of_cookies(request.cookies)


def staff_of_cookies(cookies: Mapping[str, str], is_use: bool = True) -> Staff | None:
    """The same for a page: give it `st.context.cookies`.

    Args:
        is_use: False for what a page does by itself, so that a page left open does not keep a session alive.
    """
    served, token = current(), cookies.get(STAFF_COOKIE, "")
    if served.accounts is None or not 0 < len(token) <= _LONGEST_TOKEN:
        return None
    return served.accounts.staff_of_session(token, served.study.record.clock(), is_use)


def is_allowed(staff: Staff, permission: Permission) -> bool:
    """Whether somebody may do this now."""
    return may(staff.role, permission, is_unblinded(current().study.record))


def set_staff_cookie(response: Response, token: str, served: Served) -> None:
    """Hold a session: no script reads it, no other site's link or form sends it, it ends with the browser."""
    response.set_cookie(
        STAFF_COOKIE, token, httponly=True, samesite="strict", secure=served.is_secure, path="/"
    )


def clear_staff_cookie(response: Response) -> None:
    """Let go of a session."""
    response.delete_cookie(STAFF_COOKIE, path="/", httponly=True, samesite="strict")
