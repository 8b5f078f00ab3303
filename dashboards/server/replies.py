"""JSON in and out of our routes, and refusals as HTTP."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from study.errors import IsopathError, RecordError, StorageError

log = logging.getLogger("isopath.server")


class NotJson(Exception):
    """The body is not a JSON object."""


async def json_object(request: Request) -> dict[str, Any]:
    """The body.

    Raises:
        NotJson: it is something else.
    """
    try:
        body = json.loads(await request.body(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NotJson from None
    if not isinstance(body, dict):
        raise NotJson
    return body


def reply(status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A JSON answer."""
    return JSONResponse(dict(content), status, dict(headers) if headers else None)


def no_link() -> JSONResponse:
    """The request carries no link that opens."""
    return reply(401, {"code": "link"})


def invalid(message: str) -> JSONResponse:
    """The request will not do."""
    return reply(422, {"code": "invalid", "message": message})


def refused(refusal: IsopathError) -> JSONResponse:
    """A refusal as an answer: the disk's and the record's troubles are ours, the rest is the asker's."""
    if isinstance(refusal, (RecordError, StorageError)):
        # Where and what, for whoever runs the server; nothing of it to a participant.
        log.error("%s: %s", type(refusal).__name__, refusal)
        return reply(503, {"code": "storage"}, {"Retry-After": "2"})
    return invalid(f"{refusal.problem}; {refusal.remedy}")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
