"""One file on its way out: whole, in part, or not at all where the asker has it already."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dashboards.server.byte_ranges import Selection, select
from study.errors import StorageError

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class OpenedFile:
    """A file about to be sent.

    Args:
        sha256: of its bytes, which is its ETag.
    """

    file: BinaryIO
    size: int
    sha256: str
    media_type: str


def open_file(path: Path, sha256: str, media_type: str | None) -> OpenedFile:
    """Open a file to send, in a worker thread.

    Args:
        media_type: None to tell it by its name.

    Raises:
        StorageError: it cannot be read.
    """
    kind = media_type or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    try:
        file = path.open("rb")
    except OSError as problem:
        what = f"cannot be read ({problem.strerror})"
        raise StorageError(str(path), what, "put the file back as it was") from problem
    return OpenedFile(file, os.fstat(file.fileno()).st_size, sha256, kind)


async def send_file(request: Request, opened: OpenedFile) -> Response:
    """The file, or the part of it that was asked for; it is closed when it is sent."""
    etag = f'"{opened.sha256}"'
    selection = select(request.method, request.headers, opened.size, etag)
    headers = _headers(selection, opened.size, etag)
    if request.method == "HEAD" or selection.end == selection.start:
        await run_in_threadpool(opened.file.close)
        return Response(status_code=selection.status, headers=headers, media_type=opened.media_type)
    body = _chunks(opened.file, selection)
    return StreamingResponse(body, selection.status, headers, media_type=opened.media_type)


def _headers(selection: Selection, size: int, etag: str) -> dict[str, str]:
    headers = {
        "etag": etag,
        "accept-ranges": "bytes",
        # The address is the same for everybody: a kept copy is used only once the server says it is theirs.
        "cache-control": "private, no-cache",
        "vary": "Cookie",
        "x-content-type-options": "nosniff",
        "content-disposition": "inline",
    }
    if selection.status == 206:
        headers["content-range"] = f"bytes {selection.start}-{selection.end - 1}/{size}"
    if selection.status == 416:
        headers["content-range"] = f"bytes */{size}"
    if selection.status in (200, 206):
        headers["content-length"] = str(selection.end - selection.start)
    return headers


async def _chunks(file: BinaryIO, selection: Selection) -> AsyncIterator[bytes]:
    try:
        left = selection.end - selection.start
        await run_in_threadpool(file.seek, selection.start)
        while left and (chunk := await run_in_threadpool(file.read, min(left, CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk
    finally:
        file.close()
