"""The contrasts of every endpoint with their intervals and margins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.figures.drawing import (
    FAINT,
    INK,
    PAPER,
    SOFT,
    WIDE_IN,
    WIDTH_IN,
    FigureImage,
    label_axes,
    legend_below,
    number_axis,
    open_axes,
    picture,
    results_figure,
)
from analysis.figures.lettering import fitted, text_width_in
from analysis.figures.names import beside, endpoint_name, reported
from analysis.results import Results
from analysis.words import ENGLISH, Words

_SIZE = 8
_LINE_IN = 0.155
_BAR_IN = 0.2
_HEADING_IN = 0.26
_TALLEST_IN = 8.5
"""A forest taller than this takes the page's width, so that its labels stay on one line."""
_EQUIVALENCE = "equivalence"


@dataclass(frozen=True)
class _Line:
    """A row of the plot: a heading (no row) or a contrast."""

    text: tuple[str, ...]
    row: Mapping[str, Any] | None = None
    is_endpoint: bool = False
    margin: Mapping[str, Any] | None = None

    @property
    def height_in(self) -> float:
        return len(self.text) * _LINE_IN + (0.11 if self.row is None else _BAR_IN)


def forest_image(results: Results, words: Words = ENGLISH) -> FigureImage:
    """Adjusted differences of every endpoint and contrast with 95 % intervals.

    Where a contrast has a margin, the region within it is shaded, and the interval that the
    margin is held against is drawn thick.
    """
    title = words.text("figure.forest.title")
    if any(row.get("margin") is not None for row in results.equivalence):
        title += " " + words.text("figure.forest.title_margin")
    said = [words.text("figure.forest.alt")]
    said += [
        words.text(
            "figure.forest.alt_row",
            endpoint=endpoint_name(words, effects["endpoint"]),
            contrast=row["label"],
            estimate=reported(words, row),
        )
        for effects in (results.primary, *results.secondary)
        for row in effects["contrasts"]
    ]
    said += [
        words.text(
            "figure.forest.alt_margin",
            contrast=_contrast_label(results, row),
            margin=words.number(row["margin"]),
            interval=words.ci(row["ci_low"], row["ci_high"], percent=_percent(row)),
        )
        for row in results.equivalence
        if row.get("margin") is not None and row["estimate"] is not None
    ]
    return picture("forest", title, " ".join(said), partial(_draw, results, words))


def _draw(results: Results, words: Words) -> Figure:
    width_in = WIDTH_IN
    lines = _lines(results, words, width_in)
    if sum(line.height_in for line in lines) > _TALLEST_IN:
        width_in = WIDE_IN
        lines = _lines(results, words, width_in)
    height_in = sum(line.height_in for line in lines) + 0.1
    keys = _keys(results, words)
    figure = results_figure(results, words, height_in + 0.55 + 0.2 * len(keys), width_in)
    axes = figure.add_subplot()
    open_axes(axes)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    axes.axvline(0, color=SOFT, linewidth=1, zorder=0)
    reach = _reach(results)
    axes.set(xlim=(-reach, reach), ylim=(-height_in, 0))
    y = 0.0
    for line in lines:
        if line.row is None:
            y -= 0.11
            _beside(axes, 0, y, "\n".join(line.text), fontweight="bold")
            y -= len(line.text) * _LINE_IN
        else:
            _draw_contrast(axes, y, line, words)
            y -= line.height_in
    label_axes(axes, words.text("figure.forest.axis"), x_in=0.85 * width_in)
    number_axis(axes.xaxis, words)
    legend_below(figure, keys)
    return figure


def _lines(results: Results, words: Words, width_in: float) -> list[_Line]:
    lines = []
    room_in = width_in - 0.25
    margins = {
        row["contrast_id"]: row
        for row in results.equivalence
        if row.get("margin") is not None and row["estimate"] is not None
    }
    for effects in (results.primary, *results.secondary):
        if not effects["contrasts"]:
            continue
        is_endpoint = effects["endpoint"] == results.study["endpoint"]
        heading = endpoint_name(words, effects["endpoint"])
        if effects["endpoint"] == "distance":
            heading += f" ({words.text('figure.forest.distance_note')})"
        lines.append(_Line(tuple(fitted(heading, room_in, _SIZE, bold=True))))
        for row in effects["contrasts"]:
            beside_in = text_width_in(beside(words, row), _SIZE) + 0.15
            lines.append(
                _Line(
                    tuple(fitted(row["label"], room_in - beside_in, _SIZE)),
                    row,
                    is_endpoint,
                    margins.get(row["contrast_id"]) if is_endpoint else None,
                )
            )
    return lines


