"""The report as data: what is said, in order. Writing it to a file is for the format's own module.

Everything is a function of the results alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count

from analysis.figures.all_figures import report_figures
from analysis.figures.drawing import FigureImage
from analysis.report.blocks import Block, Pictures, Section, Table
from analysis.report.sections import all_sections, subtitle_of
from analysis.results import Results
from analysis.words import ENGLISH, Words


@dataclass(frozen=True)
class Report:
    """What is said, in order.

    Args:
        title, subtitle: of the study.
        language: of everything but the pieces marked as English.
        banners: said on every page and in every section: simulated people, arms dealt anew; or none.
        sections: in reading order, tables and figures numbered.
        contents, nothing, footer: headings and lines of the report's frame.
    """

    title: str
    subtitle: str
    language: str
    banners: tuple[str, ...]
    sections: tuple[Section, ...]
    contents: str
    nothing: str
    footer: str

    @property
    def banner(self) -> str | None:
        """Every banner in one line; None where there is none."""
        return " · ".join(self.banners) or None

    @property
    def images(self) -> tuple[FigureImage, ...]:
        """Every figure, in reading order."""
        return tuple(
            image
            for section in self.sections
            for block in section.blocks
            if isinstance(block, Pictures)
            for image in block.images
        )


def build_report(
    results: Results, words: Words = ENGLISH, images: Mapping[str, FigureImage] | None = None
) -> Report:
    """Everything the report says about these results.

    Args:
        images: figures by name; None draws every one there are data for.
    """
    tables, figures = count(1), count(1)
    drawn = report_figures(results, words) if images is None else images
    return Report(
        title=results.study["title"],
        subtitle=subtitle_of(results, words),
        language=words.language,
        banners=tuple(_banners(results, words)),
        sections=tuple(
            replace(
                section,
                blocks=tuple(_numbered(block, words, tables, figures) for block in section.blocks),
            )
            for section in all_sections(results, words, drawn)
        ),
        contents=words.text("report.contents"),
        nothing=words.text("report.nothing"),
        footer=words.text("report.footer"),
    )


def _banners(results: Results, words: Words) -> Iterator[str]:
    if results.simulated:
        yield words.text("figure.band.simulated")
    if results.shuffled:
        yield words.text("figure.band.shuffled")


def _numbered(block: Block, words: Words, tables: Iterator[int], figures: Iterator[int]) -> Block:
    if isinstance(block, Table):
        return replace(block, caption=words.text("report.table", n=next(tables), caption=block.caption))
    if isinstance(block, Pictures):
        captions = tuple(
            words.text("report.figure", n=next(figures), caption=image.title) for image in block.images
        )
        return replace(block, captions=captions)
    return block
