"""`isopath code-break`: the sealed list for the pharmacist's safe, made and opened."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboards.cli.arguments import JsonOption, opened, say
from dashboards.cli.passphrases import PassphraseFile, passphrase_of
from dashboards.cli.signed_in import PasswordFromStdin, signed_in
from study.code_break import code_break_page, make_code_break_list, open_code_break_list
from study.errors import OutOfRange
from study.folder import write_whole


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command("code-break", epilog="Example: isopath code-break calm-study --out calm.codes --as una")(
        code_break
    )


def code_break(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[STUDY]", help="The study folder; none to open a list.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the sealed list here.")] = None,
    who: Annotated[
        str | None, typer.Option("--as", metavar="WHO", help="Your account; of the role unblinded.")
    ] = None,
    opens: Annotated[Path | None, typer.Option("--open", metavar="FILE", help="Open this list.")] = None,
    participant: Annotated[
        str | None, typer.Option(metavar="ID", help="Of an opened list, this participant alone.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page to print, one envelope a sheet."),
    ] = None,
    passphrase_file: PassphraseFile = None,
    password_stdin: PasswordFromStdin = False,
    json: JsonOption = False,
) -> None:
    """Who has which arm so far, sealed by a passphrase; or, with --open, what such a list says.

    Opening needs the file and its passphrase and nothing else, and no record sees it: note by hand who
    opened it and why, and tell the study. The list to come is in no such file.
    """
    if opens is not None:
        if folder is not None or out is not None or who is not None:
            raise OutOfRange("--open", "goes with no study, --out or --as", "give the file alone")
        _open(opens, participant, page, passphrase_file, json)
        return
    if folder is None or out is None or who is None:
        raise OutOfRange("code-break", "STUDY, --out and --as make a list", "or open one with --open FILE")
    if page is not None or participant is not None:
        raise OutOfRange(
            "code-break", "--html and --id belong to --open", "make the list first, then open it"
        )
    study = opened(folder)
    staff = signed_in(study, who, password_stdin)
    made = make_code_break_list(study, staff, passphrase_of(passphrase_file, "the list", is_new=True), out)
    said = f"{out}: the arms of {made.participants} participant(s), sealed.\nSHA-256 {made.sha256}"
    say(said, json, {"file": str(out), "participants": made.participants, "sha256": made.sha256})


def _open(
    file: Path, participant: str | None, page: Path | None, passphrase_file: Path | None, json: bool
) -> None:
    found = open_code_break_list(file, passphrase_of(passphrase_file, "the list"))
    envelopes = found.envelopes if participant is None else (found.envelope(participant),)
    if page is not None:
        write_whole(page, code_break_page(found, envelopes).encode(), mode=0o600)
        say(f"{page}: {len(envelopes)} envelope(s)", json, {"file": str(page), "envelopes": len(envelopes)})
        return
    facts = {"study_id": found.study_id, "made_at": found.made_at, "head_sha256": found.head_sha256}
    lines = [f"{found.title}: list of {found.made_at}"]
    lines += [f"{envelope.participant_id}  {envelope.text}" for envelope in envelopes]
    arms = {envelope.participant_id: dict(envelope.labels) for envelope in envelopes}
    say("\n".join(lines), json, {**facts, "participants": arms})
