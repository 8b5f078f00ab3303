"""Commands from the record to the report: analyse, report."""

from __future__ import annotations

import sys
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from analysis.report.file_format import Format
from dashboards.cli.arguments import JsonOption, StudyArgument, opened, say
from dashboards.cli.progress import counted_bar
from study.folder import write_whole


class ReportStyle(StrEnum):
    """Whose way of printing numbers."""

    APA = "apa"
    LANCET = "lancet"


class ReportLanguage(StrEnum):
    """Languages a report can be written in."""

    ENGLISH = "en"
    GERMAN = "de"


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    app.command("analyse", epilog="Example: isopath analyse calm-study --tables calm-tables")(analyse)
    app.command("report", epilog="Example: isopath report calm-study --format pdf --style lancet --lang de")(
        report
    )


def analyse(
    folder: StudyArgument,
    tables: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write the tidy tables there, as CSV.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Verify the record, hear every rendered session, and run the pre-specified analysis.

    Writes STUDY/results.json: every number of the report, and nothing else decides one. Until a record of
    people is frozen and unblinded, arms are dealt anew first: the analysis can be tried, and tells nothing.
    """
    # Statistics and networks load only for those who use them.
    from analysis.tables.blinded import blinded_tables
    from dashboards.cli.sentences import primary_sentence
    from dashboards.study_analysis import analyse_study

    study = opened(folder)
    with counted_bar() as told:
        made, results = analyse_study(study, told)
    if tables is not None:
        tables.mkdir(parents=True, exist_ok=True)
        # Before unblinding, a clip's target beside a person's id would tell the arm that was dealt anew.
        shown = (
            {field.name: getattr(made, field.name) for field in fields(made)}
            if results.shuffled is None
            else blinded_tables(study.protocol, study.record.events(), made)
        )
        for name, table in shown.items():
            write_whole(tables / f"{name}.csv", table.to_csv(index=False).encode())
    say(
        "\n".join(
            (
                str(study.folder.results),
                *(() if results.shuffled is None else (results.shuffled,)),
                primary_sentence(results),
                f"Next: isopath report {folder}",
            )
        ),
        json,
        {
            "results": str(study.folder.results),
            "simulated": results.simulated,
            "shuffled": results.shuffled,
            "primary": results.primary["row"],
        },
    )


def report(
    folder: StudyArgument,
    form: Annotated[
        list[Format] | None,
        typer.Option("--format", help="Of the file; may be given several times.", show_default="html"),
    ] = None,
    style: Annotated[ReportStyle, typer.Option(help="How numbers are printed.")] = ReportStyle.APA,
    lang: Annotated[ReportLanguage, typer.Option(help="Language of the report.")] = ReportLanguage.ENGLISH,
    figures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also write each figure there, as SVG and as PNG of 300 dpi."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write the report from results.json: one file for each format, readable anywhere, without a network.

    The files are STUDY/report.html, STUDY/report.pdf and STUDY/report.docx, with the same words, numbers
    and figures in each.
    """
    from analysis.words import Words
    from dashboards.study_analysis import report_file, write_report

    study = opened(folder)
    formats = list(dict.fromkeys(form or [Format.HTML]))
    results = write_report(study, formats, Words(lang.value, style.value), figures)
    if results.provenance.get("record_head_sha256") != study.record.head().sha256:
        sys.stderr.write("note: the record has gone on since these results; isopath analyse renews them\n")
    files = [str(report_file(study, one)) for one in formats]
    say(
        "\n".join((*files, *(() if figures is None else (str(figures),)))),
        json,
        {
            "report": files[0],
            "reports": dict(zip(formats, files, strict=True)),
            "figures": None if figures is None else str(figures),
            "simulated": results.simulated,
            "shuffled": results.shuffled is not None,
        },
    )
