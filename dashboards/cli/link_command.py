"""`isopath link`: a participant's personal link."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import segno
import typer

from dashboards.cli.arguments import (
    ActorOption,
    JsonOption,
    ParticipantArgument,
    StudyArgument,
    actor_of,
    opened,
    say,
)
from study.access.links import issue_link, revoke_links
from study.errors import OutOfRange
from study.folder import write_whole


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(epilog="Example: isopath link calm-study sub-1a2b3c4d --days 30 --qr link.svg")(link)


def link(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="How long it opens [default: no end].")
    ] = None,
    url: Annotated[str, typer.Option(help="Where participants reach the server.")] = "http://127.0.0.1:8501",
    qr: Annotated[
        Path | None, typer.Option("--qr", metavar="FILE.svg", help="Also draw it as a QR code.")
    ] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Close every open link instead.")] = False,
    reason: Annotated[str, typer.Option(help="Why they are closed.")] = "",
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Make a personal link. It is shown this once: the record keeps no more than its hash."""
    study = opened(folder)
    if revoke:
        if not reason.strip():
            raise OutOfRange("--reason", "is missing", "say why the links are closed")
        closed = revoke_links(study, actor_of(actor), participant_id, reason.strip())
        say(
            f"{participant_id}: {closed} link(s) open nothing any more.",
            json,
            {"participant_id": participant_id, "revoked": closed},
        )
        return
    if not url.startswith(("https://", "http://")):
        raise OutOfRange("--url", f"{url!r} is no web address", "write e.g. https://study.example.org")
    token = issue_link(study, actor_of(actor), participant_id, None if days is None else timedelta(days=days))
    address = f"{url.rstrip('/')}/go/{token}"
    if qr is not None:
        drawn = io.BytesIO()
        segno.make(address, error="m").save(drawn, kind="svg", scale=8)
        write_whole(qr, drawn.getvalue(), mode=0o600)
    say(address, json, {"participant_id": participant_id, "link": address, "days": days})
