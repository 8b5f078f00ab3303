"""`isopath checkpoint`: a signed statement of the record's head."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboards.cli.arguments import ActorOption, JsonOption, StudyArgument, actor_of, opened, say
from dashboards.cli.passphrases import PassphraseFile, passphrase_of
from study.checkpoint import make_key, sign_checkpoint, write_checkpoint
from study.errors import OutOfRange, StorageError


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(epilog="Example: isopath checkpoint calm-study --key calm.key --out calm-2026-03.json")(
        checkpoint
    )


def checkpoint(
    folder: StudyArgument,
    make: Annotated[
        Path | None,
        typer.Option(
            "--make-key",
            metavar="FILE",
            help="Make the signing key, once, sealed by a passphrase, outside the study folder.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The sealed signing key.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The checkpoint; a new file.", show_default=False)
    ] = None,
    passphrase_file: PassphraseFile = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Sign the record's head, to be kept where nobody who may change the record can reach it.

    Note the public key that --make-key prints elsewhere, e.g. in the trial master file: a
    checkpoint proves what was recorded only to somebody who knows the key from there.
    """
    study = opened(folder)
    if make is not None:
        if key is not None or out is not None:
            raise OutOfRange("--make-key", "is given with --key or --out", "make the key first, then sign")
        public_key = make_key(
            study, make, passphrase_of(passphrase_file, "the signing key", is_new=True), actor_of(actor)
        )
        say(
            f"{make} holds the signing key. Note its public key outside the study:\n{public_key}",
            json,
            {"key": str(make), "public_key": public_key},
        )
        return
    if key is None or out is None:
        raise OutOfRange("isopath checkpoint", "needs --key and --out, or --make-key", "give them")
    if out.exists():
        raise StorageError(str(out), "is there already", "name a new file")
    signed = sign_checkpoint(study, key, passphrase_of(passphrase_file, "the signing key"), actor_of(actor))
    write_checkpoint(out, signed)
    say(
        f"{out} says that the record had {signed.rows} rows and head {signed.head_sha256}.",
        json,
        {"checkpoint": str(out), "rows": signed.rows, "head_sha256": signed.head_sha256},
    )
