"""The boundaries of the looks before the end, and what was found at each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.drawing import (
    BLUE,
    FAINT,
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


def interim_image(results: Results, words: Words = ENGLISH) -> FigureImage | None:
    """Two-sided boundaries over information, with the z of each look taken; None without a plan."""
    if results.interim is None or not results.interim["looks"]:
        return None
    said = [words.text("figure.interim.alt")]
    for look in results.interim["looks"]:
        known = look["taken"] and look["statistic_z"] is not None
        said.append(
            words.text(
                "figure.interim.alt_taken" if known else "figure.interim.alt_look",
                look=look["look"],
                information=words.number(100 * _information(look), 0),
                boundary=words.number(look["boundary_z"]),
                z=words.number(look["statistic_z"]),
                crossed=words.text("figure.interim.crossed" if look["crossed"] else "figure.interim.within"),
            )
        )
    return picture(
        "interim", words.text("figure.interim.title"), " ".join(said), partial(_draw, results, words)
    )


def _draw(results: Results, words: Words) -> Figure:
    looks = list((results.interim or {})["looks"])
    figure = results_figure(results, words, 3.6)
    axes = figure.add_subplot()
    open_axes(axes)
    axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
    at = [100 * _information(look) for look in looks]
    for sign in (1, -1):
        axes.plot(
            at,
            [sign * look["boundary_z"] for look in looks],
            color=INK,
            linewidth=1.3,
            linestyle=(0, (4, 2)),
            marker="s",
            ms=5.5,
            mfc=PAPER,
        )
    handles = [
        Line2D(
            [],
            [],
            color=INK,
            linewidth=1.3,
            linestyle=(0, (4, 2)),
            marker="s",
            ms=5.5,
            mfc=PAPER,
            label=words.text("figure.interim.boundary"),
        )
    ]
    found = [(x, look) for x, look in zip(at, looks, strict=True) if look["statistic_z"] is not None]
    for x, look in found:
        axes.plot(
            x,
            look["statistic_z"],
            marker="D" if look["crossed"] else "o",
            ms=9 if look["crossed"] else 8,
            color=VERMILION if look["crossed"] else BLUE,
            mec=PAPER,
            zorder=4,
        )
    for is_crossed, color, marker, key in ((False, BLUE, "o", "within"), (True, VERMILION, "D", "crossed")):
        if any(bool(look["crossed"]) is is_crossed for _, look in found):
            label = words.text(f"figure.interim.z_{key}")
            handles.append(Line2D([], [], linestyle="none", marker=marker, ms=8, color=color, label=label))
    reach = 1.2 * max(abs(z) for look in looks for z in (look["boundary_z"], look["statistic_z"] or 0.0))
    axes.set(xlim=(0, 1.2 * max(100, *at)), ylim=(-reach, reach))
    for place, (x, look) in enumerate(zip(at, looks, strict=True)):
        # Looks may lie close together: the last is labelled on its right, the others on their left.
        shift, side = (9, "left") if place == len(looks) - 1 else (-9, "right")
        labels = [(f"±{words.number(look['boundary_z'])}", -look["boundary_z"])]
        if look["statistic_z"] is not None:
            labels.append((words.number(look["statistic_z"]), look["statistic_z"]))
        for label, z in labels:
            axes.annotate(
                label, (x, z), (shift, 0), textcoords="offset points", ha=side, va="center", fontsize=8
            )
    label_axes(axes, words.text("figure.interim.axis"), words.text("figure.interim.z_axis"))
    number_axis(axes.yaxis, words)
    legend_below(figure, handles)
    return figure


def _information(look: Mapping[str, Any]) -> float:
    """Share of the planned outcomes there were, or, of a look to come, that there are to be."""
    taken = look["taken_information"]
    return float(look["information"] if taken is None or not look["taken"] else taken)
