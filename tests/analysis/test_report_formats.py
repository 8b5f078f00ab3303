"""One report, three files: the same words and numbers in each, each fit for its reader."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import typst
from docx import Document
from docx.oxml.ns import qn
from matplotlib.image import imread

from analysis.figures.flow import flow_image
from analysis.figures.forest import forest_image
from analysis.report.blocks import Pictures
from analysis.report.build import Report, build_report
from analysis.report.file_format import Format
from analysis.report.formats import render
from analysis.report.html_file import render_html
from analysis.report.pdf_file import FONTS, quoted, write_source
from analysis.report.word_file import render_docx
from analysis.words import LANGUAGES, STYLES, Words
from study.events import AdverseEventReported
from study.path import PathKind
from study.protocol import Design
from tests.analysis.made_study import make_protocol, simulate
from tests.analysis.test_report import page_of, results_of

NUMBER = re.compile(r"[−<>]?\d*[.,·]?\d+")
WILD = '"# $x$ \\ *a* _b_ @c `d` <e> [f] {g} // /* end'
ALARM = (138, 31, 17)


@cache
def report_of(language: str, style: str, which: str = "three arms") -> Report:
    if which == "three arms":
        study = simulate(make_protocol((PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE)), 12)
        study.add(AdverseEventReported("emotional", "mild", "possible", WILD), "sub-001", "ses-01")
    else:
        study = simulate(make_protocol(design=Design.CROSSOVER), 6)
    results = results_of(study)
    words = Words(language, style)
    return build_report(
        results, words, {"flow": flow_image(results, words), "forest": forest_image(results, words)}
    )


def html_text(report: Report) -> str:
    page = render_html(report)
    body = re.sub(r"<svg.*?</svg>", " ", page[page.index("<main>") : page.index("</main>")], flags=re.DOTALL)
    # Banners stand in every section of the page, and in the header of the others.
    body = re.sub(r'<p class="banner">.*?</p>', "", body)
    return " ".join(page_of(body).text)


def pdf_text(report: Report, folder: Path) -> str:
    source = write_source(report, folder).read_text()
    source = source[source.index("#outline") :]
    source = re.sub(r'image\("[^"]*", alt: "(?:[^"\\]|\\.)*"', "", source)
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', source)[1:-1]
    return " ".join(one.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\") for one in strings)


@cache
def docx_of(language: str, style: str, which: str = "three arms") -> bytes:
    return render_docx(report_of(language, style, which))


def docx_text(content: bytes) -> str:
    body = Document(io.BytesIO(content)).element.body
    said = [
        "".join((one.text or "") if one.tag == qn("w:t") else " " for one in p.iter(qn("w:t"), qn("w:tab")))
        for p in body.iter(qn("w:p"))
    ]
    return " ".join(said[2:-1])


@pytest.mark.parametrize("which", ["three arms", "crossover"])
@pytest.mark.parametrize(("language", "style"), [("en", "apa"), ("de", "lancet")])
def test_every_number_is_the_same_in_all_three(language: str, style: str, which: str, tmp_path: Path) -> None:
    report = report_of(language, style, which)
    html, pdf, docx = (
        html_text(report),
        pdf_text(report, tmp_path),
        docx_text(docx_of(language, style, which)),
    )

    in_html, in_pdf, in_docx = (Counter(NUMBER.findall(text)) for text in (html, pdf, docx))

    assert in_html.total() > 300
    assert in_pdf == in_html
    assert in_docx == in_html


def test_every_word_is_the_same_in_all_three(tmp_path: Path) -> None:
    report = report_of("de", "lancet")
    html, pdf, docx = (
        re.sub(r"\s+", "", text)
        for text in (html_text(report), pdf_text(report, tmp_path), docx_text(docx_of("de", "lancet")))
    )
    words = {re.sub(r"\s+", "", row) for section in report.sections for row in (section.heading,)}

    assert all(one in html and one in pdf and one in docx for one in words)
    assert len(html) == pytest.approx(len(pdf), rel=0.02)
    assert len(html) == pytest.approx(len(docx), rel=0.02)


@pytest.mark.parametrize("form", Format)
def test_the_same_report_gives_the_same_bytes(form: Format) -> None:
    report = report_of("en", "apa", "crossover")

    assert render(report, form) == render(report, form)


def test_nothing_anybody_wrote_is_taken_for_a_command(tmp_path: Path) -> None:
    report = report_of("en", "apa")

    assert quoted(WILD) in write_source(report, tmp_path).read_text()
    assert render(report, Format.PDF).startswith(b"%PDF")
    assert WILD in docx_text(docx_of("en", "apa"))


def test_a_label_with_control_signs_and_foreign_letters_does_not_stop_any_format() -> None:
    protocol = make_protocol()
    arms = (replace(protocol.arms[0], label="bell \x07 음악"), *protocol.arms[1:])
    report = build_report(results_of(simulate(replace(protocol, arms=arms), 2)), Words("de"), {})

    assert all(render(report, form) for form in Format)
    assert "음악" in docx_text(render(report, Format.DOCX))


def test_the_pdf_is_accessible_and_needs_no_font_of_this_machine(tmp_path: Path) -> None:
    document = write_source(report_of("de", "lancet"), tmp_path)

    made, warnings = typst.compile_with_warnings(
        document,
        root=tmp_path,
        font_paths=[FONTS],
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards="ua-1",
    )

    assert made.startswith(b"%PDF")
    assert warnings == []
    headings = typst.query(document, "heading", root=tmp_path, font_paths=[FONTS])
    assert headings.count('"level": 1') >= 15


def test_every_page_of_the_pdf_carries_the_banner(tmp_path: Path) -> None:
    document = write_source(report_of("en", "apa"), tmp_path)

    shares = [share_of_alarm(page) for page in pages_of(document)]

    assert len(shares) > 5
    assert min(shares) > 0.3


def test_a_study_of_people_has_no_banner_on_any_page(tmp_path: Path) -> None:
    results = results_of(simulate(make_protocol(), 2, rehearsal=False))
    document = write_source(build_report(results, images={}), tmp_path)

    assert max(share_of_alarm(page) for page in pages_of(document)) == 0


def pages_of(document: Path) -> list[bytes]:
    compiler = typst.Compiler(document, root=document.parent, font_paths=[FONTS])
    pages = compiler.compile(format="png", ppi=24)
    assert isinstance(pages, list)
    return pages


def share_of_alarm(page: bytes) -> float:
    """How much of the head of the page has the banner's colour."""
    head = (imread(io.BytesIO(page))[: int(24 * 24 / 25.4), :, :3] * 255).round()
    row = (np.abs(head - ALARM).max(axis=2) < 12).mean(axis=1)
    return float(row.max())


