"""The peer of the load benchmark: a plain route that writes one row and commits, a request at a time.

This is how an experiment server usually saves a step: Starlette, SQLite with
`synchronous = FULL`, one transaction a request, no chain, no checks.

    python tests/benchmarks/load_peer.py FILE PORT
"""

from __future__ import annotations

import sqlite3
import sys
import threading

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route


def main() -> None:
    """Serve until ended."""
    connection = sqlite3.connect(sys.argv[1], check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS step (body BLOB)")
    lock = threading.Lock()

    def save(body: bytes) -> None:
        with lock:
            connection.execute("INSERT INTO step VALUES (?)", (body,))

    async def playback(request: Request) -> Response:
        await run_in_threadpool(save, await request.body())
        return JSONResponse({"acknowledged": 0})

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok")

    routes = [Route("/api/me/playback", playback, methods=["POST"]), Route("/_stcore/health", health)]
    uvicorn.run(
        Starlette(routes=routes),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        access_log=False,
        timeout_keep_alive=30,
    )


if __name__ == "__main__":
    main()
