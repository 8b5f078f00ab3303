"""`isopath import`: a study that ran elsewhere becomes a study folder, for its analysis and report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dashboards.cli.arguments import ActorOption, JsonOption, actor_of, say, software_version
from study.imported import ImportCount, holds_study, import_people, preview_import
from study.protocol_file import load_protocol


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(
        "import",
        epilog="Example: isopath import export.csv --protocol study.json --map map.json --into old-study",
    )(import_file)


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The exported table.", show_default=False)],
    protocol: Annotated[
        Path,
        typer.Option(
            "--protocol", metavar="FILE", help="The study as an isopath protocol.", show_default=False
        ),
    ],
    column_map: Annotated[
        Path, typer.Option("--map", metavar="FILE", help="What its columns mean.", show_default=False)
    ],
    into: Annotated[
        Path,
        typer.Option(
            "--into", metavar="STUDY", help="A new folder, or one imported before.", show_default=False
        ),
    ],
    audio: Annotated[
        Path | None, typer.Option("--audio", metavar="DIR", help="The sound files that the table names.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Read self-reports, and sound with ratings, from a CSV file or a REDCap export.

    The table is taken whole or not at all: every problem is named with its line and
    column. A later export of the same study adds what is new; a value that has changed
    since is refused. The form of the map: docs/importing.md.
    """
    # Sound and statistics load only for those who use them.
    from analysis.importing.read_import import read_import

    read = read_import(file, column_map, load_protocol(protocol), audio, software_version())
    is_new = not holds_study(into)
    if dry_run:
        count = preview_import(into, load_protocol(protocol), protocol, read.people)
    else:
        count = import_people(into, protocol, actor_of(actor), software_version(), read.data, read.people)
    say(
        _sentences(into, count, read.told, is_new, dry_run),
        json,
        {
            "study": str(into),
            "written": not dry_run and count.added > 0,
            "rows": read.data.rows,
            "participants": read.data.participants,
            "people": count.people,
            "reports": count.reports,
            "missed": count.missed,
            "sounds": count.sounds,
            "known": count.known,
            "file_sha256": read.data.file_sha256,
            "told": read.told,
        },
    )


def _sentences(into: Path, count: ImportCount, told: Sequence[str], is_new: bool, dry_run: bool) -> str:
    would = "would add" if dry_run else "added"
    lines = [f"  {sentence}" for sentence in told]
    if not count.added:
        lines.append(f"Nothing new: all of it stands in {into} already.")
    else:
        lines.append(
            f"{into}: {would} {count.people} people, {count.reports} reports, {count.missed} missed reports "
            f"and the sound of {count.sounds} sessions; {count.known} events stood there already."
        )
    if dry_run:
        lines.append("Nothing was written.")
    elif is_new:
        lines.append(f"Next: isopath freeze {into}, isopath unblind study {into}, isopath analyse {into}")
    return "\n".join(lines)
