"""The picture of a data set's card: hours of music over the circumplex, and each quadrant's share."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from generation.training.corpora.data_card import ALL, DataCard
from generation.training.corpora.plane import Quadrant
from study.errors import OutOfRange
from study.folder import write_whole

_FORMATS = (".png", ".svg", ".pdf")
_TICKS = (-1.0, -0.5, 0.0, 0.5, 1.0)
_CORNER_OF = {"V+A+": (1, 1), "V+A−": (1, -1), "V−A+": (-1, 1), "V−A−": (-1, -1)}
_LEAST_RANGE = 10.0


def draw_data_card(card: DataCard, path: Path) -> None:
    """Draw a card into a PNG, SVG or PDF file, by its ending.

    Raises:
        OutOfRange: the ending is no picture format.
        StorageError: the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in _FORMATS:
        raise OutOfRange(str(path), "is not the name of a picture", "end it with " + ", ".join(_FORMATS))
    picture = io.BytesIO()
    dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    # An SVG of the same card is the same file: no date, no random names of its parts.
    with rc_context({"svg.hashsalt": "isopath"}):
        figure(card).savefig(picture, format=kind[1:], dpi=150, metadata=dates.get(kind))
    write_whole(path, picture.getvalue())


def figure(card: DataCard) -> Figure:
    """The circumplex with hours of windows in bins, darker for more, and the quadrants' shares of hours.

    The scale is logarithmic where the fullest bin holds ten times the emptiest, so that a rare corner shows.
    """
    drawn = Figure(figsize=(7.4, 6.6), layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.add_subplot()
    hours = np.array(card.plane.hours)
    filled = np.ma.masked_less_equal(hours, 0.0)
    if filled.count():
        mesh = axes.pcolormesh(
            card.plane.edges, card.plane.edges, filled, cmap="Blues", norm=_norm(filled), linewidth=0
        )
        drawn.colorbar(mesh, ax=axes, label="hours of windows", shrink=0.8, format="%g")
    _frame(axes)
    for quadrant in card.quadrants[ALL]:
        _write_share(axes, quadrant)
    placed = sum(quadrant.windows for quadrant in card.quadrants[ALL])
    axes.set_title(
        f"{card.name}: {card.splits[ALL].tracks:,} tracks, {card.splits[ALL].hours:,.1f} h\n"
        f"{placed:,} of {card.splits[ALL].windows:,} windows on the plane ({card.perspective})",
        fontsize=11,
        pad=24,
        parse_math=False,
    )
    return drawn


def _norm(filled: np.ma.MaskedArray) -> Normalize:
    least, most = float(filled.min()), float(filled.max())
    if most >= _LEAST_RANGE * least:
        return LogNorm(least / 2, most)
    return Normalize(0.0, most)


def _frame(axes: Axes) -> None:
    axes.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xlabel="valence", ylabel="arousal")
    axes.set_xticks(_TICKS)
    axes.set_yticks(_TICKS)
    axes.axhline(0, color="#444444", linewidth=0.8)
    axes.axvline(0, color="#444444", linewidth=0.8)
    axes.add_patch(Circle((0, 0), 1.0, fill=False, edgecolor="#888888", linewidth=0.8))


def _write_share(axes: Axes, quadrant: Quadrant) -> None:
    right, up = _CORNER_OF[quadrant.name]
    share = "–" if quadrant.share_of_hours is None else f"{quadrant.share_of_hours:.1%}"
    axes.annotate(
        f"{quadrant.name}: {share}, {quadrant.hours:,.1f} h",
        (right, up),
        # Outside the plane, whose corners may be full; below the ticks' own numbers.
        xytext=(0, 6 if up > 0 else -38),
        textcoords="offset points",
        ha="right" if right > 0 else "left",
        va="bottom" if up > 0 else "top",
        fontsize=10,
        fontweight="bold",
    )
