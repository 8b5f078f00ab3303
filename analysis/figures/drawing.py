"""How every figure looks, and how it becomes SVG or PNG.

Colours are Okabe & Ito's (2008), and no meaning hangs on colour alone: each
series has its own marker and line. A figure of simulated participants, or of
arms dealt anew, carries a band that says so inside the picture, so that a
copied picture says it too.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, ScalarFormatter

from analysis.figures.lettering import boxes_for_strange_letters, fitted, font_families, text_width_in
from analysis.results import Results
from analysis.words import ENGLISH, Words

SIMULATED = "SIMULATED PARTICIPANTS — not people"

INK, SOFT, FAINT, PAPER = "#1b1b1b", "#5a5a5a", "#d4d4d4", "#ffffff"
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#B07D00", "#3A8FBF"

ROUTES: dict[str, dict[str, Any]] = {
    "planned": {"color": INK, "linestyle": (0, (4, 2)), "marker": "s", "linewidth": 1.4, "markersize": 4.5},
    "generated": {"color": BLUE, "linestyle": "-", "marker": "^", "linewidth": 1.4, "markersize": 4.5},
    "felt": {"color": VERMILION, "linestyle": "-", "marker": "o", "linewidth": 2.4, "markersize": 6.5},
}
#: The thin line lies over the thick one, so that both show where they run together.
ROUTE_LAYERS = {"generated": 3, "felt": 4, "planned": 5}


@dataclass(frozen=True)
class ArmStyle:
    """How an arm is drawn: told from the others by marker, by line and by hatch, each alone."""

    color: str
    marker: str
    linestyle: Any
    hatch: str


#: Arms in protocol order; begins again where there are more than six. No hatch of dots: each dot of
#: its tile is a path, a quarter of a megabyte in all.
ARM_STYLES = (
    ArmStyle(VERMILION, "o", "-", ""),
    ArmStyle(BLUE, "^", (0, (5, 1.6)), "////"),
    ArmStyle(GREEN, "s", (0, (1.4, 1.2)), "\\\\\\\\"),
    ArmStyle(PURPLE, "D", (0, (6, 1.5, 1.4, 1.5)), "xxxx"),
    ArmStyle(ORANGE, "v", (0, (3, 1, 1, 1, 1, 1)), "----"),
    ArmStyle(SKY, "P", (0, (9, 3)), "||||"),
)

WIDTH_IN = 4.2
"""One column on a phone: at 10 points the text stays legible when scaled to 340 px."""
WIDE_IN = 180 / 25.4
"""The widest a printed page takes."""

MANY_POINTS = 2000
"""A cloud of more is drawn as pixels, lest the file grow with the study."""
_PIXELS_PER_IN = 200
_MOST_ROUNDS = 6

BAND_IN = 0.27
_BAND_COLOUR = "#8a1f11"

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
    "hatch.linewidth": 0.6,
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
        draw: draws it anew; what is drawn is a function of the results alone.
    """

    figure_id: str
    title: str
    alt: str
    svg: str
    draw: Callable[[], Figure] | None = field(default=None, compare=False, repr=False)

    def png(self, dpi: int = 300) -> bytes:
        """The figure as PNG.

        Args:
            dpi: pixels per inch; 300 is what journals ask for.

        Raises:
            ValueError: the image was made without a way to draw it.
        """
        if self.draw is None:
            raise ValueError(f"the figure {self.figure_id} holds its SVG only")
        with styled():
            return to_png(self.draw(), dpi)


def picture(figure_id: str, title: str, alt: str, draw: Callable[[], Figure]) -> FigureImage:
    """A figure as it is drawn now, and can be drawn again."""
    with styled():
        return FigureImage(figure_id, title, alt, to_svg(draw(), figure_id, alt), draw)


def new_figure(
    height_in: float, simulated: bool, width_in: float = WIDTH_IN, bands: Sequence[str] = (SIMULATED,)
) -> Figure:
    """An empty figure, stamped where participants are simulated.

    Args:
        height_in: without the bands, which are added above.
        bands: what is stamped where `simulated`.
    """
    stamped = tuple(bands) if simulated else ()
    whole_in = height_in + BAND_IN * len(stamped)
    layout = ConstrainedLayoutEngine(rect=(0, 0, 1, height_in / whole_in))
    figure = Figure(figsize=(width_in, whole_in), facecolor=PAPER, layout=layout)
    FigureCanvasAgg(figure)
    for place, band in enumerate(stamped):
        figure.text(
            0.5,
            1 - (place + 0.5) * BAND_IN / whole_in,
            band,
            ha="center",
            va="center",
            fontsize=8.5,
            fontweight="bold",
            color=PAPER,
            bbox={"boxstyle": "square,pad=0.35", "facecolor": _BAND_COLOUR, "edgecolor": "none"},
        )
    return figure


