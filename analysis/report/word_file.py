"""The report as a Word document: real tables and headings, pictures with alternative text."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Emu, Pt, RGBColor

from analysis.report.blocks import Block, Bullets, Facts, Heading, Pictures, Section, Table, Text, pieces_of
from analysis.report.build import Report

DPI = 300
TEXT_WIDTH_CM = 17.0
_ALARM = RGBColor(0x8A, 0x1F, 0x11)
_INK = RGBColor(0x1B, 0x1B, 0x1B)
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def render_docx(report: Report) -> bytes:
    """One Word file; the same report gives the same bytes."""
    document = Document()
    _set_up(document, report)
    document.add_paragraph(report.title, style="Title")
    _write(document.add_paragraph(), report.subtitle)
    for section in report.sections:
        _section(document, section, report)
    _write(document.add_paragraph(), report.footer)
    out = io.BytesIO()
    document.save(out)
    return _undated(out.getvalue())


def _set_up(document: Any, report: Report) -> None:
    page = document.sections[0]
    page.orientation = WD_ORIENT.PORTRAIT
    page.page_width, page.page_height = Cm(21.0), Cm(29.7)
    page.left_margin = page.right_margin = Cm((21.0 - TEXT_WIDTH_CM) / 2)
    page.top_margin, page.bottom_margin = Cm(2.4), Cm(2.0)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Arial", Pt(10)
    _language_of(normal.element.get_or_add_rPr(), report.language)
    for name, size in (("Title", 20), ("Heading 1", 14), ("Heading 2", 11.5)):
        style = document.styles[name]
        style.font.size, style.font.color.rgb, style.font.name = Pt(size), _INK, "Arial"
    properties = document.core_properties
    properties.title = f"[{report.banner}] {report.title}" if report.banner else report.title
    properties.author, properties.comments, properties.language = "", "", report.language
    if report.banner is not None:
        paragraph = page.header.paragraphs[0]
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        run = paragraph.add_run(report.banner)
        run.bold, run.font.color.rgb = True, _ALARM
    _page_number(page.footer.paragraphs[0])


def _section(document: Any, section: Section, report: Report) -> None:
    _write(document.add_heading(level=1), section.heading)
    for block in section.blocks:
        _block(document, block, report)


def _block(document: Any, block: Block, report: Report) -> None:
    match block:
        case Heading():
            _write(document.add_heading(level=2), block.text)
        case Text():
            _write(document.add_paragraph(), block.text, size=11.5 if block.lead else None)
        case Bullets():
            for item in block.items:
                _write(document.add_paragraph(style="List Bullet"), item)
        case Facts():
            _facts(document, block)
        case Table():
            _table(document, block, report)
        case Pictures():
            _pictures(document, block)


def _facts(document: Any, facts: Facts) -> None:
    for term, told in facts.items:
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(3)
        paragraph.paragraph_format.left_indent = Cm(5.0)
        paragraph.paragraph_format.first_line_indent = Cm(-5.0)
        paragraph.paragraph_format.tab_stops.add_tab_stop(Cm(5.0))
        _write(paragraph, term, bold=True)
        paragraph.add_run("\t")
        _write(paragraph, told)


def _table(document: Any, table: Table, report: Report) -> None:
    caption = document.add_paragraph(style="Caption")
    caption.paragraph_format.keep_with_next = True
    _write(caption, table.caption, bold=True)
    rows = table.rows or ((report.nothing, *("" for _ in table.columns[1:])),)
    made = document.add_table(rows=0, cols=len(table.columns), style="Light Shading")
    made.autofit = True
    look = made._tbl.tblPr.first_child_found_in("w:tblLook")
    if look is not None:
        look.attrib.clear()
        look.set(qn("w:val"), "0620")  # Heading row; no bands, no bold first column.
    _row(made, table.columns, is_header=True)
    for row in rows:
        _row(made, row, is_header=False)
    note = document.add_paragraph()
    note.paragraph_format.space_after = Pt(10)
    if table.note:
        _write(note, table.note, size=8.5)


def _row(table: Any, cells: Sequence[str], is_header: bool) -> None:
    row = table.add_row()
    properties = row._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if is_header:
        properties.append(OxmlElement("w:tblHeader"))
    for place, (cell, text) in enumerate(zip(row.cells, cells, strict=True)):
        _write(cell.paragraphs[0], text, size=8.5, bold=is_header or (None if place else False))


def _pictures(document: Any, pictures: Pictures) -> None:
    for image, caption in pictures.captioned:
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.keep_with_next = True
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        shape = paragraph.add_run().add_picture(io.BytesIO(image.png(DPI)))
        widest = Cm(TEXT_WIDTH_CM if pictures.wide else 11.5)
        if shape.width > widest:
            shape.height, shape.width = Emu(int(shape.height * widest / shape.width)), widest
        drawn = shape._inline.docPr
        drawn.set("descr", image.alt)
        drawn.set("title", image.title)
        _write(document.add_paragraph(style="Caption"), caption)


def _write(paragraph: Any, text: str, bold: bool | None = None, size: float | None = None) -> None:
    """Add the text, its English pieces marked for spelling and reading aloud."""
    for piece, is_english in pieces_of(text):
        run = paragraph.add_run(_allowed(piece))
        run.bold = bold
        if size is not None:
            run.font.size = Pt(size)
        if is_english:
            _language_of(run._r.get_or_add_rPr(), "en")


def _allowed(text: str) -> str:
    """The text without the control signs that XML cannot hold."""
    return "".join(letter for letter in text if letter in "\t\n" or ord(letter) >= 32)


def _language_of(properties: Any, language: str) -> None:
    element = OxmlElement("w:lang")
    element.set(qn("w:val"), {"en": "en-GB", "de": "de-DE"}.get(language, language))
    properties.append(element)


def _page_number(paragraph: Any) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    run = paragraph.add_run()
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        if kind is None:
            element = OxmlElement("w:instrText")
            element.set(qn("xml:space"), "preserve")
            element.text = text
        else:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        run._r.append(element)


def _undated(content: bytes) -> bytes:
    """The archive with one fixed date on every part."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, _LONG_AGO), old.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()
