"""A tablet that people share: nothing of one person is left for the next."""

from __future__ import annotations

from starlette.routing import Route

from dashboards.server.serving import Served


def routes(served: Served) -> list[Route]:
    """The routes, for `build_app`."""
    del served
    return []
