"""How wide letters are, and lines of text that keep to a width."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.textpath import text_to_path

#: Asked in this order for letters that DejaVu Sans lacks, where they are installed.
_OTHER_FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans CJK KR",
    "WenQuanYi Zen Hei",
    "Hiragino Sans",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Arial Unicode MS",
)


def wrapped(text: str, letters: int) -> str:
    """The text in lines of at most that many letters; a count stays on one line."""
    return "\n".join(textwrap.wrap(text.replace("(n = ", "(n\u00a0=\u00a0"), letters))


def fitted(text: str, width_in: float, fontsize: float = 8, bold: bool = False) -> list[str]:
    """The text in lines no wider than that; a count stays on one line, a word too long is broken."""
    lines: list[str] = []
    for word in text.replace("n = ", "n\u00a0=\u00a0").split(" "):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width_in(joined, fontsize, bold) <= width_in:
            lines[-1] = joined
            continue
        rest = word
        while text_width_in(rest, fontsize, bold) > width_in and len(rest) > 1:
            letters = max(
                (n for n in range(1, len(rest)) if text_width_in(rest[:n], fontsize, bold) <= width_in),
                default=1,
            )
            lines.append(rest[:letters])
            rest = rest[letters:]
        lines.append(rest)
    return lines


def on_one_line(name: str, after: str, width_in: float, fontsize: float = 8, bold: bool = False) -> str:
    """Name and what follows it on one line no wider than that; a name too long is cut, and shows it."""
    whole = name + after
    kept = len(name)
    while kept > 1 and text_width_in(whole, fontsize, bold) > width_in:
        kept -= 1
        whole = f"{name[:kept].rstrip()}…{after}"
    return whole


@cache
def text_width_in(text: str, fontsize: float, bold: bool = False) -> float:
    """How wide a line of text is set, in inches."""
    font = FontProperties(family=font_families(), size=fontsize, weight="bold" if bold else "normal")
    with boxes_for_strange_letters():
        width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


@cache
def font_families() -> list[str]:
    """The fonts that are asked for a letter, in order."""
    installed = set(fontManager.get_font_names())
    return ["DejaVu Sans", *(name for name in _OTHER_FONTS if name in installed)]


@contextmanager
def boxes_for_strange_letters() -> Iterator[None]:
    """Draw a letter that no installed font has as a box, without a warning.

    Caption, alternative text and tables still show it.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield
