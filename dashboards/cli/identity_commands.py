"""`isopath identity`: who participants are. What is said of them is never an argument of a command."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Mapping
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
from dashboards.cli.passphrases import PassphraseFile, passphrase_of
from study.errors import OutOfRange
from study.privacy import identities
from study.privacy.copies import hand_out, read_people
from study.privacy.key_file import Entry

KEY_FILE = "the key file"

ReasonOption = Annotated[str, typer.Option(help="Why, in a few words.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    group = typer.Typer(no_args_is_help=True)
    group.command(epilog="Example: isopath identity begin calm-study")(begin)
    group.command(
        "set", epilog="Example: isopath identity set calm-study sub-1a2b3c4d --field name --field phone"
    )(set_fields)
    group.command(epilog="Example: isopath identity show calm-study sub-1a2b3c4d")(show)
    group.command("list", epilog="Example: isopath identity list calm-study")(list_people)
    group.command(epilog="Example: isopath identity find calm-study")(find)
    group.command(
        epilog='Example: isopath identity forget calm-study sub-1a2b3c4d --reason "not needed any more"'
    )(forget)
    group.command(epilog="Example: isopath identity passphrase calm-study")(passphrase)
    group.command("import", epilog="Example: isopath identity import calm-study people.csv")(import_people)
    group.command(
        "export",
        epilog='Example: isopath identity export calm-study --to ../letters.csv --reason "letters"',
    )(export_people)
    app.add_typer(
        group,
        name="identity",
        help="Who participants are: a sealed key file, apart from the record and from every export.",
        epilog="Example: isopath identity begin calm-study",
    )


def begin(
    folder: StudyArgument,
    passphrase_file: PassphraseFile = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Make the key file of this place. Whoever loses its passphrase has lost it: nobody else can open it."""
    study = opened(folder)
    secret = passphrase_of(passphrase_file, KEY_FILE, is_new=True)
    key_id = identities.begin_key_file(study, actor_of(actor), secret)
    path = identities.key_file_path(study)
    say(
        f"{path} is begun, and is no part of exports or backups: keep a copy and its passphrase apart.\n"
        f"Next: isopath identity set {folder} ID --field name",
        json,
        {"key_file": str(path), "key_id": key_id},
    )


def set_fields(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    field: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="NAME", help="What is asked for, e.g. name, phone; several times."),
    ] = None,
    passphrase_file: PassphraseFile = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Note who a participant is.

    Values are typed when asked for, or come as a JSON object on standard input.
    """
    study = opened(folder)
    values = _asked_for(field or []) if sys.stdin.isatty() else _read(field or [])
    secret = passphrase_of(passphrase_file, KEY_FILE)
    identities.note_identities(study, actor_of(actor), secret, {participant_id: values})
    say(
        f"Noted of {participant_id}: {', '.join(values)}.",
        json,
        {"participant_id": participant_id, "fields": sorted(values)},
    )


def show(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    passphrase_file: PassphraseFile = None,
    json: JsonOption = False,
) -> None:
    """Say who a participant is."""
    secret = passphrase_of(passphrase_file, KEY_FILE)
    entry = identities.entry_of(opened(folder), secret, participant_id)
    say(_lines({participant_id: entry}), json, {participant_id: entry})


def list_people(
    folder: StudyArgument, passphrase_file: PassphraseFile = None, json: JsonOption = False
) -> None:
    """Say who everybody is."""
    secret = passphrase_of(passphrase_file, KEY_FILE)
    people = identities.open_identities(opened(folder), secret).people
    say(_lines(people) or "Nobody is noted yet: isopath identity set", json, people)


def find(folder: StudyArgument, passphrase_file: PassphraseFile = None, json: JsonOption = False) -> None:
    """Find participants by a part of anything noted; it is asked for, or read from standard input."""
    study = opened(folder)
    secret = passphrase_of(passphrase_file, KEY_FILE)
    words = input("Find: ") if sys.stdin.isatty() else sys.stdin.readline()
    people = identities.find_people(study, secret, words)
    say(_lines(people) or "Nobody was found.", json, people)


def forget(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    reason: ReasonOption,
    passphrase_file: PassphraseFile = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Delete a participant's entry: nobody can tell any more who they are. What they gave stays."""
    secret = passphrase_of(passphrase_file, KEY_FILE)
    identities.forget_identity(opened(folder), actor_of(actor), secret, participant_id, reason)
    say(
        f"Nobody can tell any more who {participant_id} is.",
        json,
        {"participant_id": participant_id, "forgotten": True},
    )


def passphrase(
    folder: StudyArgument,
    passphrase_file: PassphraseFile = None,
    new_passphrase_file: Annotated[
        Path | None,
        typer.Option("--new-passphrase-file", metavar="FILE", help="Read the new one from its first line."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Give the key file another passphrase. Copies made before still open with the old one."""
    study = opened(folder)
    old = passphrase_of(passphrase_file, KEY_FILE)
    new = passphrase_of(new_passphrase_file, f"{KEY_FILE}, the new one", is_new=True)
    identities.change_passphrase(study, old, new)
    say("The key file has another passphrase.", json, {"changed": True})


def import_people(
    folder: StudyArgument,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv", help="A column participant_id, and one a field.", show_default=False
        ),
    ],
    passphrase_file: PassphraseFile = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Note many participants from a CSV file, all of them or none. Delete the file afterwards."""
    study = opened(folder)
    people = read_people(source)
    secret = passphrase_of(passphrase_file, KEY_FILE)
    identities.note_identities(study, actor_of(actor), secret, people)
    say(f"Noted {len(people)} participant(s). Now delete {source}.", json, {"people": len(people)})


def export_people(
    folder: StudyArgument,
    to: Annotated[
        Path,
        typer.Option("--to", metavar="FILE.csv", help="A new file outside the study.", show_default=False),
    ],
    reason: ReasonOption,
    passphrase_file: PassphraseFile = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Copy the key file out in the clear, as CSV. The record says that it was done, and why."""
    study = opened(folder)
    secret = passphrase_of(passphrase_file, KEY_FILE)
    people = hand_out(study, actor_of(actor), secret, to, reason)
    say(
        f"{to} names {people} participant(s) in the clear: delete it when it has served.",
        json,
        {"file": str(to), "people": people},
    )


def _asked_for(fields: list[str]) -> dict[str, str]:
    if not fields:
        raise OutOfRange("--field", "is missing", "name what is to be noted, e.g. --field name --field phone")
    return {name: input(f"{name}: ") for name in fields}


def _read(fields: list[str]) -> dict[str, str]:
    remedy = 'write one JSON object of texts, e.g. {"name": "…", "phone": "…"}'
    try:
        values = json_text.loads(sys.stdin.read())
    except ValueError:
        # What was read may name somebody: neither it nor the parser's words about it are repeated.
        raise OutOfRange("standard input", "is no JSON", remedy) from None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise OutOfRange("standard input", "is no object of texts", remedy)
    if fields and set(fields) != set(values):
        raise OutOfRange("standard input", "holds other fields than --field names", remedy)
    return values


def _lines(people: Mapping[str, Entry]) -> str:
    return "\n".join(
        line
        for who, entry in people.items()
        for line in (who, *(f"  {name}: {value}" for name, value in entry.items()))
    )
