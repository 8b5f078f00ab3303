"""`isopath diff`, `isopath amend` and `isopath recruitment`: a protocol's life once people came."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated, Any

import typer

from dashboards.cli.arguments import JsonOption, StudyArgument, opened, say
from dashboards.cli.signed_in import AsOption, PasswordFromStdin, signed_in
from study.amendments import amend as amend_protocol
from study.amendments import protocol_text_of
from study.errors import StorageError
from study.protocol_diff import NOTHING, Change, protocol_changes
from study.protocol_file import load_protocol
from study.recruitment import pause_recruitment, resume_recruitment

ReasonOption = Annotated[str, typer.Option(help="Why, in a few words.", show_default=False)]
_SOURCE = "A protocol file, or a study folder for the version in force there."


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    app.command(epilog="Example: isopath diff calm-study calm-1.1.json")(diff)
    app.command(
        epilog='Example: isopath amend calm-study calm-1.1.json --as anna --reason "committee, 3 May"'
    )(amend)
    recruitment = typer.Typer(no_args_is_help=True)
    recruitment.command(
        epilog='Example: isopath recruitment pause calm-study --as anna --reason "stop rule reached"'
    )(pause)
    recruitment.command(
        epilog='Example: isopath recruitment resume calm-study --as anna --reason "monitor agreed"'
    )(resume)
    app.add_typer(
        recruitment,
        name="recruitment",
        help="Enrol nobody for now, and enrol again; people under way go on.",
        epilog='Example: isopath recruitment pause calm-study --as anna --reason "stop rule reached"',
    )


def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help=_SOURCE, show_default=False)],
    after: Annotated[Path, typer.Argument(metavar="B", help=_SOURCE, show_default=False)],
    json: JsonOption = False,
) -> None:
    """Every field in which two protocols differ, in words. Key order and spaces are no difference."""
    changes = protocol_changes(_protocol_value(before), _protocol_value(after))
    lines = [change.text for change in changes] or ["The two protocols say the same."]
    say("\n".join(lines), json, {"changes": [_facts(change) for change in changes]})


def amend(
    folder: StudyArgument,
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The new protocol file.", show_default=False)],
    who: AsOption,
    reason: ReasonOption,
    password_stdin: PasswordFromStdin = False,
    json: JsonOption = False,
) -> None:
    """Put a new version of the protocol in force for whoever is enrolled from here on.

    People under way go on under the version they consented to. What may not change once people are
    enrolled is refused, all of it at once, and a running server goes on without a restart.
    """
    study = opened(folder)
    made = amend_protocol(study, signed_in(study, who, password_stdin), new, reason)
    said = [f"Version {made.version} ({made.protocol_sha256[:12]}) is in force for whoever is enrolled now:"]
    facts = {"version": made.version, "protocol_sha256": made.protocol_sha256, "changes": made.changes}
    say("\n".join([*said, *(f"  {change}" for change in made.changes)]), json, facts)


def pause(
    folder: StudyArgument,
    who: AsOption,
    reason: ReasonOption,
    password_stdin: PasswordFromStdin = False,
    json: JsonOption = False,
) -> None:
    """Enrol nobody until recruitment is resumed. People under way go on."""
    study = opened(folder)
    pause_recruitment(study, signed_in(study, who, password_stdin), reason)
    say("Recruitment is paused: nobody is enrolled; people under way go on.", json, {"paused": True})


def resume(
    folder: StudyArgument,
    who: AsOption,
    reason: ReasonOption,
    password_stdin: PasswordFromStdin = False,
    json: JsonOption = False,
) -> None:
    """Enrol people again."""
    study = opened(folder)
    resume_recruitment(study, signed_in(study, who, password_stdin), reason)
    say("Recruitment is resumed.", json, {"paused": False})


def _protocol_value(source: Path) -> Any:
    """A protocol's JSON value, checked first."""
    if source.is_dir():
        return json_text.loads(protocol_text_of(opened(source)))
    load_protocol(source)
    try:
        return json_text.loads(source.read_text("utf-8"))
    except OSError as problem:
        raise StorageError(str(source), f"cannot be read ({problem.strerror})", "check the path") from problem


def _facts(change: Change) -> dict[str, Any]:
    sides = {"before": change.before, "after": change.after}
    there = {name: value for name, value in sides.items() if value is not NOTHING}
    return {"path": change.json_path, **there, "text": change.text}
