"""What a report can be written as."""

from __future__ import annotations

from enum import StrEnum


class Format(StrEnum):
    """A kind of file; the value is its ending."""

    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"
