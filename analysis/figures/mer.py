"""Does the engine hit its target: what was generated against what was planned, clip by clip."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from analysis.figures.drawing import (
    BLUE,
    FAINT,
    INK,
    MANY_POINTS,
    FigureImage,
    arm_style,
    id_part,
    legend_below,
    number_axis,
    open_axes,
    picture,
    results_figure,
)
from analysis.figures.lettering import fitted
from analysis.figures.names import arm_order, axis_name
from analysis.results import Results
from analysis.words import ENGLISH, Words

AXES = ("valence", "arousal")
FEWEST_POINTS = 2

Floats = NDArray[np.float64]
Statistics = Mapping[str, Mapping[str, Any]]


def mer_images(results: Results, words: Words = ENGLISH) -> list[FigureImage]:
    """One picture per arm with music: a panel per axis, with the line where both are equal.

    A point is a clip where the results hold clips one by one; else the mean of all clips at one
    place of the session.
    """
    images = []
    for arm in results.paths:
        points, is_mean = _points(results, arm)
        if any(len(points[axis]) < FEWEST_POINTS for axis in AXES):
            continue
        n = len(points["valence"])
        title = words.text("figure.mer.title", arm=arm["label"])
        title += " " + words.text("figure.mer.title_means" if is_mean else "figure.mer.title_clips")
        if n > MANY_POINTS:
            title += " " + words.text("figure.pixels", n=n)
        statistics = {axis: _statistics(results, arm["arm"], axis) for axis in AXES}
        alt = [words.text("figure.mer.alt", arm=arm["label"], n=n)]
        alt += [_axis_alt(points[axis], statistics[axis], axis, words) for axis in AXES]
        figure_id = f"mer-{id_part(arm['arm'])}"
        draw = partial(_draw, results, words, arm, points, statistics)
        images.append(picture(figure_id, title, " ".join(alt), draw))
    return images


def _draw(
    results: Results,
    words: Words,
    arm: Mapping[str, Any],
    points: Mapping[str, Floats],
    statistics: Mapping[str, Statistics],
) -> Figure:
    figure = results_figure(results, words, 3.2, 4.6)
    both = figure.subplots(1, 2, sharex=True, sharey=True)
    has_line = False
    for axes, axis in zip(both, AXES, strict=True):
        open_axes(axes)
        axes.set_aspect("equal")
        axes.set(xlim=(-1.08, 1.08), ylim=(-1.08, 1.08), xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        number_axis(axes.xaxis, words)
        number_axis(axes.yaxis, words)
        axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
        axes.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
        axes.plot([-1.08, 1.08], [-1.08, 1.08], color=INK, linewidth=1.1, linestyle=(0, (4, 2)), zorder=3)
        mine = points[axis]
        style = arm_style(arm_order(results)[arm["arm"]])
        many = len(mine) > MANY_POINTS
        axes.plot(
            *mine.T,
            linestyle="none",
            marker=style.marker,
            ms=2 if many else 4.5,
            color=style.color,
            alpha=0.2 if many else 0.65,
            mew=0,
            rasterized=many,
            zorder=2,
        )
        has_line |= _draw_calibration(axes, mine, statistics[axis])
        axes.set_title(_heading(axis, statistics[axis], words), fontsize=9, fontweight="bold")
        axes.set_xlabel(words.text("figure.mer.planned"))
    both[0].set_ylabel(words.text("figure.mer.generated"))
    style = arm_style(arm_order(results)[arm["arm"]])
    name = "\n".join(fitted(arm["label"], 3.4, 8.5))
    handles = [
        Line2D([], [], linestyle="none", marker=style.marker, ms=5, color=style.color, label=name),
        Line2D([], [], color=INK, linewidth=1.1, linestyle=(0, (4, 2)), label=words.text("figure.mer.equal")),
    ]
    if has_line:
        handles.append(Line2D([], [], color=BLUE, linewidth=2, label=words.text("figure.mer.calibration")))
    legend_below(figure, handles)
    return figure


def _draw_calibration(axes: Axes, points: Floats, statistics: Statistics) -> bool:
    slope, intercept = (statistics.get(name, {}).get("estimate") for name in ("slope", "intercept"))
    if slope is None or intercept is None:
        return False
    ends = np.array([points[:, 0].min(), points[:, 0].max()])
    axes.plot(ends, intercept + slope * ends, color=BLUE, linewidth=2, zorder=4)
    return True


def _heading(axis: str, statistics: Statistics, words: Words) -> str:
    found = statistics.get("ccc", {}).get("estimate")
    if found is None:
        return axis_name(words, axis)
    value = words.number(found, bounded=True)
    return f"{axis_name(words, axis)}\n{words.text('figure.mer.ccc', value=value)}"


def _points(results: Results, arm: Mapping[str, Any]) -> tuple[dict[str, Floats], bool]:
    """Planned and generated of each axis, shape [n, 2], and whether they are means of clips."""
    for one in results.agreement["sets"]:
        if one["phase"] is None and one["first"] == "generated" and one.get("points"):
            # A pair is stored as its mean, its difference and its arm.
            return {
                axis: np.array(
                    [
                        [mean - d / 2, mean + d / 2]
                        for mean, d, name in one["points"][axis]
                        if name == arm["arm"]
                    ],
                    dtype=float,
                ).reshape(-1, 2)
                for axis in AXES
            }, False
    planned = {point["time_s"]: point for point in arm["planned"]}
    matched = [(planned[p["time_s"]], p) for p in arm["generated"] if p["time_s"] in planned]
    return {
        axis: np.array([[p[axis], g[axis]] for p, g in matched], dtype=float).reshape(-1, 2) for axis in AXES
    }, True


def _statistics(results: Results, arm: str, axis: str) -> dict[str, Mapping[str, Any]]:
    rows = results.agreement["engine"]
    return {row["statistic"]: row for row in rows if row["arm"] == arm and row["axis"] == axis}


def _axis_alt(points: Floats, statistics: Statistics, axis: str, words: Words) -> str:
    ccc = statistics.get("ccc", {}).get("estimate")
    said = words.text(
        "figure.mer.alt_axis",
        axis=axis_name(words, axis),
        planned_low=words.number(float(points[:, 0].min())),
        planned_high=words.number(float(points[:, 0].max())),
        generated_low=words.number(float(points[:, 1].min())),
        generated_high=words.number(float(points[:, 1].max())),
        difference=words.number(float((points[:, 1] - points[:, 0]).mean())),
    )
    if ccc is None:
        return said
    return f"{said} {words.text('figure.mer.ccc', value=words.number(ccc, bounded=True))}."
