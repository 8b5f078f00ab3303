"""Repeated sessions: each arm's adjusted mean at each session, and the differences between arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.drawing import (
    INK,
    PAPER,
    SOFT,
    ArmStyle,
    FigureImage,
    arm_style,
    legend_below,
    number_axis,
    open_axes,
    picture,
    results_figure,
)
from analysis.figures.lettering import fitted
from analysis.figures.names import arm_names, arm_order, endpoint_name, reported
from analysis.results import Results
from analysis.words import ENGLISH, Words

Rows = Sequence[Mapping[str, Any]]


def sessions_image(results: Results, words: Words = ENGLISH) -> FigureImage | None:
    """Means by session with 95 % CI above, differences below; None where the model has one session."""
    rows = [row for row in results.primary["by_session"] if row["estimate"] is not None]
    if not rows:
        return None
    endpoint = endpoint_name(words, results.study["endpoint"])
    names = arm_names(results)
    labels = {row["contrast_id"]: row["label"] for row in results.primary["contrasts"]}
    said = [words.text("figure.sessions.alt", endpoint=endpoint)]
    for row in rows:
        is_arm = row["kind"] == "arm"
        who = names.get(row["arm"], row["arm"]) if is_arm else labels.get(row["contrast_id"], row["label"])
        said.append(
            words.text(
                "figure.sessions.alt_row", who=who, session=row["period"], estimate=reported(words, row)
            )
        )
    title = words.text("figure.sessions.title", endpoint=endpoint)
    return picture("sessions", title, " ".join(said), partial(_draw, results, words))


def _draw(results: Results, words: Words) -> Figure:
    rows: Rows = [row for row in results.primary["by_session"] if row["estimate"] is not None]
    means = [row for row in rows if row["kind"] == "arm"]
    differences = [row for row in rows if row["kind"] == "contrast"]
    shown = [part for part in (means, differences) if part]
    order, names = arm_order(results), arm_names(results)
    arms = [arm for arm in names if any(row["arm"] == arm for row in means)]
    contrasts = list(dict.fromkeys(row["contrast_id"] for row in differences))
    figure = results_figure(results, words, 0.4 + 2.0 * len(shown) + 0.21 * (len(arms) + len(contrasts)), 4.2)
    panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    handles = []
    if means:
        open_axes(panels[0])
        for place, arm in enumerate(arms):
            mine = [row for row in means if row["arm"] == arm]
            style = arm_style(order[arm])
            label = "\n".join(fitted(names[arm], 3.3, 8.5))
            handles.append(_draw_series(panels[0], mine, style, _shift(place, len(arms)), label, style.color))
        panels[0].set_ylabel("\n".join(fitted(words.text("figure.sessions.mean"), 1.8, 9)))
    if differences:
        axes = panels[-1]
        open_axes(axes)
        axes.axhline(0, color=SOFT, linewidth=1, zorder=0)
        labels = {row["contrast_id"]: row["label"] for row in results.primary["contrasts"]}
        for place, contrast in enumerate(contrasts):
            mine = [row for row in differences if row["contrast_id"] == contrast]
            label = "\n".join(fitted(labels.get(contrast, contrast), 3.3, 8.5))
            # Grey and hollow: a difference is no arm, and must not look like one.
            handles.append(
                _draw_series(axes, mine, arm_style(place), _shift(place, len(contrasts)), label, INK)
            )
        axes.set_ylabel("\n".join(fitted(words.text("figure.adjusted_difference"), 1.8, 9)))
    periods = sorted({row["period"] for row in rows})
    panels[-1].set_xticks(periods, [str(period) for period in periods])
    panels[-1].set_xlabel(words.text("figure.sessions.axis"))
    for axes in panels:
        number_axis(axes.yaxis, words)
    legend_below(figure, handles)
    return figure


def _draw_series(axes: Axes, rows: Rows, style: ArmStyle, shift: float, label: str, color: str) -> Line2D:
    at = [row["period"] + shift for row in rows]
    for x, row in zip(at, rows, strict=True):
        if row["ci_low"] is not None:
            axes.plot([x, x], [row["ci_low"], row["ci_high"]], color=color, linewidth=1.2)
    (line,) = axes.plot(
        at,
        [row["estimate"] for row in rows],
        color=color,
        marker=style.marker,
        linestyle=style.linestyle,
        linewidth=1.5,
        ms=6.5,
        mfc=color if color == style.color else PAPER,
        mec=PAPER if color == style.color else color,
        mew=0.7 if color == style.color else 1.2,
        label=label,
        zorder=3,
    )
    return line


def _shift(place: int, of: int) -> float:
    return 0.09 * (place - (of - 1) / 2)
