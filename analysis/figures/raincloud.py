"""The endpoint after listening, by arm: density, box and every person.

Source: Allen, Poggiali, Whitaker, Marshall & Kievit (2019), Raincloud plots,
Wellcome Open Research 4:63.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

from analysis.figures.drawing import (
    FAINT,
    INK,
    MANY_POINTS,
    PAPER,
    SOFT,
    ArmStyle,
    FigureImage,
    arm_style,
    label_axes,
    number_axis,
    open_axes,
    picture,
    results_figure,
)
from analysis.figures.lettering import on_one_line
from analysis.figures.names import endpoint_name
from analysis.results import Results
from analysis.words import ENGLISH, Words

FEWEST_FOR_DENSITY = 5
"""Below this a density is a drawing of its own bandwidth."""
_ROW_IN = 1.05
_GOLDEN = (np.sqrt(5) - 1) / 2

Floats = NDArray[np.float64]


def raincloud_image(results: Results, words: Words = ENGLISH) -> FigureImage:
    """Half violin (from five people on), box with median and quartiles, and points, by arm."""
    endpoint = endpoint_name(words, results.study["endpoint"])
    title = words.text("figure.raincloud.title", endpoint=endpoint)
    n = sum(len(arm["pairs"]) for arm in results.changes)
    if n > MANY_POINTS:
        title += " " + words.text("figure.pixels", n=n)
    alt = [words.text("figure.raincloud.alt", endpoint=endpoint)]
    alt += [_words_of(arm, words) for arm in results.changes]
    return picture("raincloud", title, " ".join(alt), partial(_draw, results, words))


def _draw(results: Results, words: Words) -> Figure:
    arms = results.changes
    figure = results_figure(results, words, 0.5 + _ROW_IN * max(len(arms), 1))
    axes = figure.add_subplot()
    open_axes(axes)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    axes.axvline(0, color=FAINT, linewidth=1, zorder=0)
    many = sum(len(arm["pairs"]) for arm in arms) > MANY_POINTS
    for index, arm in enumerate(arms):
        after = _after(arm)
        name = on_one_line(arm["label"], f" (n\u00a0=\u00a0{len(after)})", 3.95, 8.5, bold=True)
        axes.text(
            0,
            -index + 0.44,
            name,
            transform=axes.get_yaxis_transform(),
            va="top",
            fontsize=8.5,
            fontweight="bold",
            in_layout=False,
            zorder=6,
        )
        if len(after):
            _draw_arm(axes, -index, after, arm_style(index), many)
        else:
            axes.text(
                0.5,
                -index - 0.1,
                words.text("figure.no_data"),
                transform=axes.get_yaxis_transform(),
                ha="center",
                color=SOFT,
                fontsize=8,
            )
    axes.set_ylim(-len(arms) + 0.45, 0.5)
    label_axes(axes, words.text("figure.after", endpoint=endpoint_name(words, results.study["endpoint"])))
    number_axis(axes.xaxis, words)
    return figure


def _draw_arm(axes: Axes, y: float, after: Floats, style: ArmStyle, many: bool) -> None:
    if len(after) >= FEWEST_FOR_DENSITY and after.std() > 1e-9:
        grid = np.linspace(after.min(), after.max(), 120)
        density = stats.gaussian_kde(after)(grid)
        axes.fill_between(
            grid,
            y - 0.1,
            y - 0.1 + 0.34 * density / density.max(),
            facecolor=style.color,
            alpha=0.35,
            linewidth=0,
        )
        axes.fill_between(
            grid,
            y - 0.1,
            y - 0.1 + 0.34 * density / density.max(),
            facecolor="none",
            edgecolor=style.color,
            hatch=style.hatch or None,
            linewidth=0.8,
        )
    low, middle, high = np.quantile(after, (0.25, 0.5, 0.75))
    within = after[(after >= low - 1.5 * (high - low)) & (after <= high + 1.5 * (high - low))]
    box_y = y - 0.17
    axes.plot([within.min(), within.max()], [box_y, box_y], color=INK, linewidth=0.9, zorder=3)
    axes.fill_between(
        [low, high], box_y - 0.05, box_y + 0.05, facecolor=PAPER, edgecolor=INK, linewidth=0.9, zorder=4
    )
    axes.plot([middle, middle], [box_y - 0.05, box_y + 0.05], color=INK, linewidth=2, zorder=5)
    # Spread by the golden ratio: as even as chance, and the same every time.
    scatter = (np.arange(1, len(after) + 1) * _GOLDEN) % 1
    axes.plot(
        after,
        y - 0.27 - 0.16 * scatter,
        linestyle="none",
        marker=style.marker,
        ms=2 if many else 3.4,
        color=style.color,
        alpha=0.55,
        mew=0,
        rasterized=many,
    )
    axes.plot(
        after.mean(),
        box_y,
        marker=style.marker,
        ms=7,
        mfc=style.color,
        mec=PAPER,
        mew=0.9,
        linestyle="none",
        zorder=6,
    )


def _after(arm: Mapping[str, Any]) -> Floats:
    return np.array([after for _, after in arm["pairs"]], dtype=float)


def _words_of(arm: Mapping[str, Any], words: Words) -> str:
    after = _after(arm)
    if not len(after):
        return words.text("figure.arm_no_data", arm=arm["label"])
    low, middle, high = (words.number(float(q)) for q in np.quantile(after, (0.25, 0.5, 0.75)))
    return words.text(
        "figure.raincloud.alt_arm",
        arm=arm["label"],
        n=len(after),
        mean=words.number(float(after.mean())),
        median=middle,
        low=low,
        high=high,
    )
