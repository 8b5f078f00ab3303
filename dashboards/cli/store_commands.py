"""Commands about where the record is kept: join."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboards.cli.arguments import JsonOption, say
from study.joining import join_study


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    app.command(
        epilog="Example: isopath join postgresql://isopath@db.clinic.org/calm calm-north --seed my.seed"
    )(join)


def join(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The database that holds the record.", show_default=False)
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.", show_default=False)],
    sounds: Annotated[
        list[Path] | None,
        typer.Option(
            "--sounds",
            metavar="DIR",
            help="Where the protocol's sounds and pictures are; may be repeated.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        Path | None,
        typer.Option(
            "--seed",
            metavar="FILE",
            help="The study's allocation seed, plain or sealed; without it this server allocates nobody.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Make a second server's folder for a study whose record is in PostgreSQL.

    The record is verified first, and the protocol comes from it. The folder is made whole or not at all.
    """
    joined = join_study(folder, url, sounds or [], seed)
    head = joined.study.record.head()
    said = f"{folder} serves the study {joined.study.protocol.study_id} too ({head.sequence} rows)."
    if not joined.can_allocate:
        said += "\nIt allocates nobody: the allocation seed is not here."
    say(
        f"{said}\nNext: isopath serve {folder}",
        json,
        {
            "study": str(folder),
            "study_id": joined.study.protocol.study_id,
            "rows": head.sequence,
            "head_sha256": head.sha256,
            "can_allocate": joined.can_allocate,
        },
    )
