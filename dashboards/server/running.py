"""uvicorn around the app: patient with people, not with those who only hold a connection."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
from types import FrameType
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from dashboards.server.doors import Doors
from dashboards.server.server_log import log_discreetly

HEAD_WITHIN_S = 20.0
"""A request's head must be there whole by then: a connection is not to be had for ever."""

_ENDS_WITHIN_S = 2
_MESSAGE_BYTES = 2 * 1024 * 1024
_OPEN_FILES = 65_536


class PromptProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection on which no whole request comes."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a request, from its first byte."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            if self._deadline is None:
                self._expect()
        elif self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        super().connection_lost(exc)
        if self._deadline is not None:
            self._deadline.cancel()

    def _expect(self) -> None:
        self._deadline = self.loop.call_later(HEAD_WITHIN_S, self._give_up)

    def _give_up(self) -> None:
        self._deadline = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


def run(app: ASGIApp, doors: Doors, listening: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished, for 2 s at most."""
    _allow_open_files()
    settings: dict[str, Any] = {}
    if doors.certificate is not None and doors.key is not None:
        settings |= {"ssl_certfile": str(doors.certificate), "ssl_keyfile": str(doors.key)}
    if doors.proxies:
        settings |= {"forwarded_allow_ips": list(doors.proxies)}
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=PromptProtocol,
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=bool(doors.proxies),
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_ENDS_WITHIN_S,
            ws_max_size=_MESSAGE_BYTES,
            lifespan="on",
            **settings,
        )
    )
    log_discreetly()
    for ending in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises the signal once more when it is done; it was obeyed by then.
        signal.signal(ending, _obeyed)
    server.run(sockets=[listening])


def _obeyed(_: int, __: FrameType | None) -> None:
    return None


def _allow_open_files() -> None:
    """Everybody who listens holds a connection or two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
