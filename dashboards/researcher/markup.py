"""Pieces of a page as HTML in which every value is text: nothing in a record can become markup.

Streamlit reads Markdown, icons and formulae in most of what it is given; what
people wrote goes through here instead, where all of it is escaped.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

import streamlit as st

Tone = Literal["good", "look", "bad", "quiet"]

_SIGNS: dict[Tone, str] = {"good": "✓", "look": "▲", "bad": "■", "quiet": "○"}


@dataclass(frozen=True)
class Mark:
    """A word with a sign before it, so that its meaning does not hang on colour."""

    tone: Tone
    text: str


@dataclass(frozen=True)
class Link:
    """A word that leads somewhere within this app."""

    href: str
    text: str
    is_download: bool = False


Cell = str | int | float | Mark | Link | None


def show(markup: str) -> None:
    """Put markup on the page."""
    st.html(markup)


def show_style() -> None:
    """The researchers' pages' own style sheet; once a page."""
    st.html(Path(__file__).with_name("staff.css"))


def heading(text: str, lead: str = "", level: int = 1) -> str:
    """A heading, and a sentence under it."""
    under = f'<p class="ip-lead">{escape(lead)}</p>' if lead else ""
    return f'<h{level} class="ip-h{level}" dir="auto">{escape(text)}</h{level}>{under}'


def paragraph(text: str, is_quiet: bool = False) -> str:
    """Lines of text; line breaks stay."""
    quiet = " ip-quiet" if is_quiet else ""
    return f'<p class="ip-text{quiet}" dir="auto">{escape(text)}</p>'


def notice(text: str, tone: Tone = "look", title: str = "") -> str:
    """A box that stands out; read aloud at once where it is bad."""
    role = "alert" if tone == "bad" else "status"
    strong = f"<strong>{escape(title)}</strong> " if title else ""
    return (
        f'<div class="ip-notice ip-notice--{tone}" role="{role}">'
        f'<span aria-hidden="true">{_SIGNS[tone]}</span><p dir="auto">{strong}{escape(text)}</p></div>'
    )


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    empty: str = "",
    is_small: bool = False,
) -> str:
    """A table; on a narrow page each row becomes a card.

    Args:
        caption: what it holds; also its name for a screen reader.
        empty: what to say, and to do, where there are no rows.
        is_small: few and short columns: it stays a table on a narrow page.
    """
    if not rows and empty:
        return f'<h3 class="ip-h3">{escape(caption)}</h3>{paragraph(empty)}'
    kind = "ip-table" if is_small else "ip-table ip-table--cards"
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(f"<tr>{_cells(columns, row)}</tr>" for row in rows)
    return (
        f'<div class="ip-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="{kind}"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def facts(pairs: Sequence[tuple[str, Cell]]) -> str:
    """Names with their values."""
    inside = "".join(f"<div><dt>{escape(name)}</dt><dd>{_cell(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="ip-facts">{inside}</dl>'


def bullets(items: Sequence[Cell]) -> str:
    """A list."""
    return '<ul class="ip-list">' + "".join(f"<li>{_cell(item)}</li>" for item in items) + "</ul>"


def picture(svg: str, alt: str, caption: str = "") -> str:
    """A figure from our own drawing, as an image: nothing in it can run or ask for anything.

    Args:
        svg: an ``<svg>`` element.
        alt: what it shows, for who cannot see it.
    """
    data = base64.b64encode(svg.encode()).decode()
    under = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    image = f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(alt)}">'
    return f'<figure class="ip-figure">{image}{under}</figure>'


def marked(mark: Mark) -> str:
    """A mark as markup."""
    return (
        f'<span class="ip-mark ip-mark--{mark.tone}"><span aria-hidden="true">{_SIGNS[mark.tone]}</span> '
        f"{escape(mark.text)}</span>"
    )


def _cells(columns: Sequence[str], row: Sequence[Cell]) -> str:
    out = []
    for place, (name, value) in enumerate(zip(columns, row, strict=True)):
        number = ' class="ip-number"' if isinstance(value, (int, float)) else ""
        tag, scope = ("th", ' scope="row"') if place == 0 else ("td", "")
        label = f'data-label="{escape(name)}" dir="auto"'
        out.append(f"<{tag}{scope}{number} {label}>{_cell(value)}</{tag}>")
    return "".join(out)


def _cell(value: Cell) -> str:
    match value:
        case None | "":
            return '<span class="ip-quiet" aria-label="nothing">–</span>'
        case Mark():
            return marked(value)
        case Link(href=href, text=text, is_download=is_download):
            how = " download" if is_download else ""
            return f'<a href="{escape(href)}" target="_self"{how}>{escape(text)}</a>'
        case bool():
            return "yes" if value else "no"
        case float():
            return escape(f"{value:g}".replace("-", "−"))
    return escape(str(value))
