"""The report as data, and as one self-contained HTML file.

`build_report` decides what is said; `render_html` only formats it. Both are
functions of the results alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template

from analysis.figures.drawing import SIMULATED
from analysis.report.blocks import Section
from analysis.report.sections import all_sections, subtitle_of
from analysis.results import Results


@dataclass(frozen=True)
class Report:
    """What is said, in order.

    Args:
        title, subtitle: of the study.
        banner: said on every page and in every section, or None.
        sections: in reading order.
    """

    title: str
    subtitle: str
    banner: str | None
    sections: tuple[Section, ...]


def build_report(results: Results) -> Report:
    """Everything the report says about these results."""
    return Report(
        title=results.study["title"],
        subtitle=subtitle_of(results),
        banner=SIMULATED if results.simulated else None,
        sections=all_sections(results),
    )


def render_html(report: Report) -> str:
    """One HTML file: styles and pictures inside, no script, no request to anywhere."""
    return _template().render(report=report)


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = resources.files("analysis.report").joinpath("templates/report.html.j2").read_text("utf-8")
    return environment.from_string(source)
