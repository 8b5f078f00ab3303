"""The arguments that several commands share, and how results are printed."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from study.canonical import plain
from study.errors import OutOfRange
from study.founding import Study, open_study

StudyArgument = Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)]
ParticipantArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The participant's id.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
ActorOption = Annotated[
    str | None,
    typer.Option("--actor", help="Who does this, as the record names them [default: your login name]."),
]


def opened(root: Path) -> Study:
    """The study of a command's STUDY argument."""
    return open_study(root)


def actor_of(given: str | None) -> str:
    """The actor a command's events carry."""
    return given or f"coordinator:{getpass.getuser()}"


def software_version() -> str:
    """Name and version, as the record holds them."""
    return f"isopath {version('isopath')}"


def say(sentence: str, as_json: bool, facts: Mapping[str, Any]) -> None:
    """Print a sentence for people, or the same facts as JSON."""
    typer.echo(json.dumps(plain(facts), ensure_ascii=False) if as_json else sentence)


def pairs_of(given: Sequence[str], where: str) -> dict[str, str]:
    """``name=value`` arguments as a dict.

    Raises:
        OutOfRange: one has no ``=``, or a name is given twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise OutOfRange(where, f"{text!r} is not name=value", f"write e.g. {where} name=value")
        if name in found:
            raise OutOfRange(where, f"{name} is given twice", "give it once")
        found[name] = value
    return found
