"""A hub of our own on 127.0.0.1: the endpoints that the hub's library asks when it fetches a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from generation.musicgen.store.digests import git_blob_sha1_of, sha256_of


@dataclass
class Hub:
    """One repository at one commit, served from a folder.

    Args:
        served: paths that were asked for with GET.
        spoilt: files whose bytes are changed on the way.
    """

    folder: Path
    repository: str
    commit: str
    url: str = ""
    served: list[str] = field(default_factory=list)
    spoilt: set[str] = field(default_factory=set)

    def files(self) -> list[dict[str, Any]]:
        return [self._entry(file) for file in sorted(self.folder.iterdir()) if file.is_file()]

    def body(self, name: str) -> bytes:
        data = (self.folder / name).read_bytes()
        return data[:-1] + bytes([data[-1] ^ 1]) if name in self.spoilt else data

    def _entry(self, file: Path) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "name": file.name,
            "size": file.stat().st_size,
            "oid": git_blob_sha1_of(file),
        }
        if file.suffix == ".safetensors":
            entry["lfs"] = {
                "oid": sha256_of(file),
                "sha256": sha256_of(file),
                "size": entry["size"],
                "pointerSize": 134,
            }
        return entry


@contextmanager
def serving(folder: Path, repository: str, commit: str) -> Iterator[Hub]:
    """Serve a model folder as the hub does, until the block ends."""
    hub = Hub(folder, repository, commit)

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            hub.served.append(self.path)
            self._answer(with_body=True)

        def _answer(self, with_body: bool) -> None:
            path = self.path.partition("?")[0]
            if path == f"/api/models/{hub.repository}/revision/{hub.commit}":
                self._json(
                    {"id": hub.repository, "sha": hub.commit, "siblings": [_sibling(f) for f in hub.files()]}
                )
            elif path == f"/api/models/{hub.repository}/tree/{hub.commit}":
                self._json([{"type": "file", "path": f["name"], **f} for f in hub.files()])
            elif path.startswith(f"/{hub.repository}/resolve/{hub.commit}/"):
                self._file(path.rpartition("/")[2], with_body)
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RevisionNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def _json(self, value: object) -> None:
            data = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _file(self, name: str, with_body: bool) -> None:
            data = hub.body(name)
            first = int((self.headers.get("Range") or "bytes=0-")[6:].partition("-")[0])
            self.send_response(206 if first else 200)
            self.send_header("ETag", f'"{hashlib.sha256((hub.folder / name).read_bytes()).hexdigest()}"')
            self.send_header("X-Repo-Commit", hub.commit)
            self.send_header("Content-Length", str(len(data) - first))
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
            self.end_headers()
            if with_body:
                self.wfile.write(data[first:])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _sibling(entry: dict[str, Any]) -> dict[str, Any]:
    sibling = {"rfilename": entry["name"], "size": entry["size"], "blobId": entry["oid"]}
    return {**sibling, "lfs": entry["lfs"]} if "lfs" in entry else sibling
