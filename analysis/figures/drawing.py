"""How every figure looks, and how it becomes SVG or PNG.

Colours are Okabe & Ito's (2008), and no meaning hangs on colour alone: each
series has its own marker and line. A figure of simulated participants carries
a band that says so inside the picture, so that a copied picture says it too.
"""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

SIMULATED = "SIMULATED PARTICIPANTS — not people"

INK, SOFT, FAINT, PAPER = "#1b1b1b", "#5a5a5a", "#d4d4d4", "#ffffff"
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#B07D00", "#3A8FBF"

ROUTES: dict[str, dict[str, Any]] = {
    "planned": {"color": INK, "linestyle": (0, (4, 2)), "marker": "s", "linewidth": 1.4, "markersize": 4.5},
    "generated": {"color": BLUE, "linestyle": "-", "marker": "^", "linewidth": 1.4, "markersize": 4.5},
    "felt": {"color": VERMILION, "linestyle": "-", "marker": "o", "linewidth": 2.4, "markersize": 6.5},
}
ROUTE_NAMES = {"planned": "planned", "generated": "generated (MER)", "felt": "felt (mean report)"}

#: Arms in protocol order: colour and marker; begins again where there are more.
ARM_MARKS = ((VERMILION, "o"), (BLUE, "^"), (GREEN, "s"), (PURPLE, "D"), (ORANGE, "v"), (SKY, "P"))

WIDTH_IN = 4.2
"""One column on a phone: at 10 points the text stays legible when scaled to 340 px."""

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

_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    # A "$" in a label is a dollar sign.
    "text.parse_math": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "isopath",
}


@dataclass(frozen=True)
class FigureImage:
    """A finished figure.

    Args:
        figure_id: unique in the report; also the prefix of every id in the SVG.
        title: caption.
        alt: what the picture shows, for who cannot see it.
        svg: an ``<svg>`` element without XML declaration.
    """

    figure_id: str
    title: str
    alt: str
    svg: str


def new_figure(height_in: float, simulated: bool, width_in: float = WIDTH_IN) -> Figure:
    """An empty figure, stamped where participants are simulated."""
    reserved = 0.27 / height_in if simulated else 0.0
    layout = ConstrainedLayoutEngine(rect=(0, 0, 1, 1 - reserved))
    figure = Figure(figsize=(width_in, height_in), facecolor=PAPER, layout=layout)
    FigureCanvasAgg(figure)
    if simulated:
        figure.text(
            0.5,
            1 - reserved / 2,
            SIMULATED,
            ha="center",
            va="center",
            fontsize=8.5,
            fontweight="bold",
            color=PAPER,
            bbox={"boxstyle": "square,pad=0.35", "facecolor": "#8a1f11", "edgecolor": "none"},
        )
    return figure


def open_axes(axes: Axes) -> None:
    """Axes without the upper and right line."""
    axes.spines[["top", "right"]].set_visible(False)


def route_handles(names: tuple[str, ...] = ("planned", "generated", "felt")) -> list[Line2D]:
    """Legend entries of the three paths."""
    return [Line2D([], [], label=ROUTE_NAMES[name], **ROUTES[name]) for name in names]


def arm_mark(index: int) -> tuple[str, str]:
    """Colour and marker of the arm with that place in the protocol."""
    return ARM_MARKS[index % len(ARM_MARKS)]


def wrapped(text: str, letters: int) -> str:
    """The text in lines of at most that many letters; a count stays on one line."""
    return "\n".join(textwrap.wrap(text.replace("(n = ", "(n\u00a0=\u00a0"), letters))


def to_svg(figure: Figure, figure_id: str, alt: str) -> str:
    """The figure as an ``<svg>`` element that can stand beside others in one page.

    Args:
        figure_id: letters, digits and hyphens; made the prefix of every id inside.
        alt: becomes the accessible name.
    """
    text = _save(figure, "svg").decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{figure_id}-\1"', text)
    text = re.sub(r'((?:xlink:)?href)="#([^"]+)"', rf'\1="#{figure_id}-\2"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{figure_id}-\1)", text)
    # The size comes from the page; the view box keeps the shape.
    opening, rest = text.split(">", 1)
    width = re.search(r'width="([\d.]+)pt"', opening)
    opening = re.sub(r'\s(width|height)="[^"]*"', "", opening)
    widest = f' style="{_size_style(float(width[1]) / 72)}"' if width else ""
    return f'{opening} role="img" aria-label="{_escaped(alt)}"{widest}>{rest}'


def to_png(figure: Figure, dpi: int = 160) -> bytes:
    """The figure as PNG."""
    return _save(figure, "png", dpi)


def _size_style(width_in: float) -> str:
    # A figure wider than one column scrolls inside its frame before its text grows illegible.
    least = f"min-width:{0.85 * width_in:.2f}in;" if width_in > 1.15 * WIDTH_IN else ""
    return f"width:100%;{least}max-width:{width_in:.2f}in;height:auto"


def _save(figure: Figure, form: Literal["svg", "png"], dpi: int = 72) -> bytes:
    out = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
    with rc_context(_STYLE), warnings.catch_warnings():
        # A label in letters that no installed font has is boxes here; caption and tables still show it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(out, format=form, dpi=dpi, metadata=metadata)
    return out.getvalue()


def styled() -> Any:
    """A context in which axes and texts take the house style when they are made."""
    return rc_context({**_STYLE, "font.family": _font_families()})


@cache
def _font_families() -> list[str]:
    installed = set(fontManager.get_font_names())
    return ["DejaVu Sans", *(name for name in _OTHER_FONTS if name in installed)]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
