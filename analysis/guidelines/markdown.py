"""A document as Markdown, for a repository or a supplement."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.report.blocks import Block, Bullets, Facts, Heading, Pictures, Table, Text
from analysis.report.build import Report


def render_markdown(report: Report) -> str:
    """The whole document; pictures are linked as files beside it, named by their id."""
    lines = [f"# {report.title}", "", report.subtitle, ""]
    lines += [f"**{banner}**\n" for banner in report.banners]
    for section in report.sections:
        lines += [f"## {section.heading}", ""]
        for block in section.blocks:
            lines += [*_block(block), ""]
    return "\n".join([*lines, report.footer]) + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(text):
            yield f"### {text}"
        case Text(text):
            yield text
        case Bullets(items):
            yield from (f"- {item}" for item in items)
        case Facts(items):
            yield from (f"- **{term}**: {what}" for term, what in items)
        case Pictures(images):
            yield from (f"![{image.alt}]({image.figure_id}.svg)" for image in images)
        case Table():
            yield f"**{block.caption}**"
            yield ""
            yield _row(block.columns)
            yield _row(tuple("---" for _ in block.columns))
            yield from map(_row, block.rows)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"
