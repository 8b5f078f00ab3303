"""Pictures of an evaluation: from target to achieved on the circumplex, and achieved against target.

One picture a predictor, one panel a system, ceilings first. No meaning hangs on colour alone: the axes have
their own marks and lines, and a system that its predictor took part in is drawn grey and carries the mark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.circumplex import draw_worded_plane
from analysis.figures.drawing import (
    BLUE,
    FAINT,
    INK,
    PAPER,
    SOFT,
    VERMILION,
    WIDE_IN,
    FigureImage,
    id_part,
    legend_below,
    new_figure,
    open_axes,
    picture,
)
from analysis.figures.lettering import fitted
from analysis.generator.evaluation import Evaluation, SystemScores
from analysis.generator.measures import AXES
from analysis.generator.scores import Floats, Points
from analysis.generator.sentences import mark_of, value
from analysis.words import ENGLISH
from generation.clip_grid import Role

_COLUMNS = 3
_PANEL_IN = 2.55
_AXIS_LOOKS: Mapping[str, tuple[str, str, Any]] = {
    "valence": (BLUE, "o", "-"),
    "arousal": (VERMILION, "^", (0, (5, 1.6))),
}
_EDGE = 1.05


def evaluation_images(evaluation: Evaluation) -> list[FigureImage]:
    """Two pictures a predictor: arrows on the circumplex, and achieved against target on each axis."""
    found = []
    for name in evaluation.predictors:
        what = f"From target to achieved, as {name} hears it."
        found.append(
            picture(
                f"arrows-{id_part(name)}",
                f"{what} Squares: what was asked; arrows: to the mean of the clips made for it; dots: clips.",
                f"{what} {_distances(evaluation, name)}",
                partial(draw_arrows, evaluation, name),
            )
        )
        what = f"Achieved against target on each axis, as {name} hears it."
        found.append(
            picture(
                f"lines-{id_part(name)}",
                f"{what} Lines: least squares; grey: full response. Flat: the same, whatever was asked.",
                f"{what} {_slopes(evaluation, name)}",
                partial(draw_lines, evaluation, name),
            )
        )
    return found


def draw_arrows(evaluation: Evaluation, predictor: str) -> Figure:
    """From each target to the mean of its clips, a panel a system."""

    def panel(axes: Axes, scores: SystemScores, points: Points, with_labels: bool) -> None:
        draw_worded_plane(axes, ENGLISH)
        if not with_labels:
            axes.set(xlabel="", ylabel="")
        colour = SOFT if scores.parts else BLUE
        if points.target_ids:
            axes.plot(
                *points.achieved.T, linestyle="none", marker="o", ms=2.2, mfc=colour, mec="none", alpha=0.4
            )
        for target, mean in _arrows(points):
            axes.plot(*target, marker="s", ms=4, mfc=PAPER, mec=INK, mew=0.9, zorder=4)
            if np.hypot(*(mean - target)) > 0.02:
                arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.1, "shrinkA": 2.5, "shrinkB": 0}
                drawn = axes.annotate(
                    "", (mean[0], mean[1]), (target[0], target[1]), arrowprops=arrow, zorder=3
                )
                # It stays inside the axes: the layout need not measure it.
                drawn.set_in_layout(False)
        distance = scores.scores["distance"]
        _below(axes, f"mean distance {value(distance)}" if distance.estimate is not None else distance.reason)

    figure = _panels(evaluation, predictor, _PANEL_IN + 0.35, panel)
    legend_below(figure, _arrow_handles(evaluation, predictor))
    return figure


def draw_lines(evaluation: Evaluation, predictor: str) -> Figure:
    """Achieved against target on each axis, with the line through them, a panel a system."""

    def panel(axes: Axes, scores: SystemScores, points: Points, with_labels: bool) -> None:
        open_axes(axes)
        axes.set(xlim=(-_EDGE, _EDGE), ylim=(-_EDGE, _EDGE), aspect="equal")
        axes.set_xticks((-1, 0, 1), ("−1", "0", "1"))
        axes.set_yticks((-1, 0, 1), ("−1", "0", "1"))
        if with_labels:
            axes.set(xlabel="target", ylabel="achieved")
        axes.plot((-1, 1), (-1, 1), color=FAINT, linewidth=1.2, zorder=0)
        for place, axis in enumerate(AXES):
            colour, mark, line = _AXIS_LOOKS[axis]
            # The axes lie side by side, not over each other, where they share a target.
            x = points.target[:, place] + (0.018 if place else -0.018)
            y = points.achieved[:, place]
            axes.plot(x, y, linestyle="none", marker=mark, ms=2.8, mfc=colour, mec="none", alpha=0.45)
            slope, intercept = (scores.scores[f"{axis}_{name}"].estimate for name in ("slope", "intercept"))
            if slope is not None and intercept is not None:
                ends = np.array([points.target[:, place].min(), points.target[:, place].max()])
                axes.plot(
                    ends, intercept + slope * ends, color=colour, linestyle=line, linewidth=1.8, zorder=4
                )
        told = [f"{axis} slope {value(scores.scores[f'{axis}_slope'])}" for axis in AXES]
        _below(axes, "\n".join(told))

    figure = _panels(evaluation, predictor, _PANEL_IN + 0.5, panel)
    handles = [
        Line2D([], [], color=colour, marker=mark, linestyle=line, ms=4, label=axis)
        for axis, (colour, mark, line) in _AXIS_LOOKS.items()
    ]
    legend_below(figure, [*handles, Line2D([], [], color=FAINT, linewidth=1.2, label="full response")])
    return figure


def _panels(
    evaluation: Evaluation,
    predictor: str,
    row_in: float,
    panel: Callable[[Axes, SystemScores, Points, bool], None],
) -> Figure:
    systems = sorted(evaluation.systems.values(), key=lambda one: one.role is not Role.CEILING)
    rows = -(-max(len(systems), 1) // _COLUMNS)
    figure = new_figure(row_in * rows + 0.35, simulated=False, width_in=WIDE_IN)
    for place, system in enumerate(systems):
        axes = figure.add_subplot(rows, _COLUMNS, place + 1)
        scores = evaluation.of(system.name, predictor)
        panel(axes, scores, evaluation.points(system.name, predictor), place % _COLUMNS == 0)
        name = f"{system.title} {mark_of(scores.parts)}".strip()
        if system.role is Role.CEILING:
            name += " (ceiling)"
        axes.set_title("\n".join(fitted(name, _PANEL_IN - 0.5, 9, bold=True)), fontsize=9, fontweight="bold")
    return figure


def _below(axes: Axes, text: str | None) -> None:
    axes.annotate(
        text or "",
        (0.5, 0),
        (0, -30 if axes.get_xlabel() else -18),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=8,
        color=SOFT,
    )


def _arrows(points: Points) -> Sequence[tuple[Floats, Floats]]:
    ids = np.array(points.target_ids)
    return [
        (points.target[ids == one][0], points.achieved[ids == one].mean(axis=0))
        for one in dict.fromkeys(points.target_ids)
    ]


def _arrow_handles(evaluation: Evaluation, predictor: str) -> list[Line2D]:
    marked = any(one.parts for one in evaluation.scores if one.predictor == predictor)
    handles = [
        Line2D([], [], linestyle="none", marker="s", ms=4, mfc=PAPER, mec=INK, label="target"),
        Line2D([], [], color=BLUE, marker=">", ms=4, label="to the mean achieved"),
        Line2D([], [], linestyle="none", marker="o", ms=3, mfc=BLUE, mec="none", alpha=0.4, label="one clip"),
    ]
    if marked:
        handles.append(Line2D([], [], color=SOFT, marker=">", ms=4, label=f"{predictor} took part: no claim"))
    return handles


def _distances(evaluation: Evaluation, predictor: str) -> str:
    return " ".join(
        f"{evaluation.systems[one.system].title}: mean distance {value(one.scores['distance'])}."
        for one in evaluation.scores
        if one.predictor == predictor
    )


def _slopes(evaluation: Evaluation, predictor: str) -> str:
    return " ".join(
        f"{evaluation.systems[one.system].title}: slope of valence {value(one.scores['valence_slope'])}, "
        f"of arousal {value(one.scores['arousal_slope'])}."
        for one in evaluation.scores
        if one.predictor == predictor
    )
