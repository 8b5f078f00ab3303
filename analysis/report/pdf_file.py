"""The report as PDF/UA-1: tagged, A4, page numbers, and every banner in the header of each page.

The report becomes a Typst document, in which every word is a quoted string (so
that nothing anybody wrote is ever taken for a command), and the pictures stand
beside it in a folder that is gone when the PDF is made. Typst reads no package
and no network. DejaVu Sans comes with Matplotlib; letters that it lacks are
looked for among the machine's fonts.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl

from analysis.figures.drawing import FigureImage
from analysis.report.blocks import Block, Bullets, Facts, Heading, Pictures, Section, Table, Text, pieces_of
from analysis.report.build import Report

FONT = "DejaVu Sans"
FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
DOCUMENT = "report.typ"
TEXT_WIDTH_MM = 176.0
MOST_ROWS_KEPT = 16

_STYLE = """
#set page(paper: "a4", margin: (top: 24mm, bottom: 20mm, x: 17mm),
  header: context { banner },
  footer: context align(right, text(8pt, fill: luma(80), counter(page).display("1 / 1", both: true))))
#set text(font: FONT, size: 9pt, lang: LANGUAGE, hyphenate: false)
#set par(leading: 0.62em, spacing: 0.95em)
#set heading(numbering: none)
#show heading.where(level: 1): it => block(width: 100%, above: 2.2em, below: 0.9em, sticky: true,
  stroke: (top: 1.4pt + luma(20)), inset: (top: 5pt), text(14pt, it.body))
#show heading.where(level: 2): it => block(above: 1.6em, below: 0.8em, sticky: true, text(11pt, it.body))
#show figure: set block(breakable: true)
#show figure.where(kind: table): it => {
  show figure.caption: c => block(width: 100%, sticky: true, align(left, text(9pt, weight: "bold", c.body)))
  it
}
#show figure.where(kind: image): it => {
  show figure.caption: c => block(width: 100%, below: 1.4em, align(left, text(8pt, fill: luma(60), c.body)))
  it
}
#show figure.where(kind: image): set figure.caption(position: bottom)
#show figure.where(kind: table): set figure.caption(position: top)
#show figure.where(kind: image): set block(breakable: false)
#set table(stroke: (x, y) => (bottom: if y == 0 { 0.9pt + luma(20) } else { 0.4pt + luma(190) }),
  inset: (x: 3pt, y: 3.5pt), align: left + top)
#show table.cell: set text(7.6pt)
#show table.cell: set par(justify: false)
#show table.cell.where(y: 0): set text(weight: "bold")
#show regex("[0-9a-f]{64}"): set text(7.2pt)
#let headline(body) = block(below: 1.4em, { set par(leading: 0.4em); text(19pt, weight: "bold", body) })
#let note(body) = block(above: 0.5em, below: 1.5em, text(7.6pt, fill: luma(75), body))
"""


def render_pdf(report: Report) -> bytes:
    """One PDF file; the same report gives the same bytes."""
    import typst

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        made: bytes = typst.compile(
            write_source(report, root), root=root, font_paths=[FONTS], format="pdf", pdf_standards="ua-1"
        )
    return made


def write_source(report: Report, folder: Path) -> Path:
    """Write the Typst document and its pictures; returns the document's path."""
    for image in report.images:
        (folder / _file_of(image)).write_text(image.svg, "utf-8")
    path = folder / DOCUMENT
    path.write_text("\n".join(_document(report)) + "\n", "utf-8")
    return path


