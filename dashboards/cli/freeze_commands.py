"""`isopath freeze` and `isopath unblind`: the end of data collection, in this order and once each."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboards.cli.arguments import ActorOption, JsonOption, StudyArgument, actor_of, opened, say
from study import freeze as closing
from study.errors import ConductError
from study.founding import Study

ReasonOption = Annotated[str, typer.Option(help="Why, in a few words.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    app.command(epilog='Example: isopath freeze calm-study --reason "last visit done, queries closed"')(
        freeze
    )
    app.command(
        epilog='Example: isopath unblind calm-study --reason "analysis plan signed" --confirm calm-2026'
    )(unblind)


def freeze(
    folder: StudyArgument, reason: ReasonOption, actor: ActorOption = None, json: JsonOption = False
) -> None:
    """Close the record to participants' data, for good.

    The event holds the hash of the protocol's analysis block and of the last row: what
    is analysed, and by which plan, stands before anybody sees a result by arm.
    """
    frozen = closing.freeze(opened(folder), actor_of(actor), reason)
    say(
        "The record is frozen: no participant's data are taken any more.\n"
        f"Analysis plan {frozen.analysis_sha256}\nRecord head   {frozen.head_sha256}",
        json,
        {"analysis_sha256": frozen.analysis_sha256, "head_sha256": frozen.head_sha256},
    )


def unblind(
    folder: StudyArgument,
    reason: ReasonOption,
    confirm: Annotated[
        str | None,
        typer.Option(metavar="STUDY_ID", help="The study's id, instead of being asked to type it."),
    ] = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Let results be seen by arm, from now on. The record must be frozen; this cannot be taken back."""
    study = opened(folder)
    _confirm(study, confirm)
    closing.unblind(study, actor_of(actor), reason)
    say("Results may be seen by arm from now on.", json, {"unblinded": True})


def _confirm(study: Study, given: str | None) -> None:
    wanted = study.protocol.study_id
    typed = (
        typer.prompt("This cannot be taken back. Type the study's id", err=True) if given is None else given
    )
    if typed.strip() != wanted:
        raise ConductError("unblind", f"{typed!r} is not this study's id", f"type {wanted} to confirm")
