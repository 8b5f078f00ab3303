"""Each person's endpoint before and after, and the arms' means."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.figures.drawing import (
    FAINT,
    PAPER,
    SOFT,
    WIDTH_IN,
    ArmStyle,
    FigureImage,
    arm_style,
    number_axis,
    open_axes,
    picture,
    results_figure,
)
from analysis.figures.lettering import fitted
from analysis.figures.names import endpoint_name, row_title
from analysis.results import Results
from analysis.words import ENGLISH, Words

_PANELS_A_ROW = 3
_MANY_LINES = 500
"""A line is a path of its own in the SVG, five times a point's size."""

Floats = NDArray[np.float64]


def slopegraph_image(results: Results, words: Words = ENGLISH) -> FigureImage:
    """One panel per arm on a common scale: thin lines are people, the thick one their mean."""
    endpoint = endpoint_name(words, results.study["endpoint"])
    title = words.text("figure.slopegraph.title", endpoint=endpoint)
    n = _n_lines(results)
    if n > _MANY_LINES:
        title += " " + words.text("figure.pixels_lines", n=n)
    alt = [words.text("figure.slopegraph.alt", endpoint=endpoint)]
    alt += [_words_of(arm, words) for arm in results.changes]
    return picture("slopegraph", title, " ".join(alt), partial(_draw, results, words))


def _draw(results: Results, words: Words) -> Figure:
    arms = results.changes
    columns = min(max(len(arms), 1), _PANELS_A_ROW)
    rows = -(-max(len(arms), 1) // columns)
    width_in = WIDTH_IN if columns < 3 else 4.75
    figure = results_figure(results, words, 0.4 + 3.0 * rows, width_in)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    room_in = (width_in - 0.65) / columns - 0.08
    many = _n_lines(results) > _MANY_LINES
    for index, axes in enumerate(panels):
        open_axes(axes)
        if index >= len(arms):
            axes.set_axis_off()
            continue
        arm = arms[index]
        axes.set_xlim(-0.35, 1.35)
        axes.set_xticks([0, 1], [words.text("figure.before"), words.text("figure.after_short")], fontsize=8)
        axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
        heading = fitted(row_title(arm["label"], len(arm["pairs"])), room_in, 8.5, bold=True)
        axes.set_title("\n".join(heading), fontsize=8.5, fontweight="bold")
        number_axis(axes.yaxis, words)
        pairs = _pairs(arm)
        if len(pairs):
            _draw_arm(axes, pairs, arm_style(index), many, words)
        else:
            axes.text(
                0.5,
                0.5,
                words.text("figure.no_data"),
                transform=axes.transAxes,
                ha="center",
                color=SOFT,
                fontsize=8,
            )
    everything = np.concatenate([_pairs(arm) for arm in arms]) if arms else np.zeros((0, 2))
    if len(everything):
        edge = 0.06 * max(float(np.ptp(everything)), 0.1)
        panels[0].set_ylim(everything.min() - edge, everything.max() + edge)
    for axes in panels[::columns]:
        axes.set_ylabel(endpoint_name(words, results.study["endpoint"]))
    return figure


def _draw_arm(axes: Axes, pairs: Floats, style: ArmStyle, many: bool, words: Words) -> None:
    lines = np.stack([np.broadcast_to([0.0, 1.0], pairs.shape), pairs], axis=-1)
    alpha = float(np.clip(20 / len(pairs), 0.03, 0.4))
    axes.add_collection(
        LineCollection(
            list(lines), colors=style.color, linewidths=0.8, alpha=alpha, zorder=1, rasterized=many
        )
    )
    means = pairs.mean(axis=0)
    axes.plot([0, 1], means, color=PAPER, linewidth=5, zorder=3)
    axes.plot(
        [0, 1],
        means,
        color=style.color,
        marker=style.marker,
        linestyle=style.linestyle,
        ms=8,
        linewidth=2.6,
        mec=PAPER,
        mew=0.8,
        zorder=4,
    )
    before, after = (words.number(float(mean)) for mean in means)
    axes.set_xlabel(words.text("figure.slopegraph.means", before=before, after=after), fontsize=8)


def _n_lines(results: Results) -> int:
    return sum(len(arm["pairs"]) for arm in results.changes)


def _pairs(arm: Mapping[str, Any]) -> Floats:
    return np.array(arm["pairs"], dtype=float).reshape(-1, 2)


def _words_of(arm: Mapping[str, Any], words: Words) -> str:
    pairs = _pairs(arm)
    if not len(pairs):
        return words.text("figure.arm_no_data", arm=arm["label"])
    before, after = (words.number(float(mean)) for mean in pairs.mean(axis=0))
    return words.text("figure.slopegraph.alt_arm", arm=arm["label"], before=before, after=after, n=len(pairs))
