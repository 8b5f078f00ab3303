"""The `isopath` command: one file per group of commands, joined here."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer

from dashboards.cli import (
    allocation_command,
    amendment_commands,
    analysis_commands,
    backup_commands,
    bands_command,
    bank_command,
    checkpoint_command,
    code_break_command,
    compose_command,
    correct_command,
    demo_command,
    enrolment_commands,
    evaluate_command,
    export_command,
    freeze_commands,
    guidelines_command,
    hear_command,
    identity_commands,
    import_command,
    interim_command,
    link_command,
    models_command,
    plan_command,
    playback_command,
    protocol_commands,
    questionnaire_command,
    record_commands,
    rehearsal_command,
    render_command,
    report_commands,
    retention_command,
    serve_command,
    staff_commands,
    step_commands,
    store_commands,
    train_command,
    unblind_commands,
    withdraw_command,
)
from dashboards.cli.arguments import software_version
from study.errors import IsopathError

app = typer.Typer(
    name="isopath",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(software_version())
        raise typer.Exit


@app.callback()
def isopath(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Clinical user studies of AI-generated music medicine: from a protocol file to a report."""


protocol_commands.register(app)
enrolment_commands.register(app)
allocation_command.register(app)
report_commands.register(app)
correct_command.register(app)
plan_command.register(app)
questionnaire_command.register(app)
step_commands.register(app)
render_command.register(app)
bank_command.register(app)
serve_command.register(app)
staff_commands.register(app)
link_command.register(app)
identity_commands.register(app)
withdraw_command.register(app)
retention_command.register(app)
amendment_commands.register(app)
freeze_commands.register(app)
unblind_commands.register(app)
code_break_command.register(app)
interim_command.register(app)
playback_command.register(app)
rehearsal_command.register(app)
analysis_commands.register(app)
record_commands.register(app)
store_commands.register(app)
backup_commands.register(app)
checkpoint_command.register(app)
import_command.register(app)
export_command.register(app)
guidelines_command.register(app)
demo_command.register(app)
compose_command.register(app)
hear_command.register(app)
bands_command.register(app)
models_command.register(app)
evaluate_command.register(app)
train_command.register(app)

REFUSED = 2
STOPPED = 130


def main() -> None:
    """Run a command; a refusal is one message on standard error and exit code 2."""
    try:
        app()
    except IsopathError as refusal:
        _refuse(str(refusal))
    except SystemExit as leaving:
        # What Typer makes of Ctrl-C.
        if leaving.code == STOPPED:
            _refuse("stopped; what was finished is kept, run the command again to go on", STOPPED)
        raise
    except BrokenPipeError:
        # The reader of our output went away (`isopath show … | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as problem:
        _refuse(_storage_message(problem))


def _storage_message(problem: OSError) -> str:
    where = problem.filename or "the disk"
    remedy = {
        errno.ENOSPC: "make room on the disk and run the command again",
        errno.EACCES: "give yourself the right to read and write it, or name another folder",
        errno.EROFS: "the disk is read-only: name another folder",
        errno.ENOENT: "check the path",
        errno.EISDIR: "name a file, not a folder",
        errno.ENOTDIR: "name a folder, not a file",
        errno.EEXIST: "name another folder",
    }.get(problem.errno or 0, "see that the disk and folder can be written")
    return f"{where}: {(problem.strerror or 'cannot be used').lower()}; {remedy}"


def _refuse(message: str, code: int = REFUSED) -> None:
    sys.stderr.write(message + "\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
