"""The picture this project is about: planned, generated and felt on the circumplex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from analysis.figures.drawing import (
    FAINT,
    INK,
    MANY_POINTS,
    PAPER,
    ROUTE_LAYERS,
    ROUTES,
    SOFT,
    VERMILION,
    FigureImage,
    id_part,
    legend_below,
    picture,
    results_figure,
    route_handles,
    styled,
)
from analysis.figures.lettering import fitted
from analysis.results import Results
from analysis.words import ENGLISH, Words

_QUADRANTS = (
    (-1, 1, "tense", "left", "top"),
    (1, 1, "excited", "right", "top"),
    (-1, -1, "sad", "left", "bottom"),
    (1, -1, "calm", "right", "bottom"),
)
_EDGE = 1.12
_PHASES = (("pre", False), ("post", True))


def circumplex_images(results: Results, words: Words = ENGLISH) -> list[FigureImage]:
    """One picture per arm, each legible in one column of a phone."""
    images = []
    for arm in results.paths:
        title = words.text("figure.circumplex.title", arm=arm["label"])
        if _n_people(arm) > MANY_POINTS:
            title += " " + words.text("figure.pixels", n=_n_people(arm))
        figure_id = f"circumplex-{id_part(arm['arm'])}"
        images.append(picture(figure_id, title, route_words(arm, words), partial(_one, results, words, arm)))
    return images


def circumplex_overview(results: Results, words: Words = ENGLISH) -> Figure:
    """All arms side by side, three to a row, for a slide or a README."""
    arms = results.paths
    columns = min(max(len(arms), 1), 3)
    rows = -(-max(len(arms), 1) // columns)
    with styled():
        figure = results_figure(results, words, 3.9 * rows + (1.0 if columns < 3 else 0.5), 3.7 * columns)
        for place, arm in enumerate(arms, start=1):
            _draw_arm(figure.add_subplot(rows, columns, place), arm, words, 3.2)
        legend_below(figure, _handles(words, arms))
    return figure


def has_paths(arm: dict[str, Any]) -> bool:
    """Whether there is anything of the arm to be drawn."""
    return any(arm[name] for name in ROUTES) or _n_people(arm) > 0


def route_words(arm: dict[str, Any], words: Words) -> str:
    """From where to where each of an arm's paths leads."""
    parts = [words.text("figure.circumplex.alt", arm=arm["label"])]
    for name in ROUTES:
        points = arm[name]
        if points:
            parts.append(
                words.text(
                    "figure.circumplex.alt_route",
                    route=words.text(f"figure.route.{name}"),
                    from_valence=words.number(points[0]["valence"]),
                    from_arousal=words.number(points[0]["arousal"]),
                    to_valence=words.number(points[-1]["valence"]),
                    to_arousal=words.number(points[-1]["arousal"]),
                )
            )
    valence, arousal = (words.number(value) for value in arm["target"])
    parts.append(words.text("figure.circumplex.alt_target", valence=valence, arousal=arousal))
    return " ".join(parts)


def reports_of(arm: Mapping[str, Any], words: Words) -> str:
    """How many reports after listening an arm has: in a study of several sessions, more than people."""
    n = len(arm["people"]["post"])
    return words.text("figure.report" if n == 1 else "figure.reports", n=n)


def draw_worded_plane(axes: Axes, words: Words) -> None:
    """An empty circumplex with its axes and quadrants named."""
    axes.set_aspect("equal")
    axes.set(xlim=(-_EDGE, _EDGE), ylim=(-_EDGE, _EDGE))
    axes.set_xticks((-1, 0, 1), ("−1", "0", "1"))
    axes.set_yticks((-1, 0, 1), ("−1", "0", "1"))
    axes.set_xlabel(words.text("figure.circumplex.valence_axis"))
    axes.set_ylabel(words.text("figure.circumplex.arousal_axis"))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.add_patch(Circle((0, 0), 1, fill=False, edgecolor=FAINT, linewidth=1))
    axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
    axes.axvline(0, color=FAINT, linewidth=1, zorder=0)
    for x, y, name, ha, va in _QUADRANTS:
        mood = words.text(f"figure.mood.{name}")
        axes.text(x * 1.08, y * 1.08, mood, ha=ha, va=va, color=SOFT, fontsize=9, style="italic")


def _one(results: Results, words: Words, arm: dict[str, Any]) -> Figure:
    figure = results_figure(results, words, 4.95)
    _draw_arm(figure.add_subplot(), arm, words, 3.2)
    legend_below(figure, _handles(words, [arm]))
    return figure


def _n_people(arm: dict[str, Any]) -> int:
    return sum(len(arm["people"][phase]) for phase, _ in _PHASES)


def _draw_arm(axes: Axes, arm: dict[str, Any], words: Words, title_in: float) -> None:
    draw_worded_plane(axes, words)
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
                zorder=ROUTE_LAYERS[name],
                **ROUTES[name],
            )
    target_v, target_a = arm["target"]
    axes.plot(target_v, target_a, marker="o", ms=15, mfc="none", mec=INK, mew=1.5, zorder=6)
    if arm["felt"]:
        first = arm["felt"][0]
        axes.plot(
            first["valence"], first["arousal"], marker="o", ms=9, mfc=PAPER, mec=VERMILION, mew=2, zorder=6
        )
    heading = f"{arm['label']} ({reports_of(arm, words)})"
    axes.set_title("\n".join(fitted(heading, title_in, 10, bold=True)), fontweight="bold", fontsize=10)
    if not arm["felt"] and not arm["planned"]:
        axes.text(0, 0.12, words.text("figure.no_data"), ha="center", color=SOFT)


def _draw_people(axes: Axes, arm: dict[str, Any]) -> None:
    many = _n_people(arm) > MANY_POINTS
    for phase, filled in _PHASES:
        people = np.array(arm["people"][phase])
        if len(people):
            axes.plot(
                *people.T,
                linestyle="none",
                marker="o",
                ms=2.2 if many else 3.2,
                mfc=VERMILION if filled else "none",
                mec=VERMILION if filled else SOFT,
                mew=0 if filled else 0.7,
                alpha=0.25 if many else 0.5 if filled else 0.8,
                zorder=1,
                rasterized=many,
            )


def _handles(words: Words, arms: Sequence[Mapping[str, Any]]) -> list[Line2D]:
    def mark(name: str, **style: Any) -> Line2D:
        return Line2D(
            [], [], linestyle="none", marker="o", label=words.text(f"figure.circumplex.{name}"), **style
        )

    return [
        *route_handles([name for name in ROUTES if any(arm[name] for arm in arms)], words),
        mark("start", ms=8, mfc=PAPER, mec=VERMILION, mew=2),
        mark("target", ms=11, mfc="none", mec=INK, mew=1.5),
        mark("person_after", ms=4, mfc=VERMILION, mec="none", alpha=0.5),
        mark("person_before", ms=4, mfc="none", mec=SOFT),
    ]
