"""How much worse the missing outcomes would have to be for the conclusion to change.

Source: Carpenter & Kenward (2013), Multiple Imputation and its Application, ch. 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.figures.drawing import (
    BLUE,
    INK,
    PAPER,
    VERMILION,
    FigureImage,
    label_axes,
    legend_below,
    number_axis,
    open_axes,
    picture,
    results_figure,
)
from analysis.results import Results
from analysis.words import ENGLISH, Words


def tipping_image(results: Results, words: Words = ENGLISH) -> FigureImage | None:
    """The difference over the shift of imputed outcomes; None where there are no points."""
    tipping = (results.missing_data or {}).get("tipping")
    if not tipping or not _drawable(tipping):
        return None
    first, last = (_drawable(tipping)[place] for place in (0, -1))
    alt = words.text(
        "figure.tipping.alt",
        contrast=tipping["label"],
        first_delta=words.number(first["delta"]),
        last_delta=words.number(last["delta"]),
        first=words.interval({**first, "reason": None}),
        last=words.interval({**last, "reason": None}),
    )
    tips_at = tipping["tips_at"]
    alt += " " + (
        words.text("figure.tipping.never")
        if tips_at is None
        else words.text("figure.tipping.tips", delta=words.number(tips_at))
    )
    title = words.text("figure.tipping.title", contrast=tipping["label"])
    return picture("tipping", title, alt, partial(_draw, results, words))


def _draw(results: Results, words: Words) -> Figure:
    tipping = (results.missing_data or {})["tipping"]
    points = _drawable(tipping)
    delta, estimate, low, high = (
        np.array([point[name] for point in points], dtype=float)
        for name in ("delta", "estimate", "ci_low", "ci_high")
    )
    figure = results_figure(results, words, 3.3)
    axes = figure.add_subplot()
    open_axes(axes)
    axes.axhline(0, color=INK, linewidth=1, zorder=1)
    axes.fill_between(delta, low, high, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(delta, low, color=BLUE, linewidth=0.8)
    axes.plot(delta, high, color=BLUE, linewidth=0.8)
    axes.plot(delta, estimate, color=BLUE, linewidth=2, marker="^", ms=5, mec=PAPER, mew=0.6)
    handles = [
        Line2D(
            [], [], color=BLUE, linewidth=2, marker="^", ms=5, label=words.text("figure.tipping.estimate")
        ),
        Patch(facecolor=BLUE, alpha=0.25, label=words.level()),
    ]
    if tipping["tips_at"] is not None:
        axes.axvline(tipping["tips_at"], color=VERMILION, linewidth=1.6, linestyle=(0, (4, 2)))
        label = words.text("figure.tipping.at", delta=words.number(tipping["tips_at"]))
        handles.append(Line2D([], [], color=VERMILION, linewidth=1.6, linestyle=(0, (4, 2)), label=label))
    label_axes(axes, words.text("figure.tipping.axis"), words.text("figure.adjusted_difference"))
    number_axis(axes.xaxis, words)
    number_axis(axes.yaxis, words)
    legend_below(figure, handles)
    return figure


def _drawable(tipping: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = ("estimate", "ci_low", "ci_high")
    return [point for point in tipping["points"] if all(point[name] is not None for name in names)]
