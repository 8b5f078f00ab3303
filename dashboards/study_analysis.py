"""From a study folder to its results and report: the wiring that commands and pages share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from jinja2 import UndefinedError

from analysis.figures.circumplex import circumplex_overview
from analysis.figures.drawing import to_png
from analysis.report.build import build_report
from analysis.report.file_format import Format
from analysis.report.formats import render
from analysis.results import Results, analyse, is_simulated, results_from_json, results_to_json
from analysis.tables.build import StudyTables, build_tables
from analysis.tables.shuffled import shuffle_arms
from analysis.words import ENGLISH, Words
from dashboards.study_hearing import hear_study
from study.errors import RecordMismatch, StorageError
from study.events import DataImported, InterimLookTaken
from study.folder import write_whole
from study.founding import Study
from study.freeze import may_join_arms
from study.rendered import read_manifests

Told = Callable[[str, int, int], None]

SHUFFLED = (
    "Arms were dealt anew by chance before this analysis, because the record is not frozen and unblinded "
    "yet. It shows that the analysis runs; no difference between arms here means anything."
)


def analyse_study(study: Study, told: Told) -> tuple[StudyTables, Results]:
    """Verify the record, hear every session, and run the pre-specified analysis; writes results.json.

    Until a record of people is frozen and unblinded, arms are dealt anew first, and the results say so.

    Args:
        told: hears of the progress.

    Returns:
        The tables that were analysed, and the results.

    Raises:
        RecordBroken: the chain does not hold; nothing is analysed.
        RecordMismatch, StorageError, AudioError: a session is not what was rendered.
    """
    head = study.record.verify()
    events = study.record.events()
    manifests = read_manifests(study)
    predictions = hear_study(study, manifests, lambda done, of: told("hearing the sessions", done, of))
    told("estimating", 0, 1)
    tables = build_tables(study.protocol, events, manifests, predictions)
    shuffled = None if is_simulated(tables) or may_join_arms(study.record) else SHUFFLED
    if shuffled is not None:
        tables = shuffle_arms(study.protocol, tables, head.sha256)
    looks = [r.event for r in events if isinstance(r.event, InterimLookTaken)]
    imported = [r.event for r in events if isinstance(r.event, DataImported)]
    results = analyse(
        study.protocol,
        tables,
        manifests,
        predictions,
        head.sha256,
        study.rehearsal(),
        looks,
        shuffled,
        imported,
        events,
    )
    write_whole(study.folder.results, results_to_json(results).encode())
    told("estimating", 1, 1)
    return tables, results


def write_report(
    study: Study,
    formats: Sequence[Format] = (Format.HTML,),
    words: Words = ENGLISH,
    figures: Path | None = None,
) -> Results:
    """Render results.json as report.html, report.pdf or report.docx, and its main picture as a PNG beside it.

    Args:
        formats: each makes one file in the study folder.
        words: language and style.
        figures: a folder for each figure as SVG and as PNG of 300 dpi; made where it is not there.

    Raises:
        StorageError: there are no results yet, or the folder cannot be made.
        RecordMismatch: the results are another version's.
    """
    path = study.folder.results
    if not path.is_file():
        raise StorageError(str(path), "is not there", f"run isopath analyse {study.folder.root} first")
    results = results_from_json(path.read_text("utf-8"))
    if figures is not None:
        _make_folder(figures)
    try:
        report = build_report(results, words)
        files = {report_file(study, form): render(report, form) for form in formats}
        files[study.folder.picture] = to_png(circumplex_overview(results))
    except (KeyError, TypeError, UndefinedError) as problem:
        raise RecordMismatch(
            str(path),
            f"lacks what a report needs ({problem})",
            f"run isopath analyse {study.folder.root} again",
        ) from problem
    if figures is not None:
        for image in report.images:
            files[figures / f"{image.figure_id}.svg"] = _standing_alone(image.svg).encode()
            files[figures / f"{image.figure_id}.png"] = image.png()
    for file, content in files.items():
        write_whole(file, content)
    return results


def report_file(study: Study, form: Format) -> Path:
    """Where the report of that format is written."""
    return study.folder.report.with_suffix(f".{form}")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise StorageError(
            str(folder), f"cannot be made ({problem.strerror})", "name a folder that can be written"
        ) from problem


def _standing_alone(svg: str) -> str:
    """The drawing as a file of its own."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{svg}'
