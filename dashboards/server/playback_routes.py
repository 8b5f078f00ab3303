"""The player's log, by HTTP."""

from __future__ import annotations

import re
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashboards.server.identity import participant_id_of
from dashboards.server.playback_writer import PlaybackWriter
from dashboards.server.replies import NotJson, invalid, json_object, no_link, refused, reply
from dashboards.server.serving import Served
from study.errors import IsopathError, RecordError, StorageError
from study.events import PlayerEntry, PlayerEntryKind
from study.player_log import MOST_ENTRIES, LogGap, LogOutcome, PlaybackBatch

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_DETAIL = 120
_MOST_VALUES = 4
_LARGEST = 2**40
_FIELDS = frozenset({"sequence", "kind", "at_ms", "position_s", "values", "detail"})
_NEEDED = frozenset({"sequence", "kind", "at_ms", "position_s"})


class _Malformed(Exception):
    pass


def routes(served: Served) -> list[Route]:
    """The routes, for `build_app`."""
    writer = served.playback or PlaybackWriter(served.study)

    async def playback(request: Request) -> Response:
        try:
            participant_id = await run_in_threadpool(participant_id_of, request)
            if participant_id is None:
                return no_link()
            body = await json_object(request)
            batch, tab_id = _batch_of(participant_id, body)
            outcome = await writer.log(batch)
        except NotJson:
            return invalid("the body is not a JSON object")
        except _Malformed as problem:
            return invalid(str(problem))
        except IsopathError as refusal:
            return refused(refusal)
        is_elsewhere = served.leases.is_elsewhere(participant_id, tab_id)
        return _reply_of(outcome, is_elsewhere)

    return [Route("/api/me/playback", playback, methods=["POST"])]


def _reply_of(outcome: LogOutcome, is_elsewhere: bool) -> Response:
    refusal = outcome.refusal
    if refusal is None:
        # What another tab heard is recorded all the same; only it is told to pause.
        lease = "lost" if is_elsewhere else "yours"
        return reply(200, {"acknowledged": outcome.acknowledged, "lease": lease})
    if isinstance(refusal, LogGap):
        return reply(409, {"code": "gap", "acknowledged": outcome.acknowledged})
    if isinstance(refusal, (RecordError, StorageError)):
        return refused(refusal)
    message = f"{refusal.problem}; {refusal.remedy}"
    return reply(422, {"code": "invalid", "message": message, "acknowledged": outcome.acknowledged})


def _batch_of(participant_id: str, body: dict[str, Any]) -> tuple[PlaybackBatch, str]:
    if set(body) != {"tab_id", "session_id", "player_id", "entries"}:
        raise _Malformed("send tab_id, session_id, player_id and entries")
    tab_id, session_id, player_id = (_id(body, name) for name in ("tab_id", "session_id", "player_id"))
    lines = body["entries"]
    if not isinstance(lines, list) or not 1 <= len(lines) <= MOST_ENTRIES:
        raise _Malformed(f"entries: send a list of 1 to {MOST_ENTRIES}")
    entries = tuple(_entry_of(line) for line in lines)
    return PlaybackBatch(participant_id, session_id, player_id, entries), tab_id


def _id(body: dict[str, Any], name: str) -> str:
    value = body[name]
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise _Malformed(f"{name}: send up to 64 letters and digits")
    return value


def _entry_of(line: Any) -> PlayerEntry:
    if not isinstance(line, dict) or not _NEEDED <= set(line) <= _FIELDS:
        raise _Malformed(f"an entry has {', '.join(sorted(_NEEDED))}, and may have values and detail")
    if line["kind"] not in set(PlayerEntryKind):
        raise _Malformed("kind: not one that a player writes")
    values, detail = line.get("values") or (), line.get("detail")
    if not isinstance(values, list | tuple) or len(values) > _MOST_VALUES:
        raise _Malformed(f"values: send a list of at most {_MOST_VALUES} numbers")
    if detail is not None and not (isinstance(detail, str) and len(detail) <= _LONGEST_DETAIL):
        raise _Malformed(f"detail: send a text of at most {_LONGEST_DETAIL} characters")
    return PlayerEntry(
        _whole(line, "sequence"),
        PlayerEntryKind(line["kind"]),
        _whole(line, "at_ms"),
        _number("position_s", line["position_s"]),
        tuple(_number("values", value) for value in values),
        detail,
    )


def _whole(line: dict[str, Any], name: str) -> int:
    value = line[name]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
        raise _Malformed(f"{name}: send a whole number from 0")
    return value


def _number(name: str, value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) <= _LARGEST:
        raise _Malformed(f"{name}: send a number")
    return float(value)
