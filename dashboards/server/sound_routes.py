"""What a person may hear and see now, by HTTP: their session, the sound check, an instrument's pictures.

Nothing of a request ever becomes part of a path: it is compared with what is due
for the person whose cookie it carries, and the file follows from the record.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashboards.server.identity import participant_id_of
from dashboards.server.replies import no_link, refused, reply
from dashboards.server.sent_file import OpenedFile, open_file, send_file
from dashboards.server.serving import Served
from generation.session_folder import SOUND
from generation.sound_check import as_wav, calibration_sound, trial_sound
from study.errors import IsopathError, StorageError
from study.events import History, SessionRendered
from study.folder import file_sha256
from study.founding import Study
from study.sound_check import trial_answers
from study.step import AnswerSupport, CheckSound, GiveReport, Listen
from study.steps import next_step, step_key

AUDIO = "audio/flac"
_LEVEL = "level"


class _NotDue(Exception):
    """It is not this person's, or not now; they are not told which."""


Find = Callable[[str], OpenedFile]
"""Gives what is due to a participant, in a worker thread; it may refuse."""


def routes(served: Served) -> list[Route]:
    """The routes, for `build_app`."""
    study = served.study

    async def sound(request: Request) -> Response:
        asked = request.path_params["session_id"]

        def find(participant_id: str) -> OpenedFile:
            try:
                return _due_sound(study, participant_id, asked)
            except StorageError:
                # Another server may have rendered it: the player asks again, and finds it made anew.
                if served.renderer is not None:
                    served.renderer.look_at(participant_id)
                raise

        return await _sent(request, find)

    async def sound_check(request: Request) -> Response:
        asked = request.path_params["name"]
        return await _sent(request, lambda participant_id: _due_check(study, participant_id, asked))

    async def picture(request: Request) -> Response:
        asked = request.path_params
        which = asked["instrument"], asked["item"], asked["point"]
        return await _sent(request, lambda participant_id: _due_picture(study, participant_id, *which))

    return [
        Route("/api/me/sound/{session_id}", sound),
        Route("/api/me/sound-check/{name}.wav", sound_check),
        Route("/api/me/picture/{instrument}/{item}/{point:int}", picture),
    ]


def _due_sound(study: Study, participant_id: str, session_id: str) -> OpenedFile:
    history = study.record.participant(participant_id)
    step = next_step(study.protocol_of(history), history)
    if not isinstance(step, (Listen, AnswerSupport)) or step.session_id != session_id:
        raise _NotDue
    sound = rendered_sound(study, participant_id, history, step.session_id)
    if sound is None:
        raise _NotDue
    # The record's hash, not the file's own: whoever gets a damaged file can tell.
    return open_file(*sound, AUDIO)


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


def _due_check(study: Study, participant_id: str, name: str) -> OpenedFile:
    history = study.record.participant(participant_id)
    protocol = study.protocol_of(history)
    step = next_step(protocol, history)
    check = protocol.sound_check
    if not isinstance(step, CheckSound) or check is None:
        raise _NotDue
    key = step_key(step, history)
    answers = trial_answers(protocol, participant_id, key)
    loudness_lufs = protocol.safety.loudness_lufs
    numbers = {str(number): answer for number, answer in enumerate(answers, start=1)}
    if name == _LEVEL:
        wav = _level_wav(loudness_lufs)
    elif name in numbers and check.headphone_test is not None:
        drawn = hashlib.sha256(f"{participant_id}/{key}/{name}".encode()).digest()
        seed = int.from_bytes(drawn[:8], "big")
        wav = _trial_wav(check.headphone_test, numbers[name], seed, loudness_lufs)
    else:
        raise _NotDue
    return OpenedFile(io.BytesIO(wav), len(wav), hashlib.sha256(wav).hexdigest(), "audio/wav")


@lru_cache(maxsize=4)
def _level_wav(loudness_lufs: float) -> bytes:
    return as_wav(calibration_sound(loudness_lufs))


# Half a megabyte each, and asked for a few times by whoever is at their sound check now.
@lru_cache(maxsize=64)
def _trial_wav(headphone_test: str, answer: int, seed: int, loudness_lufs: float) -> bytes:
    return as_wav(trial_sound(headphone_test, answer, seed, loudness_lufs))


def _due_picture(study: Study, participant_id: str, instrument_id: str, item: str, point: int) -> OpenedFile:
    protocol, step = study.protocol_for(participant_id), study.due(participant_id)
    if not isinstance(step, GiveReport) or step.instrument_id != instrument_id:
        raise _NotDue
    pictures = protocol.instrument(instrument_id).pictures.get(item, ())
    if not 1 <= point <= len(pictures):
        raise _NotDue
    path = study.frozen_picture(instrument_id, item, point, protocol)
    return open_file(path, file_sha256(path), None)


async def _sent(request: Request, find: Find) -> Response:
    """What is due to whoever asks, whole or in part."""

    def found() -> OpenedFile | None:
        participant_id = participant_id_of(request)
        return None if participant_id is None else find(participant_id)

    try:
        due = await run_in_threadpool(found)
    except _NotDue:
        return reply(404, {"code": "not_due"})
    except IsopathError as refusal:
        return refused(refusal)
    return no_link() if due is None else await send_file(request, due)
