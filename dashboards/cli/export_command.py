"""`isopath export`: the study as files that archives, sponsors and statisticians open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboards.cli.arguments import JsonOption, StudyArgument, opened, say, software_version
from dashboards.cli.progress import late_counted_bar
from dashboards.cli.signed_in import AsAdminOption, PasswordFromStdin, actor_allowed
from dashboards.export_kinds import ExportFormat
from study.access.roles import Permission


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(epilog="Example: isopath export calm-study --format bids --out calm-bids")(export)


def export(
    folder: StudyArgument,
    form: Annotated[ExportFormat, typer.Option("--format", help="What to write.", show_default=False)],
    out: Annotated[
        Path,
        typer.Option(metavar="PATH", help="A new folder, or a file that ends in .zip.", show_default=False),
    ],
    blinded: Annotated[bool, typer.Option("--blinded", help="Leave out whatever could tell an arm.")] = False,
    no_sounds: Annotated[
        bool, typer.Option("--no-sounds", help="Without the rendered sounds (bids and psych-ds hold them).")
    ] = False,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A signed checkpoint to go with the record; may be given often."),
    ] = None,
    who: AsAdminOption = None,
    password_stdin: PasswordFromStdin = False,
    json: JsonOption = False,
) -> None:
    """Write the study for other programs, each format with its data dictionary.

    Until the record is frozen and unblinded every export is blinded. The record is
    verified first; the same record gives the same files, byte for byte. Where the study has
    accounts that may export, name yours with --as.
    """
    from dashboards.study_export import export_study

    study = opened(folder)
    actor_allowed(study, Permission.EXPORT, "exporting a study", who, password_stdin, None)
    with late_counted_bar() as told:
        done = export_study(
            study, form, out, software_version(), told, blinded, not no_sounds, checkpoint or ()
        )
    lines = [f"{out}: {done.files} files, from {done.rows} rows of the record, head {done.head_sha256}"]
    if done.is_simulated:
        lines.append("SIMULATED PARTICIPANTS: this study is a rehearsal, nobody in it is a person.")
    if done.is_blinded and done.may_join_arms:
        lines.append("Blinded, as you asked: nothing in it tells an arm.")
    elif done.is_blinded:
        lines.append("Blinded: the record is not frozen and unblinded yet, so nothing in it tells an arm.")
    else:
        lines.append("Not blinded: it tells arms. Keep it from whoever may not know them.")
        if not done.has_predictions:
            lines.append(
                "What the music expresses is not in it: run isopath analyse first, then export again."
            )
    say("\n".join(lines), json, {"out": str(out), "format": str(form), **vars(done)})
