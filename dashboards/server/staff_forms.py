"""The forms of the staff pages: who a form was given to, and where it may lead."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from urllib.parse import parse_qs

from starlette.requests import Request

FORM_COOKIE = "isopath_form"
HOME = "/overview"
"""Where staff are led who did not ask for a page."""

_LONGEST_BODY = 8 * 1024
#: One of our own pages: never another host (``//host``, ``/\\host``), never a route that does something.
_PAGE = re.compile(r"/[a-z0-9_-]+(\?[A-Za-z0-9_=&%.-]*)?", re.ASCII)


class TooLong(Exception):
    """The body is longer than any form of ours."""


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a posted form, the first of each name.

    Raises:
        TooLong: it is none of ours.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_BODY:
            raise TooLong
    found = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=16)
    return {name: values[0] for name, values in found.items()}


def page_after(wanted: str) -> str:
    """Where to go after logging in: the page that was asked for if it is one of ours, else home."""
    return wanted if _PAGE.fullmatch(wanted) else HOME


def form_cookie_of(request: Request) -> str:
    """What ties a form to the browser it was given to; new where the browser has nothing yet."""
    given = request.cookies.get(FORM_COOKIE, "")
    return given if re.fullmatch(r"[A-Za-z0-9_-]{43}", given) else secrets.token_urlsafe(32)


def sign(key: bytes, purpose: str, holder: str) -> str:
    """What a form carries, so that no other site can post it in somebody's name.

    Args:
        key: the study's.
        purpose: which form.
        holder: the cookie of whoever it was given to.
    """
    return hmac.new(key, f"{purpose}\0{holder}".encode(), hashlib.sha256).hexdigest()


def is_signed(key: bytes, purpose: str, holder: str, given: str) -> bool:
    """Whether a form was given to this holder, by us."""
    return bool(holder) and hmac.compare_digest(sign(key, purpose, holder).encode(), given.encode())
