"""A session's sound for staff who may hear it: each viewing is an event, since the sound tells the arm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashboards.server.replies import refused, reply
from dashboards.server.sent_file import OpenedFile, open_file, send_file
from dashboards.server.serving import Served
from dashboards.server.sound_routes import AUDIO, rendered_sound
from dashboards.server.staff_identity import is_allowed, staff_of_request
from study.access.arms_seen import note_arms_seen
from study.access.roles import Permission
from study.errors import IsopathError, UnknownName

WHAT = "sound"


def staff_sound(served: Served) -> Route:
    """The route, for `staff_routes.routes`."""
    return Route("/api/staff/sound/{participant}/{session}", _hearing(served))


def _hearing(served: Served) -> Callable[[Request], Awaitable[Response]]:
    study = served.study

    def opened(request: Request) -> OpenedFile | Response:
        staff = staff_of_request(request)
        if staff is None:
            return reply(401, {"code": "staff"})
        # Before anything is looked up: whether there is a sound is not for everybody either.
        if not is_allowed(staff, Permission.HEAR_SESSIONS):
            return reply(403, {"code": "role"})
        participant_id, session_id = request.path_params["participant"], request.path_params["session"]
        try:
            history = study.record.participant(participant_id)
        except UnknownName:
            return reply(404, {"code": "unknown"})
        found = rendered_sound(study, participant_id, history, session_id)
        if found is None:
            return reply(404, {"code": "unknown"})
        file = open_file(*found, AUDIO)
        note_arms_seen(study, staff, participant_id, session_id, WHAT)
        return file

    async def hear(request: Request) -> Response:
        try:
            answer = await run_in_threadpool(opened, request)
        except IsopathError as refusal:
            return refused(refusal)
        return await send_file(request, answer) if isinstance(answer, OpenedFile) else answer

    return hear
