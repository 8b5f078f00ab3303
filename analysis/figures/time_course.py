"""Planned, generated and felt over session time: one picture per axis, one panel per arm."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.circumplex import has_paths, reports_of
from analysis.figures.drawing import (
    FAINT,
    PAPER,
    ROUTE_LAYERS,
    ROUTES,
    SOFT,
    VERMILION,
    FigureImage,
    legend_below,
    number_axis,
    open_axes,
    picture,
    results_figure,
    route_handles,
)
from analysis.figures.lettering import fitted
from analysis.figures.names import axis_name
from analysis.results import Results
from analysis.words import ENGLISH, Words

AXES = ("valence", "arousal")


def time_course_images(results: Results, words: Words = ENGLISH) -> list[FigureImage]:
    """Valence, then arousal; none where no arm has anything to be drawn."""
    if not any(has_paths(arm) for arm in results.paths):
        return []
    return [
        picture(
            f"time-course-{axis}",
            words.text("figure.course.title", axis=axis_name(words, axis)),
            _alt(results, words, axis),
            partial(_draw, results, words, axis),
        )
        for axis in AXES
    ]


def _draw(results: Results, words: Words, axis: str) -> Figure:
    arms = results.paths
    figure = results_figure(results, words, 0.95 + (1.7 if len(arms) < 4 else 1.35) * len(arms))
    panels = figure.subplots(len(arms), 1, sharex=True, squeeze=False)[:, 0]
    for axes, arm in zip(panels, arms, strict=True):
        _draw_arm(axes, arm, axis, words)
    panels[-1].set_xlabel(words.text("figure.minutes"))
    legend_below(figure, route_handles([n for n in ROUTES if any(arm[n] for arm in arms)], words))
    return figure


def _draw_arm(axes: Axes, arm: dict[str, Any], axis: str, words: Words) -> None:
    open_axes(axes)
    axes.set(ylim=(-1.05, 1.05), yticks=(-1, -0.5, 0, 0.5, 1), ylabel=axis_name(words, axis))
    number_axis(axes.yaxis, words)
    number_axis(axes.xaxis, words)
    axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
    target = arm["target"][AXES.index(axis)]
    axes.axhline(target, color=SOFT, linewidth=0.9, linestyle=":", zorder=1)
    axes.annotate(
        words.text("figure.target"),
        (1, target),
        xycoords=axes.get_yaxis_transform(),
        xytext=(2, 0),
        textcoords="offset points",
        va="center",
        color=SOFT,
        fontsize=8,
    )
    for name in ("planned", "generated", "felt"):
        points = arm[name]
        if not points:
            continue
        minutes = np.array([p["time_s"] for p in points]) / 60
        values = np.array([p[axis] for p in points])
        every = max(1, len(points) // 8) if name != "felt" else 1
        axes.plot(
            minutes,
            values,
            markevery=every,
            markeredgecolor=PAPER,
            markeredgewidth=0.6,
            zorder=ROUTE_LAYERS[name],
            **ROUTES[name],
        )
        if name == "felt":
            for minute, interval in zip(minutes, (p[f"{axis}_ci"] for p in points), strict=True):
                if interval is not None:
                    axes.plot(
                        [minute, minute], interval, color=VERMILION, linewidth=1.2, solid_capstyle="butt"
                    )
    heading = f"{arm['label']} ({reports_of(arm, words)})"
    axes.set_title("\n".join(fitted(heading, 3.3, 9, bold=True)), fontweight="bold", fontsize=9, loc="left")
    if not has_paths(arm):
        axes.text(
            0.5,
            0.6,
            words.text("figure.no_data"),
            transform=axes.transAxes,
            ha="center",
            color=SOFT,
            fontsize=8,
        )


def _alt(results: Results, words: Words, axis: str) -> str:
    said = [words.text("figure.course.alt", axis=axis_name(words, axis))]
    for arm in results.paths:
        for name in ROUTES:
            if arm[name]:
                first, last = arm[name][0], arm[name][-1]
                said.append(
                    words.text(
                        "figure.course.alt_route",
                        arm=arm["label"],
                        route=words.text(f"figure.route.{name}"),
                        first=words.number(first[axis]),
                        last=words.number(last[axis]),
                        minutes=words.number((last["time_s"] - first["time_s"]) / 60, 1),
                    )
                )
    return " ".join(said)
