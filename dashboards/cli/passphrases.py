"""Passphrases at the command line: typed without echo, or read from a file; never an argument's value."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from study.errors import OutOfRange, StorageError
from study.founding import Study

PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="Read the passphrase from this file's first line, instead of being asked.",
    ),
]


def passphrase_of(file: Path | None, of_what: str, is_new: bool = False) -> str:
    """The passphrase somebody gives now.

    Args:
        of_what: what it opens, e.g. ``the allocation seed``.
        is_new: asked twice, since a slip would lock the file for good.

    Raises:
        OutOfRange: it is empty, was typed two ways, or there is no terminal to ask at.
        StorageError: the file cannot be read.
    """
    if file is not None:
        return _checked(_first_line(file), of_what)
    if not sys.stdin.isatty():
        raise OutOfRange("passphrase", "cannot be asked for: this is no terminal", "use --passphrase-file")
    first = getpass.getpass(f"Passphrase of {of_what}: ")
    if is_new and getpass.getpass("Once more: ") != first:
        raise OutOfRange("passphrase", "was not typed twice the same", "run the command again")
    return _checked(first, of_what)


def with_seed(study: Study, file: Path | None) -> Study:
    """The study with its allocation seed in memory; the passphrase is asked for where the seed is sealed.

    Raises:
        WrongPassphrase: it does not open the seed.
        OutOfRange, StorageError: see `passphrase_of`.
    """
    if not study.needs_passphrase():
        return study
    return study.unsealed(passphrase_of(file, "the allocation seed"))


def _first_line(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as lines:
            return lines.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as problem:
        said = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        raise StorageError(str(file), f"cannot be read ({said})", "name a file that holds it") from problem


def _checked(passphrase: str, of_what: str) -> str:
    if not passphrase:
        raise OutOfRange("passphrase", "is empty", f"give the passphrase of {of_what}")
    return passphrase
