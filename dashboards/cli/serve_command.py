"""`isopath serve`: the study app."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboards.cli.arguments import StudyArgument, opened


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(epilog="Example: isopath serve calm-study")(serve)


def serve(
    folder: StudyArgument,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8501,
) -> None:
    """Serve the study: participants' pages, the researchers' dashboard, sound and its log."""
    study = opened(folder)

    import uvicorn

    from dashboards.server.application import build_app
    from dashboards.server.serving import Served

    uvicorn.run(build_app(Served(study, is_secure=False)), host=host, port=port, access_log=False)
