"""Who a request or a page belongs to: the person whose link its cookie holds."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.responses import Response

from dashboards.server.serving import Served, current
from study.access.links import TOKEN_BYTES, participant_of

LINK_COOKIE = "isopath_link"
LANGUAGE_COOKIE = "isopath_language"
KIOSK_COOKIE = "isopath_kiosk"

_LONGEST_LANGUAGE = 35
_HEX_DIGITS = frozenset("0123456789abcdef")


def participant_id_of(request: HTTPConnection) -> str | None:
    """Whose link the request carries; None without one that opens.

    It may read the record: call it in a worker thread, not on the event loop.
    """
    return participant_id_of_cookies(request.cookies)


def participant_id_of_cookies(cookies: Mapping[str, str]) -> str | None:
    """The same for a page: give it `st.context.cookies`."""
    return participant_id_of_token(current(), cookies.get(LINK_COOKIE))


def participant_id_of_token(served: Served, token: str | None) -> str | None:
    """Whose link this token is; None for whatever is not the form of a token, without a look-up."""
    if token is None or len(token) != 2 * TOKEN_BYTES or not _HEX_DIGITS.issuperset(token):
        return None
    return participant_of(served.study, token)


def first_language(request: HTTPConnection) -> str | None:
    """The language a browser wishes for most; None where it does not say."""
    wished = request.headers.get("accept-language", "").split(",", maxsplit=1)[0]
    return wished.split(";", maxsplit=1)[0].strip()[:_LONGEST_LANGUAGE] or None


def set_cookie(
    response: Response, name: str, value: str, is_secure: bool, lasts_s: int | None = None
) -> None:
    """A cookie that no script reads and no other site sends; without `lasts_s` it ends with the browser."""
    response.set_cookie(
        name, value, max_age=lasts_s, httponly=True, samesite="lax", secure=is_secure, path="/"
    )


def clear_person(response: Response) -> None:
    """Take the person's own cookies from the browser."""
    for name in (LINK_COOKIE, LANGUAGE_COOKIE):
        response.delete_cookie(name, path="/", httponly=True, samesite="lax")


def is_shared(served: Served, cookies: Mapping[str, str]) -> bool:
    """Whether the browser is a tablet that people share."""
    return served.is_kiosk or KIOSK_COOKIE in cookies
