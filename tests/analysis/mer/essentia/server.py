"""Essentia's server on 127.0.0.1: files from memory, with ranges, tags and ways to fail."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Server:
    """What it serves.

    Args:
        files: path to content.
        stops_after: bytes after which the next answer breaks off; once.
        asked: path and range of every request.
        sent: bytes of every answer.
    """

    files: dict[str, bytes]
    url: str = ""
    stops_after: int | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Server]:
    """Serve until the block ends."""
    server = Server(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            server.asked.append((self.path, wanted))
            if self.path not in server.files:
                self.send_error(404)
                return
            content = server.files[self.path]
            tag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
            is_same = self.headers.get("If-Range") == tag
            first = int(wanted[6:].partition("-")[0]) if wanted and is_same else 0
            if wanted and is_same and first >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if first else 200)
            self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(content) - first))
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            stop, server.stops_after = server.stops_after, None
            body = content[first:][:stop]
            server.sent.append(len(body))
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # The default looks for an end twice a second, at the cost of half a second a test.
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{listening.server_address[1]}/models"
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