def results_figure(results: Results, words: Words, height_in: float, width_in: float = WIDTH_IN) -> Figure:
    """An empty figure with the bands that these results ask for."""
    bands = [
        words.text(f"figure.band.{name}")
        for name, is_so in (("simulated", results.simulated), ("shuffled", results.shuffled is not None))
        if is_so
    ]
    return new_figure(height_in, bool(bands), width_in, bands)


def open_axes(axes: Axes) -> None:
    """Axes without the upper and right line."""
    axes.spines[["top", "right"]].set_visible(False)


def arm_style(index: int) -> ArmStyle:
    """How the arm with that place in the protocol is drawn."""
    return ARM_STYLES[index % len(ARM_STYLES)]


def arm_mark(index: int) -> tuple[str, str]:
    """Colour and marker of the arm with that place in the protocol."""
    style = arm_style(index)
    return style.color, style.marker


def route_handles(
    names: Sequence[str] = ("planned", "generated", "felt"), words: Words = ENGLISH
) -> list[Line2D]:
    """Legend entries of the three paths."""
    return [Line2D([], [], label=words.text(f"figure.route.{name}"), **ROUTES[name]) for name in names]


def legend_below(figure: Figure, handles: Sequence[Any], fontsize: float = 8.5) -> None:
    """A legend under the figure in as many columns as its longest entry leaves room for."""
    if not handles:
        return
    longest = max(
        text_width_in(line, fontsize) for handle in handles for line in handle.get_label().split("\n")
    )
    columns = int(figure.get_figwidth() / (longest + 0.55))
    figure.legend(
        handles=list(handles),
        loc="outside lower center",
        ncols=max(1, min(columns, len(handles))),
        frameon=False,
        fontsize=fontsize,
        columnspacing=1.2,
        handletextpad=0.6,
    )


class _WordedTicks(ScalarFormatter):
    """Tick labels with the decimal sign of the words."""

    def __init__(self, sign: str) -> None:
        super().__init__(useOffset=False)
        self._sign = sign

    def __call__(self, x: float, pos: int | None = None) -> str:
        return super().__call__(x, pos).replace(".", self._sign)


def number_axis(axis: Axis, words: Words, most: int = 6) -> None:
    """Tick labels written as the words write numbers.

    Args:
        most: at most so many intervals between ticks, where they are not set. A number that changed
            with the room there is would change the room, and the layout never hold still.
    """
    if not isinstance(axis.get_major_locator(), FixedLocator):
        axis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(_WordedTicks(words.numbers.point))


def label_axes(axes: Axes, x: str = "", y: str = "", x_in: float = 3.2, y_in: float = 1.9) -> None:
    """Axis labels in lines no longer than that."""
    axes.set_xlabel("\n".join(fitted(x, x_in, 9)))
    axes.set_ylabel("\n".join(fitted(y, y_in, 9)))


def to_svg(figure: Figure, figure_id: str, alt: str) -> str:
    """The figure as an ``<svg>`` element that can stand beside others in one page.

    Args:
        figure_id: letters, digits, hyphens and underscores; made the prefix of every id inside.
        alt: becomes the accessible name.
    """
    text = _save(figure, "svg", _PIXELS_PER_IN).decode("utf-8")
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


def styled() -> Any:
    """A context in which axes and texts take the house style when they are made."""
    return rc_context({**_STYLE, "font.family": font_families()})


def settled(figure: Figure) -> Figure:
    """The figure laid out until it holds still: a tick label or a fixed shape may take several rounds."""
    engine = figure.get_layout_engine()
    if engine is None:
        return figure
    before: list[tuple[float, ...]] = []
    for _ in range(_MOST_ROUNDS):
        engine.execute(figure)
        places = [tuple(round(float(end), 4) for end in axes.get_position().extents) for axes in figure.axes]
        if places == before:
            break
        before = places
    figure.set_layout_engine("none")
    return figure


def id_part(name: str) -> str:
    """A name as it may stand in an id of the SVG."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)


def _size_style(width_in: float) -> str:
    # A figure wider than one column scrolls inside its frame before its text grows illegible.
    least = f"min-width:{0.85 * width_in:.2f}in;" if width_in > 1.15 * WIDTH_IN else ""
    return f"width:100%;{least}max-width:{width_in:.2f}in;height:auto"


def _save(figure: Figure, form: Literal["svg", "png"], dpi: int) -> bytes:
    out = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
    with rc_context(_STYLE), boxes_for_strange_letters():
        settled(figure)
        figure.savefig(out, format=form, dpi=dpi, metadata=metadata)
    return out.getvalue()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
