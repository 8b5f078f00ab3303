"""`isopath unblind`: one participant's arm for one person, or results by arm for all after the freeze."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dashboards.cli.arguments import (
    ActorOption,
    JsonOption,
    ParticipantArgument,
    StudyArgument,
    opened,
    say,
)
from dashboards.cli.signed_in import AsAdminOption, AsOption, PasswordFromStdin, actor_allowed, signed_in
from study import unblinding
from study.access.roles import Permission
from study.errors import ConductError
from study.freeze import unblind
from study.unblinding import ToldArm, UnblindingCase

ReasonOption = Annotated[str, typer.Option(help="Why, in a few words; name no arm.", show_default=False)]
RequestArgument = Annotated[
    int, typer.Argument(metavar="REQUEST", help="The request's number.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    group = typer.Typer(no_args_is_help=True)
    group.command(
        epilog='Example: isopath unblind request calm-study sub-1f0c6a2b --as cora --reason "fell"'
    )(request)
    group.command("list", epilog="Example: isopath unblind list calm-study")(list_cases)
    group.command(epilog='Example: isopath unblind approve calm-study 214 --as anna --note "spoke to ward"')(
        approve
    )
    group.command(epilog='Example: isopath unblind decline calm-study 214 --as anna --reason "not needed"')(
        decline
    )
    group.command(epilog="Example: isopath unblind reveal calm-study 214 --as cora")(reveal)
    group.command(
        epilog='Example: isopath unblind emergency calm-study sub-1f0c6a2b --as cora --reason "seizure"'
    )(emergency)
    group.command(
        epilog='Example: isopath unblind study calm-study --reason "analysis plan signed" --confirm calm-2026'
    )(study)
    app.add_typer(
        group,
        name="unblind",
        help="Tell one participant's arm to whoever must know it; or, after the freeze, results by arm.",
        epilog="Example: isopath unblind list calm-study",
    )


def request(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    who: AsOption,
    reason: ReasonOption,
    password_stdin: PasswordFromStdin = False,
    json: JsonOption = False,
) -> None:
    """Ask to be told one participant's arm. Somebody else has to approve it."""
    study = opened(folder)
    staff = signed_in(study, who, password_stdin)
    number = unblinding.request_unblinding(study, staff, participant_id, reason)
    said = f"Request {number} waits for an admin: isopath unblind approve {folder} {number} --as …"
    say(said, json, {"request": number, "participant_id": participant_id})


def list_cases(folder: StudyArgument, json: JsonOption = False) -> None:
    """Every request and emergency, with who asked, who decided and what came of it; never an arm."""
    cases = unblinding.cases_of(opened(folder).record)
    if json:
        say("", True, {"cases": [_facts(case) for case in cases]})
        return
    if not cases:
        typer.echo("Nobody has asked for an arm.")
        return
    columns = ("number", "when", "participant", "asked by", "why", "state", "decided by", "said")
    table = Table(*columns, box=None, pad_edge=False)
    for case in cases:
        state = "emergency: revealed" if case.is_emergency else str(case.state)
        at = f"{case.at:%Y-%m-%d %H:%M}"
        who = (case.participant_id, case.asked_by, case.reason, state)
        table.add_row(str(case.sequence), at, *who, case.decided_by or "", case.decision or "")
    Console().print(table)


def approve(
    folder: StudyArgument,
    number: RequestArgument,
    who: AsOption,
    note: Annotated[str, typer.Option(help="What was considered, in a few words.")] = "",
    password_stdin: PasswordFromStdin = False,
    json: JsonOption = False,
) -> None:
    """Allow somebody else's request. You are told no arm; they are, once."""
    study = opened(folder)
    unblinding.approve_unblinding(study, signed_in(study, who, password_stdin), number, note)
    said = f"Request {number} is approved: whoever asked may run isopath unblind reveal {folder} {number}"
    say(said, json, {"request": number, "state": "approved"})


def decline(
    folder: StudyArgument,
    number: RequestArgument,
    who: AsOption,
    reason: ReasonOption,
    password_stdin: PasswordFromStdin = False,
    json: JsonOption = False,
) -> None:
    """Do not allow somebody else's request."""
    study = opened(folder)
    unblinding.decline_unblinding(study, signed_in(study, who, password_stdin), number, reason)
    say(f"Request {number} is declined.", json, {"request": number, "state": "declined"})


def reveal(
    folder: StudyArgument,
    number: RequestArgument,
    who: AsOption,
    password_stdin: PasswordFromStdin = False,
    json: JsonOption = False,
) -> None:
    """Be told the arm of your own approved request. It is shown once; that is recorded before it is."""
    study = opened(folder)
    _show(unblinding.reveal_arm(study, signed_in(study, who, password_stdin), number), json)


def emergency(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    who: AsOption,
    reason: ReasonOption,
    confirm: Annotated[
        str | None, typer.Option(metavar="ID", help="The participant's id again, instead of being asked.")
    ] = None,
    password_stdin: PasswordFromStdin = False,
    json: JsonOption = False,
) -> None:
    """Be told one participant's arm at once, without approval. Staff are alerted, and the report says so."""
    study = opened(folder)
    staff = signed_in(study, who, password_stdin)
    typed = _asked("Nobody has approved this. Type the participant's id") if confirm is None else confirm
    _show(unblinding.reveal_in_emergency(study, staff, participant_id, reason, typed), json)


def study(
    folder: StudyArgument,
    reason: ReasonOption,
    confirm: Annotated[
        str | None,
        typer.Option(metavar="STUDY_ID", help="The study's id, instead of being asked to type it."),
    ] = None,
    who: AsAdminOption = None,
    password_stdin: PasswordFromStdin = False,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Let results be seen by arm, from now on. The record must be frozen; this cannot be taken back.

    Where the study has an admin, an admin does it (--as).
    """
    found = opened(folder)
    by = actor_allowed(found, Permission.UNBLIND, "unblinding", who, password_stdin, actor)
    wanted = found.protocol.study_id
    typed = _asked("This cannot be taken back. Type the study's id") if confirm is None else confirm
    if typed.strip() != wanted:
        raise ConductError("unblind", f"{typed!r} is not this study's id", f"type {wanted} to confirm")
    unblind(found, by, reason)
    say("Results may be seen by arm from now on.", json, {"unblinded": True})


def _asked(question: str) -> str:
    typed: str = typer.prompt(question, err=True)
    return typed


def _show(told: ToldArm, json: bool) -> None:
    facts = {"participant_id": told.participant_id, "arms": dict(told.labels)}
    say(f"{told.text}\nThis was recorded, and is not shown again.", json, facts)


def _facts(case: UnblindingCase) -> dict[str, object]:
    return {
        "number": case.sequence,
        "at": case.at.isoformat(),
        "participant_id": case.participant_id,
        "asked_by": case.asked_by,
        "reason": case.reason,
        "state": str(case.state),
        "emergency": case.is_emergency,
        "decided_by": case.decided_by,
        "decision": case.decision,
        "revealed_at": None if case.revealed_at is None else case.revealed_at.isoformat(),
    }
