"""`isopath freeze`: the end of data collection, once."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboards.cli.arguments import ActorOption, JsonOption, StudyArgument, opened, say
from dashboards.cli.signed_in import AsAdminOption, PasswordFromStdin, actor_allowed
from study import freeze as closing
from study.access.roles import Permission

ReasonOption = Annotated[str, typer.Option(help="Why, in a few words.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    app.command(epilog='Example: isopath freeze calm-study --reason "last visit done, queries closed"')(
        freeze
    )


def freeze(
    folder: StudyArgument,
    reason: ReasonOption,
    who: AsAdminOption = None,
    password_stdin: PasswordFromStdin = False,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Close the record to participants' data, for good.

    The event holds the hash of the protocol's analysis block and of the last row: what
    is analysed, and by which plan, stands before anybody sees a result by arm. Where the
    study has an admin, an admin does it (--as).
    """
    study = opened(folder)
    by = actor_allowed(study, Permission.FREEZE, "freezing", who, password_stdin, actor)
    frozen = closing.freeze(study, by, reason)
    say(
        "The record is frozen: no participant's data are taken any more.\n"
        f"Analysis plan {frozen.analysis_sha256}\nRecord head   {frozen.head_sha256}",
        json,
        {"analysis_sha256": frozen.analysis_sha256, "head_sha256": frozen.head_sha256},
    )
