"""How reports move during a session, with the slopes of the mixed model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.drawing import (
    FAINT,
    PAPER,
    FigureImage,
    arm_style,
    legend_below,
    number_axis,
    open_axes,
    picture,
    results_figure,
)
from analysis.figures.lettering import fitted
from analysis.figures.names import arm_order, axis_name, beside, reported
from analysis.results import Results
from analysis.words import ENGLISH, Words

AXES = ("valence", "arousal")
_S_PER_UNIT = 600.0
"""Slopes are in circumplex units per ten minutes."""

Slopes = Mapping[tuple[str, str], Mapping[str, Any]]


def trajectories_image(results: Results, words: Words = ENGLISH) -> FigureImage | None:
    """Mean reports over session time and each arm's slope; None where no slope is estimated.

    The model's rows hold slopes and no level, so a line runs through the mean of its arm's reports.
    """
    slopes = _slopes(results)
    if not any(row["estimate"] is not None for row in slopes.values()):
        return None
    said = [words.text("figure.trajectories.alt")]
    for row in results.trajectories:
        key, name = ("alt_slope", row.get("arm")) if row.get("arm") else ("alt_difference", _contrast(row))
        said.append(
            words.text(
                f"figure.trajectories.{key}",
                axis=axis_name(words, row["axis"]),
                arm=_label(results, str(name)),
                slope=reported(words, row),
            )
        )
    title = words.text("figure.trajectories.title")
    if _lapse(results) != 1:
        title += " " + words.text("figure.trajectories.lapse")
    return picture("trajectories", title, " ".join(said), partial(_draw, results, words))


def _draw(results: Results, words: Words) -> Figure:
    slopes = _slopes(results)
    arms = [arm for arm in results.paths if any((axis, arm["arm"]) in slopes for axis in AXES)]
    figure = results_figure(results, words, 4.3 + 0.5 * len(arms))
    panels = figure.subplots(2, 1, sharex=True)
    order, lapse = arm_order(results), _lapse(results)
    for axes, axis in zip(panels, AXES, strict=True):
        open_axes(axes)
        axes.set_ylabel(axis_name(words, axis))
        axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
        number_axis(axes.yaxis, words)
        number_axis(axes.xaxis, words)
        reach_s = lapse * max((point["time_s"] for arm in arms for point in arm["felt"]), default=1.0)
        for place, arm in enumerate(arms):
            shift_s = 0.012 * reach_s * (place - (len(arms) - 1) / 2)
            slope = slopes.get((axis, arm["arm"]))
            _draw_arm(axes, arm, axis, slope, order.get(arm["arm"], 0), lapse, shift_s)
    panels[-1].set_xlabel(words.text("figure.minutes"))
    legend_below(figure, [_handle(arm, slopes, order.get(arm["arm"], 0), words) for arm in arms])
    return figure


def _draw_arm(
    axes: Axes,
    arm: Mapping[str, Any],
    axis: str,
    slope: Mapping[str, Any] | None,
    place: int,
    lapse: float,
    shift_s: float,
) -> None:
    style = arm_style(place)
    points: Sequence[Mapping[str, Any]] = arm["felt"]
    if not points:
        return
    time_s = np.array([point["time_s"] for point in points], dtype=float) * lapse
    values = np.array([point[axis] for point in points], dtype=float)
    weights = np.array([point["n"] for point in points], dtype=float)
    for at_s, interval in zip(time_s + shift_s, (point[f"{axis}_ci"] for point in points), strict=True):
        if interval is not None:
            axes.plot([at_s / 60] * 2, interval, color=style.color, linewidth=1, alpha=0.8, zorder=2)
    axes.plot(
        (time_s + shift_s) / 60,
        values,
        linestyle="none",
        marker=style.marker,
        ms=6,
        color=style.color,
        mec=PAPER,
        mew=0.7,
        zorder=4,
    )
    if slope is not None and slope["estimate"] is not None:
        ends = np.array([time_s.min(), time_s.max()])
        middle_s, level = np.average(time_s, weights=weights), np.average(values, weights=weights)
        line = level + slope["estimate"] * (ends - middle_s) / _S_PER_UNIT
        axes.plot(ends / 60, line, color=style.color, linewidth=1.9, linestyle=style.linestyle, zorder=3)


def _handle(arm: Mapping[str, Any], slopes: Slopes, place: int, words: Words) -> Line2D:
    style = arm_style(place)
    lines = fitted(arm["label"], 3.4, 8)
    for axis in AXES:
        row = slopes.get((axis, arm["arm"]))
        if row is not None:
            lines.append(f"{axis_name(words, axis)}: {beside(words, row)}")
    return Line2D(
        [],
        [],
        color=style.color,
        marker=style.marker,
        ms=6,
        linestyle=style.linestyle,
        linewidth=1.9,
        mec=PAPER,
        label="\n".join(lines),
    )


def _lapse(results: Results) -> float:
    """Planned seconds in a second of a time-lapse, since slopes are of planned minutes; else 1."""
    planned_s = results.study.get("time_lapse_of_s")
    return float(planned_s / results.study["duration_s"]) if planned_s else 1.0


def _slopes(results: Results) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(row["axis"], row["arm"]): row for row in results.trajectories if row.get("arm")}


def _contrast(row: Mapping[str, Any]) -> str:
    return str(row.get("contrast_id") or row["row_id"])


def _label(results: Results, name: str) -> str:
    """An arm's or a contrast's name as other figures write it."""
    labels = {arm["arm"]: arm["name"] for arm in results.study["arms"]}
    labels |= {row["contrast_id"]: row["label"] for row in results.primary["contrasts"]}
    return str(labels.get(name, name))
