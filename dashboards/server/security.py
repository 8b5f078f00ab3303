"""What stands between the network and every route: checked first, for HTTP and for the websocket."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.server.identity import LINK_COOKIE, is_shared
from dashboards.server.rate_limit import Buckets, Rate
from dashboards.server.request_checks import (
    SAFE_METHODS,
    comes_from_elsewhere,
    is_host,
    is_json,
    is_plain_path,
    is_same_origin,
)
from dashboards.server.serving import Served
from study.access.links import token_sha256

BODY_BYTES = 64 * 1024
BODY_WITHIN_S = 15.0

FAILED = "isopath.failed"
"""A route sets it in the scope where it answers a guess kindly, so that the guess counts as one."""

# A player posts every 5 s; after a time offline it has much to tell at once.
_PER_LINK = Rate(burst=60, per_s=10)
# People behind one clinic's address share it, so that only what failed counts.
_FAILURES = Rate(burst=300, per_s=5)
_STRANGERS = Rate(burst=60, per_s=5)
_KNOWN_LINKS = 20_000

_HEALTH = "/_stcore/health"
# Streamlit's own, of no use here: nobody is told what runs, and no program drives the pages.
_CLOSED = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check", "/component")
# Files of staff's pages: what they upload, and what they are offered.
_STAFF_ALONE = ("/_stcore/upload_file", "/media")
_UPLOAD = "/_stcore/upload_file"
_COUNTED_FAILURES = frozenset({400, 401, 403, 404, 413, 415})


class Guard:
    """Middleware around everything.

    Args:
        headers: of every response, see `security_headers`.
        has_staff: whether a request's cookie is a living session of staff; it may read the record.
    """

    def __init__(
        self,
        app: ASGIApp,
        served: Served,
        headers: list[tuple[bytes, bytes]],
        has_staff: Callable[[HTTPConnection], bool],
    ) -> None:
        self._app = app
        self._served = served
        self._headers = headers
        self._has_staff = has_staff
        self._by_link = Buckets(_PER_LINK)
        self._failures = Buckets(_FAILURES)
        self._strangers = Buckets(_STRANGERS)
        self._known: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request or one websocket."""
        if scope["type"] == "http":
            link = _link_of(scope) if _is_limited(scope["path"]) else None
            await self._http(scope, receive, self._sender(scope, send, link), link)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send, link: str | None) -> None:
        headers, path = Headers(scope=scope), scope["path"]
        refusal = self._refusal(scope, headers) or self._too_many(scope, link)
        if refusal is None and _is_below(path, _STAFF_ALONE):
            is_staff = await run_in_threadpool(self._has_staff, HTTPConnection(scope))
            refusal = None if is_staff else PlainTextResponse("Not found", 404)
        body = b""
        if refusal is None and scope["method"] not in SAFE_METHODS and not _is_below(path, (_UPLOAD,)):
            read = await _read(headers, receive)
            body, refusal = (
                read if isinstance(read, bytes) else b"",
                None if isinstance(read, bytes) else read,
            )
            receive = _replaying(body, receive)
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await refusal(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        path, method = scope["path"], scope["method"]
        # Two lengths: a proxy in front might believe the other one, and see another request.
        if not is_plain_path(path) or {"content-length", "transfer-encoding"} <= set(headers):
            return PlainTextResponse("Bad request", 400, {"Connection": "close"})
        if path == _HEALTH and method in SAFE_METHODS:
            return None
        if not is_host(headers, self._served.hosts):
            return PlainTextResponse("This server is not called that; see isopath serve --name", 421)
        if self._served.proxies and scope["scheme"] != "https":
            return PlainTextResponse("This server answers its proxy alone, and by https", 403)
        if _is_below(path, _CLOSED):
            return PlainTextResponse("Not found", 404)
        is_ours = _is_below(path, ("/api", "/staff", "/kiosk"))
        if method in SAFE_METHODS:
            return _foreign() if path.startswith("/api/") and comes_from_elsewhere(headers) else None
        if not is_same_origin(scope, headers):
            return _foreign()
        if is_ours and not _is_below(path, ("/staff",)) and not is_json(headers):
            return JSONResponse({"code": "content_type"}, 415)
        return None

    def _too_many(self, scope: Scope, link: str | None) -> Response | None:
        if not _is_limited(scope["path"]):
            return None
        wait_s = self._by_link.take(link) if link is not None else 0.0
        if link is None or link not in self._known:
            wait_s = max(wait_s, self._failures.wait_s(_address(scope)))
        if wait_s == 0.0:
            return None
        return JSONResponse({"code": "too_many"}, 429, {"Retry-After": str(math.ceil(wait_s))})

    def _sender(self, scope: Scope, send: Send, link: str | None) -> Send:
        path = scope["path"]

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, message["status"], link)
                headers = MutableHeaders(scope=message)
                if _is_below(path, ("/staff",)):
                    # Under no-referrer a form's own origin would be sent as null.
                    headers["referrer-policy"] = "same-origin"
                headers.raw.extend(pair for pair in self._headers if pair[0].decode() not in headers)
                is_page = headers.get("content-type", "").startswith("text/html")
                is_own = path.startswith("/api/") and is_shared(self._served, HTTPConnection(scope).cookies)
                is_free = "cache-control" not in headers and not path.startswith("/static/")
                if is_page or is_own or is_free:
                    # What a browser keeps, the next person in front of it may find.
                    headers["cache-control"] = "no-store"
                if self._served.is_secure:
                    _secure_cookies(headers)
            await send(message)

        return guarded

    def _count(self, scope: Scope, status: int, link: str | None) -> None:
        path = scope["path"]
        if not _is_limited(path):
            return
        is_unknown = link not in self._known or status == 401
        if scope.get(FAILED) or (is_unknown and status in _COUNTED_FAILURES):
            self._failures.charge(_address(scope))
            if link is not None and status == 401:
                self._known.pop(link, None)
        elif link is not None and path.startswith("/api/me/") and status == 200:
            self._known[link] = None
            self._known.move_to_end(link)
            if len(self._known) > _KNOWN_LINKS:
                self._known.popitem(last=False)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        is_fit = (
            is_plain_path(scope["path"])
            and is_host(headers, self._served.hosts)
            and (not self._served.proxies or scope["scheme"] == "wss")
            # Every browser names the page's origin here; what names none is no browser.
            and ("origin" not in headers or is_same_origin(scope, headers))
            and ("cookie" in headers or self._strangers.take(_address(scope)) == 0.0)
        )
        if is_fit:
            await self._app(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": ""})


def _foreign() -> Response:
    return JSONResponse({"code": "origin"}, 403)


def _is_below(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _is_limited(path: str) -> bool:
    return path.startswith(("/api/", "/go/")) or path == "/kiosk/begin"


def _link_of(scope: Scope) -> str | None:
    """The hash of the link that a request carries, whether it opens or not."""
    token = HTTPConnection(scope).cookies.get(LINK_COOKIE)
    return None if token is None else token_sha256(token)


async def _read(headers: Headers, receive: Receive) -> bytes | Response:
    """The whole body, or why it is not taken."""
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > BODY_BYTES:
        return JSONResponse({"code": "too_large", "most_bytes": BODY_BYTES}, 413, {"Connection": "close"})
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return JSONResponse({"code": "cut_off"}, 400)
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > BODY_BYTES:
                    return JSONResponse(
                        {"code": "too_large", "most_bytes": BODY_BYTES}, 413, {"Connection": "close"}
                    )
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        return JSONResponse({"code": "too_slow"}, 408, {"Connection": "close"})


def _replaying(body: bytes, receive: Receive) -> Receive:
    is_told = False

    async def again() -> Message:
        nonlocal is_told
        if is_told:
            return await receive()
        is_told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _secure_cookies(headers: MutableHeaders) -> None:
    for place, (name, value) in enumerate(headers.raw):
        if name == b"set-cookie" and b"secure" not in value.lower().replace(b" ", b"").split(b";"):
            headers.raw[place] = (name, value + b"; Secure")