@pytest.mark.parametrize("form", Format)
def test_shuffled_arms_are_told_in_every_format(form: Format, tmp_path: Path) -> None:
    results = replace(
        results_of(simulate(make_protocol(), 2, rehearsal=False)), shuffled="Arms were dealt anew by chance."
    )
    report = build_report(results, Words("en"), {})

    assert report.banner == "ARMS SHUFFLED — comparisons mean nothing"
    match form:
        case Format.HTML:
            page = render_html(report)
            assert page.count(report.banner) >= len(report.sections) + 2
        case Format.PDF:
            head = write_source(report, tmp_path).read_text().split("#set page")[0]
            assert quoted(report.banner) in head.split("#let banner = ")[1]
        case Format.DOCX:
            header = Document(io.BytesIO(render_docx(report))).sections[0].header
            assert header.paragraphs[0].text == report.banner


def test_word_has_real_headings_tables_with_header_rows_and_described_pictures() -> None:
    report = report_of("en", "apa")
    document = Document(io.BytesIO(docx_of("en", "apa")))
    pictures = [
        one
        for section in report.sections
        for b in section.blocks
        if isinstance(b, Pictures)
        for one in b.images
    ]

    headings = [p.text for p in document.paragraphs if p.style is not None and p.style.name == "Heading 1"]

    assert headings == [section.heading for section in report.sections]
    assert all(table.rows[0]._tr.xpath("w:trPr/w:tblHeader") for table in document.tables)
    assert [shape._inline.docPr.get("descr") for shape in document.inline_shapes] == [p.alt for p in pictures]
    assert document.sections[0].header.paragraphs[0].text == report.banner


def test_pictures_in_word_have_three_hundred_points_an_inch() -> None:
    content = docx_of("en", "apa")
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        pngs = [parts.read(name) for name in parts.namelist() if name.endswith(".png")]
    document = Document(io.BytesIO(content))
    widths = [int.from_bytes(png[16:20], "big") for png in pngs]

    dpi = [
        width / (shape.width / 914400) for width, shape in zip(widths, document.inline_shapes, strict=True)
    ]

    assert min(dpi) >= 299


def test_a_piece_that_stays_english_is_marked_in_every_format(tmp_path: Path) -> None:
    report = report_of("de", "lancet")

    assert '<span lang="en">It does not hear mode.</span>' in render_html(report)
    assert 'text(lang: "en", "It does not hear mode.")' in write_source(report, tmp_path).read_text()
    body = Document(io.BytesIO(docx_of("de", "lancet"))).element.body
    marked = [r for r in body.iter(qn("w:r")) if r.rPr is not None and r.rPr.find(qn("w:lang")) is not None]
    assert any("".join(t.text for t in r.iter(qn("w:t"))) == "It does not hear mode." for r in marked)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("style", STYLES)
def test_every_language_and_style_makes_a_whole_report(language: str, style: str) -> None:
    html = render_html(report_of(language, style, "crossover"))

    assert f'<html lang="{language}">' in html
    assert "None" not in html_text(report_of(language, style, "crossover"))
    assert not re.search("[\ue000\ue001]", html)
    decimals = {"en": {"apa": ".", "lancet": "·"}, "de": {"apa": ",", "lancet": ","}}[language][style]
    assert re.search(rf"\d{re.escape(decimals)}\d\d", html_text(report_of(language, style, "crossover")))
