"""The picture this project is about: planned, generated and felt on the circumplex, and over time."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from analysis.figures.drawing import (
    FAINT,
    INK,
    PAPER,
    ROUTE_NAMES,
    ROUTES,
    SOFT,
    VERMILION,
    FigureImage,
    new_figure,
    open_axes,
    route_handles,
    styled,
    to_svg,
    wrapped,
)
from analysis.results import Results

_QUADRANTS = (
    (-1, 1, "tense", "left", "top"),
    (1, 1, "excited", "right", "top"),
    (-1, -1, "sad", "left", "bottom"),
    (1, -1, "calm", "right", "bottom"),
)
_EDGE = 1.12


def circumplex_images(results: Results) -> list[FigureImage]:
    """One picture per arm, each legible in one column of a phone."""
    images = []
    for index, arm in enumerate(results.paths):
        with styled():
            figure = new_figure(4.75, results.simulated)
            axes = figure.add_subplot()
            _draw(axes, arm)
            _legend(figure, ncols=2)
        figure_id, alt = f"circumplex-{index}", _alt(arm)
        title = f"{arm['label']}: planned, generated and felt on the circumplex"
        images.append(FigureImage(figure_id, title, alt, to_svg(figure, figure_id, alt)))
    return images


def circumplex_overview(results: Results) -> Figure:
    """All arms side by side, for a slide or a README."""
    arms = results.paths
    with styled():
        figure = new_figure(
            4.4 if len(arms) > 2 else 4.9, results.simulated, width_in=3.7 * max(len(arms), 1)
        )
        for place, arm in enumerate(arms, start=1):
            _draw(figure.add_subplot(1, len(arms), place), arm)
        _legend(figure, ncols={0: 2, 1: 2, 2: 4}.get(len(arms), 7))
    return figure


def time_course_images(results: Results) -> list[FigureImage]:
    """Valence and arousal over session time, one picture per arm."""
    images = []
    for index, arm in enumerate(results.paths):
        with styled():
            figure = new_figure(4.3, results.simulated)
            top, bottom = figure.subplots(2, 1, sharex=True)
            for axes, axis in ((top, "valence"), (bottom, "arousal")):
                _draw_course(axes, arm, axis)
            bottom.set_xlabel("Minutes into the session")
            top.set_title(wrapped(arm["label"], 36), fontweight="bold", fontsize=10)
            shown = tuple(name for name in ROUTES if arm[name])
            if shown:
                figure.legend(
                    handles=route_handles(shown), loc="outside lower center", ncols=2, frameon=False
                )
        figure_id = f"course-{index}"
        alt = f"{arm['label']}: valence and arousal over session time. {_alt(arm)}"
        title = f"{arm['label']}: over session time (felt: mean and 95 % CI)"
        images.append(FigureImage(figure_id, title, alt, to_svg(figure, figure_id, alt)))
    return images


def _draw(axes: Axes, arm: dict[str, Any]) -> None:
    axes.set_aspect("equal")
    axes.set(xlim=(-_EDGE, _EDGE), ylim=(-_EDGE, _EDGE), xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    axes.set_xlabel("Valence: unpleasant to pleasant")
    axes.set_ylabel("Arousal: low to high")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.add_patch(Circle((0, 0), 1, fill=False, edgecolor=FAINT, linewidth=1))
    axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
    axes.axvline(0, color=FAINT, linewidth=1, zorder=0)
    for x, y, name, ha, va in _QUADRANTS:
        axes.text(x * 1.08, y * 1.08, name, ha=ha, va=va, color=SOFT, fontsize=9, style="italic")
    _draw_people(axes, arm)
    for name in ("planned", "generated", "felt"):
        points = np.array([[p["valence"], p["arousal"]] for p in arm[name]])
        if len(points):
            every = max(1, len(points) // 8) if name != "felt" else 1
            axes.plot(
                *points.T,
                markevery=every,
                markeredgecolor=PAPER,
                markeredgewidth=0.6,
                zorder={"planned": 4, "generated": 3, "felt": 5}[name],
                **ROUTES[name],
            )
    target_v, target_a = arm["target"]
    axes.plot(target_v, target_a, marker="o", ms=15, mfc="none", mec=INK, mew=1.5, zorder=6)
    if arm["felt"]:
        first = arm["felt"][0]
        axes.plot(
            first["valence"], first["arousal"], marker="o", ms=9, mfc=PAPER, mec=VERMILION, mew=2, zorder=6
        )
    n = len(arm["people"]["post"])
    axes.set_title(wrapped(f"{arm['label']} (n = {n})", 36), fontweight="bold", fontsize=10)
    if not arm["felt"] and not arm["planned"]:
        axes.text(0, 0.12, "no data yet", ha="center", color=SOFT)


def _draw_people(axes: Axes, arm: dict[str, Any]) -> None:
    for phase, filled in (("pre", False), ("post", True)):
        people = np.array(arm["people"][phase])
        if len(people):
            axes.plot(
                *people.T,
                linestyle="none",
                marker="o",
                ms=3.2,
                mfc=VERMILION if filled else "none",
                mec=VERMILION if filled else SOFT,
                mew=0 if filled else 0.7,
                alpha=0.5 if filled else 0.8,
                zorder=1,
            )


def _legend(figure: Figure, ncols: int) -> None:
    marks = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker="o",
            ms=8,
            mfc=PAPER,
            mec=VERMILION,
            mew=2,
            label="start (mean before)",
        ),
        Line2D([], [], linestyle="none", marker="o", ms=11, mfc="none", mec=INK, mew=1.5, label="target"),
        Line2D(
            [],
            [],
            linestyle="none",
            marker="o",
            ms=4,
            mfc=VERMILION,
            mec="none",
            alpha=0.5,
            label="one person, after",
        ),
    ]
    marks.append(
        Line2D([], [], linestyle="none", marker="o", ms=4, mfc="none", mec=SOFT, label="one person, before")
    )
    figure.legend(
        handles=[*route_handles(), *marks],
        loc="outside lower center",
        ncols=ncols,
        frameon=False,
        fontsize=8.5,
        columnspacing=1.4,
        handletextpad=0.6,
    )


def _draw_course(axes: Axes, arm: dict[str, Any], axis: str) -> None:
    open_axes(axes)
    axes.set(ylim=(-1.05, 1.05), yticks=(-1, -0.5, 0, 0.5, 1))
    axes.set_ylabel(axis.capitalize())
    axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
    target = arm["target"][("valence", "arousal").index(axis)]
    axes.axhline(target, color=SOFT, linewidth=0.9, linestyle=":", zorder=1)
    axes.text(
        1.0, target + 0.04, "target", transform=axes.get_yaxis_transform(), ha="right", color=SOFT, fontsize=8
    )
    for name in ("planned", "generated", "felt"):
        points = arm[name]
        if not points:
            continue
        minutes = np.array([p["time_s"] for p in points]) / 60
        values = np.array([p[axis] for p in points])
        every = max(1, len(points) // 8) if name != "felt" else 1
        axes.plot(
            minutes, values, markevery=every, markeredgecolor=PAPER, markeredgewidth=0.6, **ROUTES[name]
        )
        if name == "felt":
            _draw_intervals(axes, minutes, [p[f"{axis}_ci"] for p in points])


def _draw_intervals(axes: Axes, minutes: Any, intervals: list[list[float] | None]) -> None:
    for minute, interval in zip(minutes, intervals, strict=True):
        if interval is not None:
            axes.plot([minute, minute], interval, color=VERMILION, linewidth=1.2, solid_capstyle="butt")


def _alt(arm: dict[str, Any]) -> str:
    parts = []
    for name, words in ROUTE_NAMES.items():
        points = arm[name]
        if points:
            first, last = points[0], points[-1]
            parts.append(
                f"{words} goes from valence {first['valence']:.2f}, arousal {first['arousal']:.2f} "
                f"to valence {last['valence']:.2f}, arousal {last['arousal']:.2f}"
            )
    target = f"The target is valence {arm['target'][0]:.2f}, arousal {arm['target'][1]:.2f}"
    return ". ".join([f"Arm {arm['label']}", *parts, target]) + "."
