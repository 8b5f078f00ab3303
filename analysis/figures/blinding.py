"""How well each arm's people guessed their arm: Bang's index with its interval, against chance."""

from __future__ import annotations

from functools import partial
from typing import Any

from matplotlib.figure import Figure

from analysis.figures.drawing import (
    ARM_STYLES,
    INK,
    PAPER,
    SOFT,
    WIDTH_IN,
    FigureImage,
    label_axes,
    number_axis,
    open_axes,
    picture,
    results_figure,
)
from analysis.figures.lettering import on_one_line
from analysis.results import Results
from analysis.words import ENGLISH, Words


def blinding_image(results: Results, words: Words = ENGLISH) -> FigureImage | None:
    """One line an arm; None where nothing could be estimated."""
    rows = _drawable(results)
    if not rows:
        return None
    said = "; ".join(f"{_name(results, row)}: {words.interval(row)}" for row in rows)
    alt = words.text("figure.blinding.alt", said=said)
    return picture("blinding", words.text("figure.blinding.title"), alt, partial(_draw, results, words))


def _draw(results: Results, words: Words) -> Figure:
    rows = _drawable(results)
    order = [arm["arm"] for arm in results.blinding["arms"]]
    figure = results_figure(results, words, 1.2 + 0.5 * len(rows))
    axes = figure.add_subplot()
    open_axes(axes)
    axes.axvline(0, color=INK, linewidth=1)
    for place, row in enumerate(reversed(rows)):
        style = ARM_STYLES[order.index(row["arm"]) % len(ARM_STYLES)]
        limits = [max(row["ci_low"], -1.0), min(row["ci_high"], 1.0)]
        axes.plot(limits, [place, place], color=style.color, linewidth=2, linestyle="-")
        axes.plot(row["estimate"], place, marker=style.marker, color=style.color, ms=7)
        name = on_one_line(_name(results, row), "", WIDTH_IN - 0.6)
        axes.annotate(
            name,
            (-1, place),
            xytext=(0, 7),
            textcoords="offset points",
            fontsize=8,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.0},
        )
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylim(-0.5, len(rows) - 0.1)
    axes.set_xlim(-1.02, 1.02)
    for at, key in ((-1, "wrong"), (0, "chance"), (1, "right")):
        axes.annotate(
            words.text(f"figure.blinding.{key}"),
            (at, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha={-1: "left", 0: "center", 1: "right"}[at],
            color=SOFT,
            fontsize=8,
        )
    number_axis(axes.xaxis, words)
    label_axes(axes, words.text("figure.blinding.axis"), "")
    return figure


def _name(results: Results, row: dict[str, Any]) -> str:
    return next(str(arm["label"]) for arm in results.blinding["arms"] if arm["arm"] == row["arm"])


def _drawable(results: Results) -> list[dict[str, Any]]:
    rows = results.blinding.get("rows", [])
    return [row for row in rows if row.get("arm") and row["estimate"] is not None]
