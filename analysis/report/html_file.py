"""The report as one HTML file: styles and pictures inside, no script, no request to anywhere."""

from __future__ import annotations

from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from analysis.report.blocks import pieces_of, plain_of
from analysis.report.build import Report


def render_html(report: Report) -> str:
    """One HTML file, readable anywhere."""
    return _template().render(report=report)


def _spoken(text: str) -> Markup:
    """The text with its English pieces marked for who hears it read."""
    return Markup("").join(
        Markup('<span lang="en">{}</span>').format(piece) if is_english else escape(piece)
        for piece, is_english in pieces_of(text)
    )


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"spoken": _spoken, "plain": plain_of}
    source = resources.files("analysis.report").joinpath("templates/report.html.j2").read_text("utf-8")
    return environment.from_string(source)
