"""`isopath correct`: an answer that was recorded wrongly is put right, and the old one stays."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboards.cli.arguments import ActorOption, JsonOption, ParticipantArgument, StudyArgument, opened, say
from dashboards.cli.signed_in import PasswordFromStdin, actor_allowed
from study.access.roles import Permission
from study.corrections import Correctable, correctable
from study.corrections import correct as put_right
from study.errors import OutOfRange
from study.founding import Study

_DOING = "correcting an answer"


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(
        epilog="Example: isopath correct calm-study sub-1a2b3c4d --row 14 --item valence --value 0.6 "
        '--reason "typed from the wrong line of the paper form"'
    )(correct)


def correct(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    row: Annotated[
        int | None, typer.Option(metavar="N", help="The report's row in the record.", show_default=False)
    ] = None,
    item: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which of its items.", show_default=False)
    ] = None,
    value: Annotated[
        str | None,
        typer.Option(
            metavar="V",
            help="The right answer: a value of its scale, an option's id, or text.",
            show_default=False,
        ),
    ] = None,
    missed: Annotated[bool, typer.Option("--missed", help="The item was not answered.")] = False,
    reason: Annotated[
        str, typer.Option(help="How the right answer is known, without names.", show_default=False)
    ] = "",
    who: Annotated[
        str | None,
        typer.Option("--as", metavar="WHO", help="Your account, where the study has one that may correct."),
    ] = None,
    password_stdin: PasswordFromStdin = False,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Put one answer right; without a row, list the reports whose answers may be put right.

    The old answer stays in its row, and the record says who corrected it, when and why. The allocation,
    the music and the support that followed from the old answer are not made anew.
    """
    study = opened(folder)
    if row is None and item is None and value is None and not missed:
        _list(study, participant_id, json)
        return
    if row is None or item is None:
        raise OutOfRange("isopath correct", "needs a row and an item", "write e.g. --row 14 --item valence")
    if (value is None) is not missed:
        raise OutOfRange("isopath correct", "needs one of --value and --missed", "give the right answer")
    by = actor_allowed(study, Permission.CORRECT, _DOING, who, password_stdin, actor)
    recorded = put_right(study, by, participant_id, row, item, value, reason)
    # The old answer is not printed: whoever corrects a guess of the arm need not read it.
    say(
        f"Row {recorded.sequence} corrects {item} in row {row}; what row {row} says stays in the record.",
        json,
        {
            "participant_id": participant_id,
            "sequence": recorded.sequence,
            "corrected_sequence": row,
            "item": item,
            "missed": missed,
        },
    )


def _list(study: Study, participant_id: str, as_json: bool) -> None:
    history = study.record.participant(participant_id)
    found = list(correctable(study.protocol_of(history), history))
    lines = [_words(report) for report in found] or [
        "There is no report yet whose answers could be corrected."
    ]
    say(
        "\n".join(lines), as_json, {"participant_id": participant_id, "reports": [vars(one) for one in found]}
    )


def _words(report: Correctable) -> str:
    session = f"{report.session_id} " if report.session_id is not None else ""
    return (
        f"row {report.sequence}: {session}{report.phase} {report.instrument_id} ({', '.join(report.items)})"
    )