def _draw_contrast(axes: Axes, y: float, line: _Line, words: Words) -> None:
    row, main = line.row or {}, line.is_endpoint
    _beside(axes, 0, y, "\n".join(line.text))
    is_there = row["estimate"] is not None
    _beside(axes, 1, y, beside(words, row), ha="right", color=INK if is_there else SOFT)
    at = y - len(line.text) * _LINE_IN - 0.45 * _BAR_IN
    if line.margin is not None:
        _draw_margin(axes, at, line.margin)
    if not is_there:
        return
    if row["ci_low"] is not None:
        axes.plot(
            [row["ci_low"], row["ci_high"]], [at, at], color=INK, linewidth=1.8 if main else 1.1, zorder=3
        )
    fill = INK if main else PAPER
    axes.plot(
        row["estimate"], at, marker="D" if main else "o", ms=6.5 if main else 5.5, mfc=fill, mec=INK, zorder=5
    )


def _draw_margin(axes: Axes, at: float, row: Mapping[str, Any]) -> None:
    low, high = _margins(row)
    left, right = axes.get_xlim()
    half = 0.075
    axes.fill_between(
        [left if low is None else low, right if high is None else high],
        at - half,
        at + half,
        facecolor=FAINT,
        alpha=0.55,
        linewidth=0,
        zorder=1,
    )
    for edge in (low, high):
        if edge is not None:
            axes.plot([edge, edge], [at - half, at + half], color=INK, linewidth=1.1, linestyle=":", zorder=2)
    if row["ci_low"] is not None and row["ci_high"] is not None:
        axes.plot(
            [row["ci_low"], row["ci_high"]],
            [at, at],
            color=SOFT,
            linewidth=5,
            solid_capstyle="butt",
            zorder=2,
        )


def _margins(row: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Lower and upper edge of what still counts as alike; None where that side is open."""
    margin = float(row["margin"])
    if row["aim"] == _EQUIVALENCE:
        return -margin, margin
    # The side that is tested is the one that has a p-value: -margin where higher is better.
    return (
        (None, margin) if row.get("p_lower") is None and row.get("p_upper") is not None else (-margin, None)
    )


def _keys(results: Results, words: Words) -> list[Any]:
    rows = [row for row in results.equivalence if row.get("margin") is not None]
    if not rows:
        return []
    return [
        Patch(
            facecolor=FAINT,
            alpha=0.55,
            edgecolor=INK,
            linestyle=":",
            label=words.text("figure.forest.margin"),
        ),
        Line2D([], [], color=SOFT, linewidth=5, label=words.level(_percent(rows[0]))),
    ]


def _percent(row: Mapping[str, Any]) -> float:
    return round(100 * float(row.get("ci_level") or 0.9), 1)


def _reach(results: Results) -> float:
    ends = [
        abs(row[key])
        for effects in (results.primary, *results.secondary)
        for row in effects["contrasts"]
        for key in ("ci_low", "ci_high", "estimate")
        if row[key] is not None
    ]
    ends += [1.2 * abs(row["margin"]) for row in results.equivalence if row.get("margin") is not None]
    return 1.1 * max(ends, default=1.0) or 1.0


def _contrast_label(results: Results, row: Mapping[str, Any]) -> str:
    rows: Sequence[Mapping[str, Any]] = results.primary["contrasts"]
    return next((str(r["label"]) for r in rows if r["contrast_id"] == row["contrast_id"]), str(row["label"]))


def _beside(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:
    axes.text(
        x,
        y,
        text,
        transform=axes.get_yaxis_transform(),
        fontsize=_SIZE,
        linespacing=1.25,
        in_layout=False,
        zorder=6,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.5},
        **{"va": "top", **style},
    )
