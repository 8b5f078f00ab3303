"""One session: what was felt, and, for who may know, what was planned and generated.

The same picture for both: a path that is not given is not drawn, nor named in
the legend, so that a blinded picture says nothing of what it leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from analysis.figures.drawing import (
    FAINT,
    GREEN,
    INK,
    PAPER,
    ROUTES,
    SOFT,
    VERMILION,
    FigureImage,
    new_figure,
    open_axes,
    styled,
    to_svg,
)

_NAMES = {"planned": "planned", "generated": "generated (music emotion recognition)", "felt": "felt"}
_BESIDE: dict[str, Any] = {
    "color": GREEN,
    "linestyle": (0, (5, 1.6)),
    "marker": "D",
    "linewidth": 1.2,
    "markersize": 4,
}
_CORNERS = ((-1, 1, "tense"), (1, 1, "excited"), (-1, -1, "sad"), (1, -1, "calm"))
_EDGE = 1.12


@dataclass(frozen=True)
class PathPoint:
    """A moment of a session: seconds from its first sample, and where on the circumplex.

    Args:
        name: what is written beside it, or nothing.
    """

    time_s: float
    valence: float
    arousal: float
    name: str = ""


@dataclass(frozen=True)
class SessionPaths:
    """What one session's picture shows.

    Args:
        felt: reports, in order.
        planned, generated: points along the path; empty where they are not to be shown.
        beside: other predictors' names, each with the path as it hears it.
        target: valence and arousal, or None where it is not to be shown.
        heard_s: stretches of session time that were heard.
        rated: felt, rated all the while.
    """

    duration_s: float
    felt: tuple[PathPoint, ...]
    planned: tuple[PathPoint, ...] = ()
    generated: tuple[PathPoint, ...] = ()
    target: tuple[float, float] | None = None
    heard_s: tuple[tuple[float, float], ...] = ()
    rated: tuple[PathPoint, ...] = ()
    beside: tuple[tuple[str, tuple[PathPoint, ...]], ...] = ()

    @property
    def drawn(self) -> dict[str, tuple[PathPoint, ...]]:
        """The paths that have points, in drawing order."""
        given = {"planned": self.planned, "generated": self.generated, **dict(self.beside), "felt": self.felt}
        return {name: points for name, points in given.items() if points}


def session_circumplex(paths: SessionPaths, figure_id: str, simulated: bool = False) -> FigureImage:
    """The session on the circumplex."""
    with styled():
        figure = new_figure(4.5, simulated)
        axes = figure.add_subplot()
        draw_plane(axes)
        for name, points in paths.drawn.items():
            plane = np.array([[p.valence, p.arousal] for p in points])
            axes.plot(*plane.T, label=_name(name), markevery=_every(name, points), **_style(name))
        if paths.target is not None:
            axes.plot(
                *paths.target, "o", ms=15, mfc="none", mec=INK, mew=1.5, label="target", linestyle="none"
            )
        for point in paths.felt:
            axes.annotate(
                point.name,
                (point.valence, point.arousal),
                xytext=(7, 6),
                textcoords="offset points",
                fontsize=8,
                color=VERMILION,
                bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.6, "alpha": 0.8},
            )
        if paths.drawn:
            figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8.5)
        else:
            axes.text(0, 0.1, "no reports yet", ha="center", color=SOFT)
    alt = "On the circumplex. " + _words(paths)
    return FigureImage(figure_id, "On the circumplex", alt, to_svg(figure, figure_id, alt))


def session_course(paths: SessionPaths, figure_id: str, simulated: bool = False) -> FigureImage:
    """Valence and arousal over session time, and which stretches were heard."""
    with styled():
        figure = new_figure(4.5, simulated)
        top, bottom, strip = figure.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": (1, 1, 0.16)})
        for axes, axis in ((top, "valence"), (bottom, "arousal")):
            open_axes(axes)
            axes.set(ylim=(-1.05, 1.05), yticks=(-1, 0, 1), ylabel=axis.capitalize())
            axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
            if paths.target is not None:
                axes.axhline(
                    paths.target[0 if axis == "valence" else 1], color=SOFT, linewidth=0.9, linestyle=":"
                )
            if paths.rated:
                minutes = [p.time_s / 60 for p in paths.rated]
                axes.plot(
                    minutes,
                    [getattr(p, axis) for p in paths.rated],
                    color=VERMILION,
                    linewidth=0.9,
                    alpha=0.6,
                )
            for name, points in paths.drawn.items():
                minutes = [p.time_s / 60 for p in points]
                values = [getattr(p, axis) for p in points]
                axes.plot(minutes, values, markevery=_every(name, points), **_style(name))
        _draw_heard(strip, paths)
        strip.set_xlabel("Minutes into the session")
    rated = f" A thin line: {len(paths.rated)} ratings of the feeling while listening." if paths.rated else ""
    alt = f"Over session time. {_words(paths)}{rated} {_heard_words(paths.heard_s)}"
    return FigureImage(figure_id, "Over session time", alt, to_svg(figure, figure_id, alt))


def before_and_after(
    pairs: Sequence[tuple[float, float, float, float]], simulated: bool = False
) -> FigureImage:
    """Everybody together on the circumplex: felt before and after a session, and the means.

    Args:
        pairs: valence and arousal before, valence and arousal after.
    """
    points = np.array(pairs, dtype=float)
    before, after = points[:, :2].mean(axis=0), points[:, 2:].mean(axis=0)
    with styled():
        figure = new_figure(4.5, simulated)
        axes = figure.add_subplot()
        draw_plane(axes)
        axes.plot(*points[:, :2].T, "o", ms=3.5, mfc="none", mec=SOFT, mew=0.8, label="one person, before")
        axes.plot(
            *points[:, 2:].T, "o", ms=3.5, color=VERMILION, alpha=0.55, mew=0, label="one person, after"
        )
        axes.plot(*np.array([before, after]).T, color=VERMILION, linewidth=2.4, zorder=4)
        axes.plot(*before, "s", ms=9, mfc=PAPER, mec=INK, mew=1.8, label="mean before", zorder=5)
        axes.plot(*after, "o", ms=9, color=VERMILION, mec=PAPER, label="mean after", zorder=5)
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8.5)
    alt = (
        f"{len(pairs)} sessions of all participants together: mean felt valence {before[0]:.2f} and arousal "
        f"{before[1]:.2f} before, {after[0]:.2f} and {after[1]:.2f} after."
    )
    return FigureImage(
        "pooled", "Felt before and after, everybody together", alt, to_svg(figure, "pooled", alt)
    )


def draw_plane(axes: Axes) -> None:
    """An empty circumplex, its corners named."""
    axes.set_aspect("equal")
    axes.set(xlim=(-_EDGE, _EDGE), ylim=(-_EDGE, _EDGE), xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    axes.set_xlabel("Valence: unpleasant to pleasant")
    axes.set_ylabel("Arousal: low to high")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.add_patch(Circle((0, 0), 1, fill=False, edgecolor=FAINT, linewidth=1))
    axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
    axes.axvline(0, color=FAINT, linewidth=1, zorder=0)
    for x, y, name in _CORNERS:
        horizontal, vertical = "left" if x < 0 else "right", "top" if y > 0 else "bottom"
        axes.text(x * 1.08, y * 1.08, name, ha=horizontal, va=vertical, color=SOFT, style="italic")


def _draw_heard(axes: Axes, paths: SessionPaths) -> None:
    axes.spines[:].set_visible(False)
    axes.set(yticks=(), ylim=(0, 1), xlim=(0, paths.duration_s / 60))
    axes.set_ylabel("heard", rotation=0, ha="right", va="center")
    axes.axhspan(0.2, 0.8, color=FAINT, linewidth=0)
    for start_s, end_s in paths.heard_s:
        axes.axvspan(start_s / 60, end_s / 60, 0.2, 0.8, color=INK, linewidth=0)


def _name(route: str) -> str:
    return _NAMES.get(route, f"as {route} hears it")


def _style(route: str) -> dict[str, Any]:
    return {**ROUTES.get(route, _BESIDE), "markeredgecolor": PAPER, "markeredgewidth": 0.6}


def _every(name: str, points: Sequence[PathPoint]) -> int:
    return 1 if name == "felt" else max(1, len(points) // 8)


def _words(paths: SessionPaths) -> str:
    parts = []
    for name, points in paths.drawn.items():
        first, last = points[0], points[-1]
        parts.append(
            f"{_name(name).capitalize()} goes from valence {first.valence:.2f}, arousal {first.arousal:.2f} "
            f"to valence {last.valence:.2f}, arousal {last.arousal:.2f}."
        )
    return " ".join(parts) or "No reports yet."


def _heard_words(heard_s: Sequence[tuple[float, float]]) -> str:
    if not heard_s:
        return "Nothing was heard."
    return "Heard: " + ", ".join(f"{low:.0f} to {high:.0f} s" for low, high in heard_s) + "."
