"""Does the sound follow its plan: planned and heard paths, and what not following would look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.figures.circumplex import draw_worded_plane
from analysis.figures.drawing import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PAPER,
    PURPLE,
    ROUTES,
    SOFT,
    FigureImage,
    id_part,
    legend_below,
    number_axis,
    open_axes,
    picture,
    results_figure,
)
from analysis.figures.lettering import fitted
from analysis.figures.names import axis_name
from analysis.results import Results
from analysis.words import ENGLISH, Words

AXES = ("valence", "arousal")
PART_MARKS = ("manipulation_check", "took_part", "trained")
"""Parts of a predictor that weaken or forbid a claim; results of an older isopath lack the last."""

#: Predictors in the results' order, told apart by marker as well.
_STYLES = ((BLUE, "^", "-"), (GREEN, "D", (0, (5, 1.6))), (PURPLE, "v", (0, (1.4, 1.2))), (ORANGE, "P", "-."))

#: The tests that share the axis of a correlation, in the order drawn.
_DRAWN = (("path_r", "shuffled"), ("path_r", "reversed"), ("path_r_detrended", "reversed"))

Row = Mapping[str, Any]


def following_images(results: Results, words: Words = ENGLISH) -> list[FigureImage]:
    """For each arm whose plan moves: the paths as each predictor hears them, and the nulls."""
    images = []
    for arm in results.paths:
        nulls = _nulls(results, arm["arm"])
        if not nulls:
            continue
        for what, draw in (("following", _draw_paths), ("nulls", _draw_nulls)):
            figure_id = f"{what}-{id_part(arm['arm'])}"
            title = words.text(f"figure.{what}.title", arm=arm["label"])
            alt = f"{title} {_alt(what, arm, nulls, words)}"
            images.append(picture(figure_id, title, alt, partial(draw, results, words, arm)))
    return images


def predictor_name(results: Results, arm: str, predictor: str, words: Words) -> str:
    """A predictor with what weakens its claims in an arm: `PART_MARKS`, in words."""
    part = next(
        (p for p in results.agreement["path_following"]["parts"] if p["predictor"] == predictor), None
    )
    marks = [] if part is None else [mark for mark in PART_MARKS if arm in part.get(mark, ())]
    return (
        f"{predictor} ({', '.join(words.text(f'path.mark.{mark}') for mark in marks)})"
        if marks
        else predictor
    )


def _nulls(results: Results, arm: str) -> list[Row]:
    found = results.agreement["path_following"]["nulls"]
    return [
        row
        for row in found
        if row["arm"] == arm and (row["statistic"], row["null"]) in _DRAWN and row.get("points") is not None
    ]


def _style(arm: Mapping[str, Any], predictor: str) -> tuple[str, str, Any]:
    names = [heard["predictor"] for heard in arm["heard"]]
    return _STYLES[(names.index(predictor) if predictor in names else 0) % len(_STYLES)]


def _draw_paths(results: Results, words: Words, arm: Mapping[str, Any]) -> Figure:
    figure = results_figure(results, words, 4.9)
    axes = figure.add_subplot()
    draw_worded_plane(axes, words)
    planned = np.array([[p["valence"], p["arousal"]] for p in arm["planned"]])
    handles = []
    if len(planned):
        style = ROUTES["planned"]
        axes.plot(*planned.T, markevery=max(1, len(planned) // 8), zorder=5, **style)
        handles.append(Line2D([], [], label=words.text("figure.route.planned"), **style))
    for heard in arm["heard"]:
        points = np.array([[p["valence"], p["arousal"]] for p in heard["points"]])
        if not len(points):
            continue
        color, marker, line = _style(arm, heard["predictor"])
        every = max(1, len(points) // 8)
        axes.plot(*points.T, color=color, linestyle=line, linewidth=1.5, marker=marker, ms=5, mec=PAPER,
                  mew=0.6, markevery=every, zorder=4)  # fmt: skip
        axes.plot(*points[0], marker="o", ms=10, mfc="none", mec=color, mew=1.4, zorder=6)
        name = predictor_name(results, arm["arm"], heard["predictor"], words)
        handles.append(
            Line2D(
                [],
                [],
                color=color,
                linestyle=line,
                marker=marker,
                ms=5,
                label="\n".join(fitted(name, 3.4, 8.5)),
            )
        )
    handles.append(
        Line2D(
            [],
            [],
            linestyle="none",
            marker="o",
            ms=8,
            mfc="none",
            mec=SOFT,
            label=words.text("figure.following.begins"),
        )
    )
    legend_below(figure, handles)
    return figure


def _draw_nulls(results: Results, words: Words, arm: Mapping[str, Any]) -> Figure:
    nulls = _nulls(results, arm["arm"])
    by_axis = {axis: _ordered([row for row in nulls if row["axis"] == axis], arm) for axis in AXES}
    drawn = {axis: rows for axis, rows in by_axis.items() if rows}
    ridges = sum(len(rows) for rows in drawn.values())
    figure = results_figure(results, words, 0.95 + 0.45 * len(drawn) + 0.46 * ridges)
    panels = figure.subplots(
        len(drawn),
        1,
        sharex=True,
        squeeze=False,
        gridspec_kw={"height_ratios": [len(r) for r in drawn.values()]},
    )[:, 0]
    for axes, (axis, rows) in zip(panels, drawn.items(), strict=True):
        _draw_ridges(axes, axis, rows, arm, words)
    marked = [
        name
        for heard in arm["heard"]
        if (name := predictor_name(results, arm["arm"], heard["predictor"], words)) != heard["predictor"]
    ]
    panels[-1].set_xlabel("\n".join((words.text("figure.nulls.axis"), *marked)))
    legend_below(
        figure,
        [
            Patch(facecolor=FAINT, edgecolor=SOFT, label=words.text("figure.nulls.null")),
            Line2D([], [], color=INK, linewidth=2, label=words.text("figure.nulls.observed")),
        ],
    )
    return figure


def _draw_ridges(axes: Axes, axis: str, rows: Sequence[Row], arm: Mapping[str, Any], words: Words) -> None:
    open_axes(axes)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set(xlim=(-1.05, 1.05), ylim=(-0.15, len(rows) - 0.05))
    axes.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
    labels = []
    for place, row in enumerate(reversed(rows)):
        counts, edges = (np.array(row["points"][name], dtype=float) for name in ("counts", "edges"))
        height = 0.72 * counts / max(counts.max(), 1.0)
        axes.stairs(
            place + height, edges, baseline=place, fill=True, facecolor=FAINT, edgecolor=SOFT, linewidth=0.6
        )
        color, marker, _ = _style(arm, row["predictor"])
        axes.plot([row["estimate"]] * 2, [place, place + 0.8], color=color, linewidth=2, zorder=3)
        axes.plot(
            row["estimate"], place + 0.8, marker=marker, ms=5, color=color, mec=PAPER, mew=0.5, zorder=4
        )
        labels.append(_ridge_label(row, words))
    axes.set_yticks([place + 0.35 for place in range(len(rows))], labels, fontsize=8)
    number_axis(axes.xaxis, words)
    axes.set_title(axis_name(words, axis), fontsize=9, fontweight="bold", loc="left")


def _ridge_label(row: Row, words: Words) -> str:
    p = words.text("path.no_p") if row["p_value"] is None else words.p_clause(row["p_value"])
    what = words.text(f"figure.nulls.{row['statistic']}.{row['null']}")
    return f"{row['predictor']}, {what}\n{p}"


def _ordered(rows: Sequence[Row], arm: Mapping[str, Any]) -> list[Row]:
    names = [heard["predictor"] for heard in arm["heard"]]
    return sorted(
        rows, key=lambda row: (names.index(row["predictor"]), _DRAWN.index((row["statistic"], row["null"])))
    )


def _alt(what: str, arm: Mapping[str, Any], nulls: Sequence[Row], words: Words) -> str:
    if what == "following":
        return " ".join(
            words.text(
                "figure.following.alt",
                name=name,
                from_valence=words.number(points[0]["valence"]),
                from_arousal=words.number(points[0]["arousal"]),
                to_valence=words.number(points[-1]["valence"]),
                to_arousal=words.number(points[-1]["arousal"]),
            )
            for name, points in (
                (words.text("figure.route.planned"), arm["planned"]),
                *((heard["predictor"], heard["points"]) for heard in arm["heard"]),
            )
            if points
        )
    return " ".join(
        words.text(
            "figure.nulls.alt",
            axis=axis_name(words, row["axis"]),
            label=_ridge_label(row, words).replace("\n", ", "),
            observed=words.number(row["estimate"], 2, True),
            limits=words.limits(row["null_low"], row["null_high"], 2, True),
        )
        for axis in AXES
        for row in _ordered([row for row in nulls if row["axis"] == axis], arm)
    )