def quoted(text: str) -> str:
    """A Typst string that holds exactly this text."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(letter, letter) for letter in text) + '"'


def _document(report: Report) -> Iterator[str]:
    title = f"[{report.banner}] {report.title}" if report.banner else report.title
    yield f"#set document(title: {quoted(title)}, author: (), date: none)"
    yield f"#let FONT = {quoted(FONT)}"
    yield f"#let LANGUAGE = {quoted(report.language)}"
    yield f"#let banner = {_banner(report)}"
    yield _STYLE
    yield f"#headline({quoted(report.title)})"
    yield f"#par({_content(report.subtitle)})"
    yield f"#outline(title: {quoted(report.contents)}, depth: 1)"
    for section in report.sections:
        yield from _section(section, report)
    yield f"#v(2em)\n#note({quoted(report.footer)})"


def _banner(report: Report) -> str:
    if report.banner is None:
        return "none"
    body = f'text(8.5pt, weight: "bold", fill: white, {quoted(report.banner)})'
    return f'block(width: 100%, fill: rgb("#8a1f11"), inset: 4pt, align(center, {body}))'


def _section(section: Section, report: Report) -> Iterator[str]:
    yield f"#heading(level: 1, {_content(section.heading)})"
    for block in section.blocks:
        yield from _block(block, report)


def _block(block: Block, report: Report) -> Iterator[str]:
    match block:
        case Heading():
            yield f"#heading(level: 2, {_content(block.text)})"
        case Text():
            body = _content(block.text)
            yield f"#par(text(10.5pt, {body}))" if block.lead else f"#par({body})"
        case Bullets():
            yield f"#list({', '.join(map(_content, block.items))})"
        case Facts():
            cells = ", ".join(f"strong({_content(term)}), {_content(told)}" for term, told in block.items)
            yield f"#grid(columns: (30%, 1fr), column-gutter: 8pt, row-gutter: 6pt, {cells})"
        case Table():
            yield from _table(block, report)
        case Pictures():
            yield from _pictures(block)


def _table(table: Table, report: Report) -> Iterator[str]:
    header = ", ".join(map(_content, table.columns))
    rows = table.rows or ((report.nothing, *("" for _ in table.columns[1:])),)
    cells = ",\n  ".join(", ".join(_content(cell) for cell in row) for row in rows)
    columns = ", ".join(_widths(table))
    made = f"table(columns: ({columns},), table.header({header}),\n  {cells})"
    caption = _content(table.caption)
    figure = f"figure(kind: table, supplement: none, numbering: none, caption: {caption},\n {made})"
    note = f"note({_content(table.note)})" if table.note else "v(0.4em)"
    # A table that fits on a page with room to spare is kept on one.
    whole = "false" if len(rows) <= MOST_ROWS_KEPT else "true"
    yield f"#block(breakable: {whole}, {{ {figure}\n {note} }})"


def _widths(table: Table) -> list[str]:
    """A share of the page for each column, by its longest text and the longest word of its heading."""
    return [
        f"{max(min(max(map(len, cells)), 34), 1.15 * _longest_word(heading), 3) + 2.5:g}fr"
        for heading, cells in zip(table.columns, _columns(table), strict=True)
    ]


def _columns(table: Table) -> list[tuple[str, ...]]:
    return [tuple(row[place] for row in table.rows) or ("",) for place in range(len(table.columns))]


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _pictures(pictures: Pictures) -> Iterator[str]:
    is_paired = not pictures.wide and len(pictures.images) > 1
    figures = [
        f"figure(kind: image, supplement: none, numbering: none, caption: {_content(caption)}, "
        f"image({quoted(_file_of(image))}, alt: {quoted(image.alt)}, "
        f"width: {'100%' if is_paired else _width(image)}))"
        for image, caption in pictures.captioned
    ]
    if is_paired:
        yield f"#grid(columns: (1fr, 1fr), column-gutter: 12pt, row-gutter: 14pt, {', '.join(figures)})"
    else:
        yield from (f"#{figure}" for figure in figures)


def _width(image: FigureImage) -> str:
    """The figure's own width, or the page's where that is less."""
    return f"{min(_natural_mm(image), TEXT_WIDTH_MM):.1f}mm"


def _natural_mm(image: FigureImage) -> float:
    found = re.search(r'viewBox="0 0 ([\d.]+) ', image.svg)
    return float(found[1]) / 72 * 25.4 if found else TEXT_WIDTH_MM


def _file_of(image: FigureImage) -> str:
    return f"{image.figure_id}.svg"


def _content(text: str) -> str:
    """Content of the text, its English pieces set as such."""
    parts = [
        f'text(lang: "en", {quoted(piece)})' if is_english else f"[#{quoted(piece)}]"
        for piece, is_english in pieces_of(text)
    ]
    return " + ".join(parts) if parts else "[]"
