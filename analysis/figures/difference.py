"""How reports and predictions differ: bias and limits of agreement with their intervals.

Source: Bland & Altman (1999), Measuring agreement in method comparison studies,
Statistical Methods in Medical Research 8:135-160.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.drawing import (
    FAINT,
    INK,
    MANY_POINTS,
    SOFT,
    FigureImage,
    arm_style,
    label_axes,
    legend_below,
    number_axis,
    open_axes,
    picture,
    results_figure,
)
from analysis.figures.lettering import fitted
from analysis.figures.names import arm_names, arm_order, axis_name, reported
from analysis.results import Results
from analysis.words import ENGLISH, Words

_FEWEST_PAIRS = 3
_LINES = (("bias", "-"), ("limit_low", (0, (5, 2))), ("limit_high", (0, (5, 2))))


def difference_images(results: Results, words: Words = ENGLISH) -> list[FigureImage]:
    """Bland-Altman plots of reports against predictions, one per set and axis."""
    images = []
    for place, one in enumerate(results.agreement["sets"]):
        if one["second"] != "generated" or one["phase"] is None or one["n_pairs"] < _FEWEST_PAIRS:
            continue
        for axis in ("valence", "arousal"):
            title = words.text(
                "figure.difference.title",
                first=words.text(f"figure.side.{one['first']}"),
                phase=words.text(f"figure.phase.{one['phase']}"),
                axis=axis_name(words, axis),
            )
            if one["n_pairs"] > MANY_POINTS:
                title += " " + words.text("figure.pixels", n=one["n_pairs"])
            images.append(
                picture(
                    f"difference-{place}-{axis}",
                    title,
                    _alt(one, axis, words),
                    partial(_draw, results, words, one, axis),
                )
            )
    return images


def _draw(results: Results, words: Words, one: Mapping[str, Any], axis: str) -> Figure:
    figure = results_figure(results, words, 3.4)
    axes = figure.add_subplot()
    open_axes(axes)
    axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
    points = one["points"][axis]
    many = len(points) > MANY_POINTS
    order = arm_order(results)
    handles = []
    for arm, name in arm_names(results).items():
        mine = np.array([[x, y] for x, y, found in points if found == arm])
        if len(mine):
            style = arm_style(order[arm])
            axes.plot(
                *mine.T,
                linestyle="none",
                marker=style.marker,
                ms=2 if many else 4.5,
                color=style.color,
                alpha=0.25 if many else 0.6,
                mew=0,
                rasterized=many,
            )
            label = "\n".join(fitted(name, 3.2, 8.5))
            handles.append(
                Line2D([], [], linestyle="none", marker=style.marker, ms=5, color=style.color, label=label)
            )
    rows = {row["statistic"]: row for row in one["rows"] if row["axis"] == axis}
    _draw_lines(axes, rows, words)
    axis_words = axis_name(words, axis)
    first = words.text(f"figure.side.{one['first']}")
    label_axes(
        axes,
        words.text("figure.difference.mean", first=first, axis=axis_words),
        words.text("figure.difference.difference", first=first),
    )
    number_axis(axes.xaxis, words)
    number_axis(axes.yaxis, words)
    axes.set_title(
        f"{axis_words}, {words.text('figure.phase.' + one['phase'])}", fontweight="bold", fontsize=10
    )
    legend_below(figure, handles)
    return figure


def _draw_lines(axes: Axes, rows: Mapping[str, Mapping[str, Any]], words: Words) -> None:
    drawn = [(rows[name], dash) for name, dash in _LINES if rows.get(name, {}).get("estimate") is not None]
    for row, dash in drawn:
        axes.axhline(row["estimate"], color=INK, linewidth=1.1, linestyle=dash)
        if row["ci_low"] is not None:
            axes.axhspan(row["ci_low"], row["ci_high"], color=SOFT, alpha=0.15, linewidth=0)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    # Labels keep a line's height between them however close bias and limits are.
    apart = 0.05 * (high - low)
    at = -np.inf
    for row, _ in sorted(drawn, key=lambda found: float(found[0]["estimate"])):
        at = max(row["estimate"], at + apart)
        axes.text(
            1.01,
            at,
            words.number(row["estimate"]),
            transform=axes.get_yaxis_transform(),
            ha="left",
            va="center",
            fontsize=8,
        )


def _alt(one: Mapping[str, Any], axis: str, words: Words) -> str:
    rows = {row["statistic"]: row for row in one["rows"] if row["axis"] == axis}

    def value(statistic: str) -> str:
        return reported(words, rows[statistic]) if statistic in rows else words.text("figure.not_estimated")

    return words.text(
        "figure.difference.alt",
        n=one["n_pairs"],
        axis=axis_name(words, axis),
        phase=words.text(f"figure.phase.{one['phase']}"),
        bias=value("bias"),
        low=value("limit_low"),
        high=value("limit_high"),
    )
