"""`isopath withdraw`: a person takes back their consent, and what they gave is kept or erased."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
from dashboards.cli.identity_commands import KEY_FILE
from dashboards.cli.passphrases import PassphraseFile, passphrase_of
from study.errors import ConductError, OutOfRange
from study.oversight.words import counted
from study.privacy.erasure import Erased, erase, needs_key_file
from study.privacy.withdrawal import withdraw as take_back


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(epilog="Example: isopath withdraw calm-study sub-1a2b3c4d --keep")(withdraw)


def withdraw(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    keep: Annotated[bool, typer.Option("--keep", help="What they gave until now may be used.")] = False,
    erase_all: Annotated[bool, typer.Option("--erase", help="What they gave is erased, for good.")] = False,
    reason: Annotated[
        str, typer.Option(help="As staff may know it; nobody has to give one. It is kept.")
    ] = "",
    harm_too: Annotated[
        bool,
        typer.Option("--harm-too", help="Erase reports of harm as well, where no law says to keep them."),
    ] = False,
    backup: Annotated[
        list[Path] | None,
        typer.Option("--backup", metavar="DIR", help="A backup to erase from as well; several times."),
    ] = None,
    confirm: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The participant's id once more, instead of being asked to type it."),
    ] = None,
    passphrase_file: PassphraseFile = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """End a person's part at their wish: their links close, and their data are kept or erased.

    An erasure that was broken off goes on when the command is run again.
    """
    if keep == erase_all:
        raise OutOfRange("withdraw", "needs one of --keep and --erase", "ask the person which they wish")
    study = opened(folder)
    if keep:
        is_news = take_back(study, actor_of(actor), participant_id, keeps_data=True, reason=reason)
        said = "has withdrawn; what they gave is kept" if is_news else "had withdrawn before"
        say(
            f"{participant_id} {said}. No link of theirs opens any more.",
            json,
            {"participant_id": participant_id, "keeps_data": True, "recorded": is_news},
        )
        return
    study.record.participant(participant_id)
    _confirm(participant_id, confirm)
    secret = passphrase_of(passphrase_file, KEY_FILE) if needs_key_file(study, participant_id) else None
    done = erase(study, actor_of(actor), participant_id, reason, secret, harm_too, tuple(backup or ()))
    say(
        "\n".join(_told(participant_id, folder, done)),
        json,
        {
            "participant_id": participant_id,
            "keeps_data": False,
            "rows": done.tombstone.rows,
            "files": done.tombstone.files,
            "kept": done.tombstone.kept,
            "backups_erased": done.tombstone.backups_erased,
            "backups_holding": done.tombstone.backups_holding,
            "made_anew": done.made_anew,
            "named_elsewhere": done.named_elsewhere,
        },
    )


def _told(participant_id: str, folder: Path, done: Erased) -> list[str]:
    stone = done.tombstone
    lines = [
        f"{participant_id} is erased: {counted(stone.rows, 'row')}, {counted(stone.files, 'file')}.",
        f"Kept, as docs/record/privacy.md says: {', '.join(stone.kept)}.",
    ]
    if done.made_anew:
        lines.append(f"{', '.join(done.made_anew)} held their data and are gone: isopath analyse {folder}")
    if stone.backups_erased:
        lines.append(f"Erased from backups: {', '.join(stone.backups_erased)}.")
    if stone.backups_holding:
        lines.append(
            f"Still held by backups: {', '.join(stone.backups_holding)}; "
            "run again with --backup DIR for each, or destroy them."
        )
    if done.named_elsewhere:
        lines.append("A key file of another place still names them: run isopath identity forget there.")
    return [*lines, "Tell whoever was given exports with their data (GDPR Art. 19)."]


def _confirm(participant_id: str, given: str | None) -> None:
    typed = (
        typer.prompt("This cannot be taken back. Type the participant's id", err=True)
        if given is None
        else given
    )
    if typed.strip() != participant_id:
        problem = f"{typed!r} is not {participant_id}"
        raise ConductError("withdraw --erase", problem, "type the id of whom to erase")
