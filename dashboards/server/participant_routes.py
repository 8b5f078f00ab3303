"""A participant's own routes: what is due, an answer to it, the lease of a tab, a call, an end."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashboards.participant.answers import ACTOR, NotDue, due_key, take_answer
from dashboards.participant.step_view import language_of, step_view
from dashboards.server.identity import (
    LANGUAGE_COOKIE,
    clear_person,
    first_language,
    is_shared,
    participant_id_of,
    set_cookie,
)
from dashboards.server.kiosk import CLEAR
from dashboards.server.live_rendering import RenderingState
from dashboards.server.replies import NotJson, invalid, json_object, no_link, refused, reply
from dashboards.server.serving import Served
from study.conduct import move_participation
from study.errors import IsopathError, RecordError, StorageError
from study.privacy.withdrawal import withdraw
from study.support import call_staff

_LOCKS = 256
_ID_LENGTH = 64

Body = dict[str, Any]
Handler = Callable[[Request, str, Body], Response]


def routes(served: Served) -> list[Route]:
    """The routes, for `build_app`."""
    own = _ParticipantRoutes(served)
    return [
        Route("/api/me/step", own.asked(own.step)),
        Route("/api/me/rendering", own.asked(own.rendering)),
        Route("/api/me/answer", own.told(own.answer), methods=["POST"]),
        Route("/api/me/lease", own.told(own.lease), methods=["POST"]),
        Route("/api/me/call-staff", own.told(own.call_staff), methods=["POST"]),
        Route("/api/me/withdraw", own.told(own.withdraw), methods=["POST"]),
        Route("/api/me/language", own.told(own.language), methods=["POST"]),
        Route("/api/me/leave", own.leave, methods=["POST"]),
    ]


class _ParticipantRoutes:
    def __init__(self, served: Served) -> None:
        self._served = served
        self._study = served.study
        # Two requests of one person are answered in turn: a step's key is looked at, then used up.
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    def asked(self, handle: Handler) -> Callable[[Request], Awaitable[Response]]:
        """A GET of somebody with a link."""

        async def get(request: Request) -> Response:
            return await run_in_threadpool(self._handled, request, {}, handle)

        return get

    def told(self, handle: Handler) -> Callable[[Request], Awaitable[Response]]:
        """A POST of somebody with a link."""

        async def post(request: Request) -> Response:
            try:
                body = await json_object(request)
            except NotJson:
                return invalid("the body is not a JSON object")
            return await run_in_threadpool(self._handled, request, body, handle)

        return post

    def _handled(self, request: Request, body: Body, handle: Handler) -> Response:
        """In a worker thread: the record is read and written there, never on the event loop."""
        try:
            participant_id = participant_id_of(request)
            if participant_id is None:
                return no_link()
            with self._locks[hash(participant_id) % _LOCKS]:
                return handle(request, participant_id, body)
        except IsopathError as refusal:
            return refused(refusal)

    def step(self, request: Request, participant_id: str, _: Body) -> Response:
        language = self._language(request, participant_id)
        return reply(200, step_view(self._study, participant_id, language, self._study.record.clock()))

    def rendering(self, _: Request, participant_id: str, __: Body) -> Response:
        renderer = self._served.renderer
        if renderer is None:
            return reply(200, {"state": RenderingState.WAITING, "share": 0.0})
        progress = renderer.progress_of(participant_id)
        return reply(200, {"state": progress.state, "share": round(progress.share, 3)})

    def answer(self, request: Request, participant_id: str, body: Body) -> Response:
        known = {"tab_id", "key", "answer", "response_time_s"}
        tab_id, key = _id(body, "tab_id"), body.get("key")
        if tab_id is None or not isinstance(key, str) or not {"answer"} <= set(body) <= known:
            return invalid("send tab_id, key, answer and response_time_s")
        if not self._served.leases.take(participant_id, tab_id):
            return reply(409, {"code": "lease"})
        language = self._language(request, participant_id)
        try:
            next_key = take_answer(
                self._study,
                participant_id,
                key,
                body["answer"],
                language,
                body.get("response_time_s"),
                self._study.record.clock(),
            )
        except NotDue as other:
            return reply(409, {"code": "not_due", "next_key": other.next_key})
        except (RecordError, StorageError):
            raise
        except IsopathError as refusal:
            # Staff may have gone on in the meantime, at the command line.
            now_due = due_key(self._study, participant_id)
            if now_due != key:
                return reply(409, {"code": "not_due", "next_key": now_due})
            return refused(refusal)
        if self._served.renderer is not None:
            self._served.renderer.look_at(participant_id)
        return reply(200, {"saved": True, "next_key": next_key})

    def lease(self, _: Request, participant_id: str, body: Body) -> Response:
        tab_id = _id(body, "tab_id")
        if tab_id is None or not set(body) <= {"tab_id", "take_over", "release"}:
            return invalid("send tab_id, and take_over or release")
        leases = self._served.leases
        if body.get("release") is True:
            leases.release(participant_id, tab_id)
            return reply(200, {"lease": "other"})
        if leases.take(participant_id, tab_id):
            return reply(200, {"lease": "yours"})
        if body.get("take_over") is not True:
            return reply(200, {"lease": "other"})
        # Recorded first: a lease that moved without a trace would be one nobody can explain.
        move_participation(self._study, ACTOR, participant_id, tab_id)
        leases.take_over(participant_id, tab_id)
        return reply(200, {"lease": "yours"})

    def call_staff(self, _: Request, participant_id: str, body: Body) -> Response:
        session_id = _id(body, "session_id")
        if session_id is None or not set(body) <= {"tab_id", "session_id"}:
            return invalid("send tab_id and session_id")
        call_staff(self._study, ACTOR, participant_id, session_id)
        return self._saved(participant_id)

    def withdraw(self, _: Request, participant_id: str, body: Body) -> Response:
        keeps_data = body.get("keeps_data")
        if not isinstance(keeps_data, bool) or not set(body) <= {"tab_id", "keeps_data"}:
            return invalid("send tab_id and keeps_data")
        # Said twice is said once: the first may have been saved and its answer lost on the way.
        # The link goes on opening, so that the page can say that they have left.
        withdraw(self._study, ACTOR, participant_id, keeps_data, closes_links=False)
        return self._saved(participant_id)

    def language(self, _: Request, participant_id: str, body: Body) -> Response:
        languages, chosen = self._study.protocol_for(participant_id).languages, body.get("language")
        if chosen not in languages or not set(body) <= {"tab_id", "language"}:
            return invalid("send language: " + " or ".join(languages))
        response = self._saved(participant_id)
        set_cookie(response, LANGUAGE_COOKIE, chosen, self._served.is_secure)
        return response

    async def leave(self, request: Request) -> Response:
        """Take everything of the person from this browser; it needs no link that still opens."""
        try:
            tab_id = _id(await json_object(request), "tab_id")
        except NotJson:
            return invalid("the body is not a JSON object")
        participant_id = await run_in_threadpool(participant_id_of, request)
        if participant_id is not None and tab_id is not None:
            self._served.leases.release(participant_id, tab_id)
        on_kiosk = is_shared(self._served, request.cookies)
        response = reply(200, {"to": "/kiosk" if on_kiosk else "/"}, CLEAR if on_kiosk else None)
        clear_person(response)
        return response

    def _language(self, request: Request, participant_id: str) -> str:
        """That of the words on the person's page."""
        wishes = [request.cookies.get(LANGUAGE_COOKIE), first_language(request)]
        history = self._study.record.participant(participant_id)
        return language_of(self._study.protocol_of(history), history, wishes)

    def _saved(self, participant_id: str) -> Response:
        return reply(200, {"saved": True, "next_key": due_key(self._study, participant_id)})


def _id(body: Body, name: str) -> str | None:
    value = body.get(name)
    is_fit = isinstance(value, str) and 0 < len(value) <= _ID_LENGTH
    return value if is_fit and isinstance(value, str) and value.isascii() and value.isprintable() else None
