"""`isopath report` as a person runs it: formats, styles, languages, figures beside, refusals."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from docx import Document
from matplotlib.image import imread

from analysis.results import analyse, results_to_json
from analysis.tables.build import build_tables
from study.founding import open_study
from tests.analysis.made_study import make_protocol, simulate
from tests.dashboards.command_line import isopath, refusal
from tests.dashboards.short_study import short_study

SHUFFLED = "Arms were dealt anew by chance."


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study folder with results in it; they are of another study, which a report cannot tell."""
    root = tmp_path_factory.mktemp("reported") / "study"
    short_study(root).record.close()
    made = simulate(make_protocol(), 2, rehearsal=False)
    tables = build_tables(made.protocol, made.events, made.manifests, made.predictions)
    results = analyse(made.protocol, tables, made.manifests, made.predictions, shuffled=SHUFFLED)
    (root / "results.json").write_text(results_to_json(results))
    return root


def test_all_formats_may_be_asked_for_at_once_with_every_figure_beside(study: Path, tmp_path: Path) -> None:
    figures = tmp_path / "deep" / "figures"

    done = isopath(
        "report",
        study,
        *("--format", "html", "--format", "pdf", "--format", "docx", "--format", "pdf"),
        *("--style", "lancet", "--lang", "de", "--figures", figures, "--json"),
    )

    assert done.code == 0, done.err
    assert done.facts["reports"] == {form: str(study / f"report.{form}") for form in ("html", "pdf", "docx")}
    assert done.facts["shuffled"] is True
    page = (study / "report.html").read_text()
    assert '<html lang="de">' in page
    assert "ARME NEU GEMISCHT" in page
    assert (study / "report.pdf").read_bytes().startswith(b"%PDF")
    word = Document(io.BytesIO((study / "report.docx").read_bytes()))
    assert word.sections[0].header.paragraphs[0].text.startswith("ARME NEU GEMISCHT")
    assert {path.stem for path in figures.glob("*.svg")} == {path.stem for path in figures.glob("*.png")}
    assert (figures / "flow.svg").read_text().startswith('<?xml version="1.0" encoding="UTF-8"?>\n<svg')
    assert imread(figures / "flow.png").shape[1] > 4 * 300
    assert (study / "circumplex.png").is_file()


def test_without_options_it_is_one_english_page_with_points(study: Path) -> None:
    done = isopath("report", study)

    assert done.code == 0, done.err
    assert done.out.split() == [str(study / "report.html")]
    assert "note: the record has gone on" in done.err
    page = (study / "report.html").read_text()
    assert '<html lang="en">' in page
    assert "two-sided level .05" in page


@pytest.mark.parametrize("option", [("--format", "odt"), ("--style", "vancouver"), ("--lang", "fr")])
def test_what_there_is_not_is_refused_by_name(study: Path, option: tuple[str, str]) -> None:
    assert option[1] in refusal(isopath("report", study, *option))


def test_results_of_another_version_are_refused_with_the_remedy(tmp_path: Path) -> None:
    root = tmp_path / "study"
    short_study(root).record.close()
    assert "run isopath analyse" in refusal(isopath("report", root))

    (root / "results.json").write_text(json.dumps({"results_version": 1}))

    assert "is of version 1" in refusal(isopath("report", root, "--format", "pdf"))
    assert not (root / "report.pdf").exists()
    opened = open_study(root)
    assert opened.record.verify().sequence > 0
    opened.record.close()


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_written(
    study: Path, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")

    assert "cannot be made" in refusal(isopath("report", study, "--figures", taken / "figures"))
