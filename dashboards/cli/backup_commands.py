"""Commands about copies of the study: backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboards.cli.arguments import ActorOption, JsonOption, StudyArgument, actor_of, opened, say
from study.backup import take_backup
from study.restoring import restore_backup


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    app.command(epilog="Example: isopath backup calm-study /mnt/backups")(backup)
    app.command(
        epilog="Example: isopath restore /mnt/backups/backup-20260301T090000Z-1a2b3c calm-again "
        '--reason "the disk failed" --live calm-study'
    )(restore)


def backup(
    folder: StudyArgument,
    into: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Where this study's backups are kept.", show_default=False),
    ],
    with_accounts: Annotated[
        bool, typer.Option("--with-accounts", help="Also the staff's password hashes.")
    ] = False,
    with_seed: Annotated[
        bool,
        typer.Option(
            "--with-seed", help="Also a plain allocation seed: whoever reads the backup can tell the arms."
        ),
    ] = False,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Copy the study while it runs, whole or not at all, into a new folder of DIR.

    The copy is a study folder that can be read and verified; its record is SQLite, whatever
    the study's own database is. The key file that says who people are is never in it.
    """
    study = opened(folder)
    path, manifest = take_backup(study, into, actor_of(actor), with_accounts, with_seed)
    say(
        f"{path} holds {manifest.rows} rows to {manifest.head_sha256} and {len(manifest.files)} file(s).",
        json,
        {
            "backup": str(path),
            "backup_id": manifest.backup_id,
            "rows": manifest.rows,
            "head_sha256": manifest.head_sha256,
            "files": len(manifest.files),
        },
    )


def restore(
    kept: Annotated[
        Path,
        typer.Argument(metavar="BACKUP", help="A folder that isopath backup made.", show_default=False),
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why; for the record.", show_default=False)],
    live: Annotated[
        Path | None,
        typer.Option(
            metavar="STUDY",
            help="The study as it is now, if it can be read: whoever was erased from it does not come back.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The allocation seed, kept elsewhere.", show_default=False),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Put the record into this empty PostgreSQL database.", show_default=False
        ),
    ] = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Make a study folder of a backup: every file and row is checked before it takes its place.

    Whoever was erased after the backup was taken, as erasures.json beside the backups or the
    study itself says, is erased from it again.
    """
    was = None if live is None else opened(live)
    restored = restore_backup(kept, folder, actor_of(actor), reason, store, seed, was)
    head = restored.study.record.head()
    lines = [f"{folder} goes on from {restored.rows} rows; head {head.sha256}."]
    if restored.erased:
        lines.append(f"Erased since, and not brought back: {', '.join(restored.erased)}.")
    if not restored.can_allocate:
        lines.append(
            "It allocates nobody until the allocation seed is put back: isopath restore --seed FILE."
        )
    say(
        "\n".join(lines),
        json,
        {
            "study": str(folder),
            "rows": restored.rows,
            "head_sha256": head.sha256,
            "erased": restored.erased,
            "can_allocate": restored.can_allocate,
        },
    )
