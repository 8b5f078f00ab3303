"""Exports, by HTTP: blinded for whoever may not see arms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashboards.server.replies import refused, reply
from dashboards.server.serving import Served
from dashboards.server.staff_identity import is_allowed, staff_of_request
from study.access.roles import Permission
from study.errors import IsopathError, UnknownName


def routes(served: Served) -> list[Route]:
    """The routes, for `build_app`."""
    return [Route("/api/staff/export/{name}", _exporting(served), methods=["GET"])]


def _exporting(served: Served) -> Callable[[Request], Awaitable[Response]]:
    def made(request: Request) -> Response:
        # Tables and statistics load with the first export, not with the server.
        from dashboards.exports import make_export

        staff = staff_of_request(request)
        if staff is None:
            return reply(401, {"code": "staff"})
        if not is_allowed(staff, Permission.EXPORT):
            return reply(403, {"code": "role"})
        is_blinded = not is_allowed(staff, Permission.SEE_ARMS)
        try:
            export = make_export(served.study, request.path_params["name"], is_blinded)
        except UnknownName:
            return reply(404, {"code": "unknown"})
        stem, _, ending = export.name.rpartition(".")
        kind = "blinded-" if is_blinded else ""
        file_name = f"{served.study.protocol.study_id}-{kind}{stem}.{ending}"
        how = "inline" if export.is_shown else "attachment"
        headers = {
            "Content-Disposition": f'{how}; filename="{file_name}"',
            "Cache-Control": "no-store",
        }
        return Response(export.content, media_type=export.media_type, headers=headers)

    async def export(request: Request) -> Response:
        try:
            return await run_in_threadpool(made, request)
        except IsopathError as refusal:
            return refused(refusal)

    return export
