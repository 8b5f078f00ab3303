"""Commands from the record to the report: analyse, report."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from dashboards.cli.arguments import JsonOption, StudyArgument, opened, say
from dashboards.cli.progress import counted_bar
from study.folder import write_whole


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    app.command("analyse", epilog="Example: isopath analyse calm-study --tables calm-tables")(analyse)
    app.command("report", epilog="Example: isopath report calm-study")(report)


def analyse(
    folder: StudyArgument,
    tables: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write the tidy tables there, as CSV.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Verify the record, hear every rendered session, and run the pre-specified analysis.

    Writes STUDY/results.json: every number of the report, and nothing else decides one.
    """
    # Statistics and networks load only for those who use them.
    from dashboards.cli.sentences import primary_sentence
    from dashboards.study_analysis import analyse_study

    study = opened(folder)
    with counted_bar() as told:
        made, results = analyse_study(study, told)
    if tables is not None:
        tables.mkdir(parents=True, exist_ok=True)
        for name in (field.name for field in fields(made)):
            write_whole(tables / f"{name}.csv", getattr(made, name).to_csv(index=False).encode())
    say(
        f"{study.folder.results}\n{primary_sentence(results)}\nNext: isopath report {folder}",
        json,
        {
            "results": str(study.folder.results),
            "simulated": results.simulated,
            "primary": results.primary["row"],
        },
    )


def report(folder: StudyArgument, json: JsonOption = False) -> None:
    """Write STUDY/report.html from results.json: one file, readable anywhere, without a network."""
    from dashboards.study_analysis import write_report

    study = opened(folder)
    results = write_report(study)
    if results.provenance.get("record_head_sha256") != study.record.head().sha256:
        sys.stderr.write("note: the record has gone on since these results; isopath analyse renews them\n")
    say(
        f"{study.folder.report}",
        json,
        {"report": str(study.folder.report), "simulated": results.simulated},
    )
