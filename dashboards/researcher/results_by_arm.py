"""The pre-specified analysis, for who may see arms: run here, and shown with the report's own figures."""

from __future__ import annotations

import streamlit as st

from analysis.figures.circumplex import circumplex_images
from analysis.figures.drawing import FigureImage
from analysis.figures.flow import flow_image
from analysis.figures.forest import forest_image
from analysis.figures.raincloud import raincloud_image
from analysis.figures.slopegraph import slopegraph_image
from analysis.results import Results, results_from_json
from analysis.wording import interval, p_text
from dashboards.cli.sentences import primary_sentence
from dashboards.researcher import markup
from dashboards.researcher.gate import require_staff
from dashboards.server.serving import current
from dashboards.study_analysis import analyse_study, write_report
from study.access.roles import Permission
from study.errors import IsopathError


def show_by_arm() -> None:
    """Results by arm, and a button that makes them."""
    study = current().study
    results = _kept()
    if results is None:
        markup.show(markup.paragraph("The analysis has not been run on the frozen record yet."))
    if st.button("Run the analysis" if results is None else "Run the analysis again"):
        require_staff(Permission.SEE_ARMS)
        bar = st.progress(0.0, "Beginning")
        try:

            def told(what: str, done: int, of: int) -> None:
                bar.progress(done / max(of, 1), what.capitalize())

            analyse_study(study, told)
            write_report(study)
        except IsopathError as refusal:
            markup.show(markup.notice(f"{refusal.problem}; {refusal.remedy}.", "bad", "Not analysed:"))
            return
        bar.empty()
        results = _kept()
    if results is not None:
        _show(results)


def _kept() -> Results | None:
    """The results on disk, where they are of the record as it is."""
    path = current().study.folder.results
    if not path.is_file():
        return None
    try:
        results = results_from_json(path.read_text())
    except IsopathError as refusal:
        markup.show(markup.notice(f"{refusal.problem}; {refusal.remedy}.", "look"))
        return None
    if results.provenance.get("record_head_sha256") != current().study.record.head().sha256:
        text = (
            "The record has gone on since these results: at least, somebody looked at arms. Run them again."
        )
        markup.show(markup.notice(text, "quiet"))
    return results


def _show(results: Results) -> None:
    if results.shuffled is not None:
        text = f"{results.shuffled} Run the analysis again for the arms as they were allocated."
        markup.show(markup.notice(text, "bad", "Arms shuffled."))
    markup.show(markup.notice(primary_sentence(results), "quiet", "Primary contrast."))
    markup.show(
        markup.bullets(
            (
                markup.Link("/api/staff/export/report.html", "The whole report"),
                markup.Link(
                    "/api/staff/export/results.json", "Every number of it, as JSON", is_download=True
                ),
            )
        )
    )
    rows = [
        (row["endpoint_label"], row["label"], interval(row), p_text(row["p_value"]), row["n"])
        for effects in (results.primary, *results.secondary)
        for row in effects["contrasts"]
    ]
    columns = ("Endpoint", "Contrast", "Adjusted difference", "p", "n")
    markup.show(markup.table("Contrasts", columns, rows, "No contrast could be estimated."))
    for image in _figures(results):
        markup.show(markup.picture(image.svg, image.alt, image.title))
    markup.show(markup.bullets(results.notes))


def _figures(results: Results) -> list[FigureImage]:
    """The report's main figures, where there are data for them."""
    found = []
    if any(row["estimate"] is not None for row in results.primary["contrasts"]):
        found.append(forest_image(results))
    if any(arm["pairs"] for arm in results.changes):
        found += [raincloud_image(results), slopegraph_image(results)]
    return [*found, *circumplex_images(results), flow_image(results)]
