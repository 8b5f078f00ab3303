"""`isopath guidelines`: what reporting guidelines ask for, filled from protocol, record and results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboards.cli.arguments import JsonOption, opened, say
from study.protocol_file import load_protocol


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(epilog="Example: isopath guidelines calm-study --out calm-guidelines")(guidelines)


def guidelines(
    study: Annotated[
        Path,
        typer.Argument(
            metavar="STUDY|PROTOCOL", help="A study folder, or a protocol file.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new folder.", show_default=False)],
    json: JsonOption = False,
) -> None:
    """Write the documents that reporting guidelines ask for.

    From a protocol file: the schedule of enrolment, interventions and assessments (SPIRIT 2025). From a
    study folder, after isopath analyse: also the flow diagram and the checklist of CONSORT 2025, and the
    RG-MBI 2025 checklist of music-based interventions, filled with what the study knows; the rest is
    marked for the authors. Until the record is frozen and unblinded nothing in them tells an arm.
    """
    # Drawing and tables load only for those who use them.
    from analysis.guidelines.files import guideline_files, schedule_files
    from dashboards.study_guidelines import trial_of, write_documents

    facts: dict[str, bool | None]
    if study.is_file():
        files = schedule_files(load_protocol(study))
        lines = [f"{out}: the schedule of SPIRIT 2025, from the protocol alone"]
        facts = {"arms_hidden": None}
    else:
        trial = trial_of(opened(study))
        files = guideline_files(trial)
        facts = {"arms_hidden": not trial.may_tell_arms}
        lines = [f"{out}: {len(files)} files, from the record up to {trial.facts.head_sha256}"]
        if not trial.may_tell_arms:
            lines.append("Arms are hidden: the record is not frozen and unblinded yet.")
    write_documents(out, files)
    say("\n".join(lines), json, {"out": str(out), "files": sorted(files), **facts})
