"""The report as a file, in each format there is."""

from __future__ import annotations

from typing import assert_never

from analysis.report.build import Report
from analysis.report.file_format import Format


def render(report: Report, form: Format) -> bytes:
    """The whole report as one file of that format; the same report gives the same bytes."""
    # Each format's library loads only where it is asked for.
    match form:
        case Format.HTML:
            from analysis.report.html_file import render_html

            return render_html(report).encode()
        case Format.PDF:
            from analysis.report.pdf_file import render_pdf

            return render_pdf(report)
        case Format.DOCX:
            from analysis.report.word_file import render_docx

            return render_docx(report)
        case other:
            assert_never(other)
