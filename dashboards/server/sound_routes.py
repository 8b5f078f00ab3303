"""What a person may hear and see now, by HTTP: their session, the sound check, an instrument's pictures.

Nothing of a request ever becomes part of a path: it is compared with what is due
for the person whose cookie it carries, and the file follows from the record.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from dashboards.server.byte_ranges import Selection, select
from dashboards.server.identity import participant_id_of
from dashboards.server.replies import no_link, refused, reply
from dashboards.server.serving import Served
from generation.session_folder import SOUND
from study.errors import IsopathError, StorageError
from study.events import History, SessionRendered
from study.founding import Study
from study.step import AnswerSupport, GiveReport, Listen
from study.steps import next_step

CHUNK_BYTES = 256 * 1024
AUDIO = "audio/flac"


class _NotDue(Exception):
    """It is not this person's, or not now; they are not told which."""


def routes(served: Served) -> list[Route]:
    """The routes, for `build_app`."""

    async def sound(request: Request) -> Response:
        def found(participant_id: str) -> tuple[Path, str]:
            return _due_sound(served.study, participant_id, request.path_params["session_id"])

        return await _file_response(request, found, AUDIO)

    async def picture(request: Request) -> Response:
        asked = request.path_params

        def found(participant_id: str) -> tuple[Path, str]:
            path = _due_picture(
                served.study, participant_id, asked["instrument"], asked["item"], asked["point"]
            )
            return path, hashlib.sha256(path.read_bytes()).hexdigest()

        return await _file_response(request, found, None)

    return [
        Route("/api/me/sound/{session_id}", sound),
        Route("/api/me/picture/{instrument}/{item}/{point:int}", picture),
    ]


def _due_sound(study: Study, participant_id: str, session_id: str) -> tuple[Path, str]:
    """A session's file and the SHA-256 that the record holds of it."""
    history = study.record.participant(participant_id)
    step = next_step(study.protocol, history)
    if not isinstance(step, (Listen, AnswerSupport)) or step.session_id != session_id:
        raise _NotDue
    sound = rendered_sound(study, participant_id, history, step.session_id)
    if sound is None:
        raise _NotDue
    return sound


def rendered_sound(
    study: Study, participant_id: str, history: History, session_id: str
) -> tuple[Path, str] | None:
    """A session's file and its SHA-256, both from the record; None where nothing was rendered."""
    rendered = [
        r.event for r in history if r.session_id == session_id and isinstance(r.event, SessionRendered)
    ]
    if not rendered:
        return None
    return study.folder.sessions / participant_id / session_id / SOUND, rendered[-1].audio_sha256


def _due_picture(study: Study, participant_id: str, instrument_id: str, item: str, point: int) -> Path:
    """One of the pictures of the instrument that is due."""
    step = next_step(study.protocol, study.record.participant(participant_id))
    if not isinstance(step, GiveReport) or step.instrument_id != instrument_id:
        raise _NotDue
    pictures = study.protocol.instrument(instrument_id).pictures.get(item, ())
    if not 1 <= point <= len(pictures):
        raise _NotDue
    return study.frozen_picture(instrument_id, item, point)


async def _file_response(
    request: Request, found: Callable[[str], tuple[Path, str]], media_type: str | None
) -> Response:
    """The file that is due for whoever asks.

    Args:
        found: gives the file of a participant and its SHA-256, in a worker thread; it may refuse.
        media_type: of the file; None to tell it by its name.
    """

    def opened() -> OpenedFile | None:
        participant_id = participant_id_of(request)
        return None if participant_id is None else open_file(*found(participant_id), media_type)

    try:
        answer = await run_in_threadpool(opened)
    except _NotDue:
        return reply(404, {"code": "not_due"})
    except IsopathError as refusal:
        return refused(refusal)
    return no_link() if answer is None else await send_file(request, answer)


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
