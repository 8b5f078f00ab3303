"""Before and after per person, the contrasts with their intervals, and how reports and predictions differ."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from scipy import stats

from analysis.figures.drawing import (
    FAINT,
    INK,
    PAPER,
    SOFT,
    FigureImage,
    arm_mark,
    new_figure,
    open_axes,
    styled,
    to_svg,
    wrapped,
)
from analysis.results import Results
from analysis.wording import interval, limits, number

_LABEL_LETTERS = 34


def change_image(results: Results) -> FigureImage:
    """Each person's endpoint before and after, with the spread of the outcomes, by arm."""
    arms = results.changes
    with styled():
        figure = new_figure(3.6, results.simulated, width_in=max(4.2, 1.5 * len(arms)))
        axes = figure.add_subplot()
        open_axes(axes)
        for index, arm in enumerate(arms):
            _draw_change(axes, 2.2 * index, np.array(arm["pairs"], dtype=float), *arm_mark(index))
        axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
        axes.set_xticks(
            [2.2 * i + x for i in range(len(arms)) for x in (0, 1)],
            ["before", "after"] * len(arms),
            fontsize=8,
        )
        for index, arm in enumerate(arms):
            axes.text(
                2.2 * index + 0.5,
                1.02,
                f"{wrapped(arm['label'], 13)}\nn = {len(arm['pairs'])}",
                transform=axes.get_xaxis_transform(),
                ha="center",
                va="bottom",
                fontweight="bold",
                fontsize=8.5,
            )
        axes.set_xlim(-0.3, 2.2 * max(len(arms), 1) - 0.35)
        axes.set_ylabel(results.study["endpoint_label"])
    alt = "Before and after, by arm. " + " ".join(_change_words(arm) for arm in arms)
    title = f"{results.study['endpoint_label']} before and after: each person, mean (large mark) and spread"
    return FigureImage("change", title, alt, to_svg(figure, "change", alt))


def forest_image(results: Results) -> FigureImage:
    """Adjusted differences of every endpoint and contrast with 95 % intervals."""
    found = [results.primary, *results.secondary]
    rows = [row for effects in found for row in effects["contrasts"]]
    lines = sum(_lines_of(row) for row in rows) + len(found) if rows else 1
    with styled():
        figure = new_figure(0.75 + 0.36 * lines, results.simulated)
        axes = figure.add_subplot()
        open_axes(axes)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        axes.axvline(0, color=SOFT, linewidth=1, zorder=0)
        y = 0.0
        for effects in found if rows else []:
            main = effects["endpoint"] == results.study["endpoint"]
            note = f" ({effects['contrasts'][0]['note']})" if effects["contrasts"][0]["note"] else ""
            _beside(axes, 0, y - 0.1, f"{effects['endpoint_label']}{note}", fontweight="bold")
            for row in effects["contrasts"]:
                y -= 1
                _draw_effect(axes, y, row, main)
                y -= _lines_of(row) - 1
            y -= 1
        reach = max(
            (abs(row[k]) for row in rows for k in ("ci_low", "ci_high") if row[k] is not None), default=1
        )
        axes.set(xlim=(-1.1 * reach, 1.1 * reach), ylim=(-lines + 0.3, 0.5))
        axes.set_xlabel("Adjusted difference (95 % CI), circumplex units")
    alt = "Forest plot. " + " ".join(
        f"{row['endpoint_label']}, {row['label']}: {interval(row)}." for row in rows
    )
    title = "Adjusted differences between arms; the protocol's endpoint in solid marks"
    return FigureImage("forest", title, alt, to_svg(figure, "forest", alt))


def difference_images(results: Results) -> list[FigureImage]:
    """Bland-Altman plots of reports against predictions, one per set and axis."""
    order = [arm["arm"] for arm in results.study["arms"]]
    labels = {arm["arm"]: wrapped(arm["name"], 18) for arm in results.study["arms"]}
    images = []
    for number_of_set, one in enumerate(results.agreement["sets"]):
        if one["second"] != "generated" or one["phase"] is None or one["n_pairs"] < 3:
            continue
        for axis in ("valence", "arousal"):
            rows = {row["statistic"]: row for row in one["rows"] if row["axis"] == axis}
            with styled():
                figure = new_figure(3.3, results.simulated)
                axes = figure.add_subplot()
                _draw_differences(axes, one["points"][axis], rows, order, labels)
                axes.set_xlabel(f"Mean of {one['first']} and generated {axis}")
                axes.set_ylabel(f"{one['first'].capitalize()} − generated")
                axes.set_title(f"{axis.capitalize()}, {one['phase']}", fontweight="bold", fontsize=10)
                figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8.5)
            figure_id = f"difference-{number_of_set}-{axis}"
            alt = (
                f"Difference plot of {one['n_pairs']} pairs, {axis}, {one['phase']}: bias "
                f"{interval(rows['bias'])}, limits of agreement {number(rows['limit_low']['estimate'])} "
                f"to {number(rows['limit_high']['estimate'])}."
            )
            title = f"{one['label']}: {axis}, bias and limits of agreement with 95 % CI bands"
            images.append(FigureImage(figure_id, title, alt, to_svg(figure, figure_id, alt)))
    return images


def _draw_change(axes: Axes, x: float, pairs: Any, color: str, marker: str) -> None:
    if not len(pairs):
        axes.text(x + 0.5, 0, "no data yet", ha="center", va="bottom", color=SOFT, fontsize=8)
        return
    for before, after in pairs:
        axes.plot([x, x + 1], [before, after], color=color, alpha=0.22, linewidth=0.9, zorder=1)
    after = pairs[:, 1]
    if len(after) >= 5 and after.std() > 1e-9:
        grid = np.linspace(after.min() - 0.15, after.max() + 0.15, 80)
        density = stats.gaussian_kde(after)(grid)
        axes.fill_betweenx(
            grid, x + 1.08, x + 1.08 + 0.45 * density / density.max(), color=color, alpha=0.3, linewidth=0
        )
    means = pairs.mean(axis=0)
    axes.plot(
        [x, x + 1], means, color=color, marker=marker, ms=8, linewidth=2.6, mec=PAPER, mew=0.8, zorder=4
    )


def _change_words(arm: Mapping[str, Any]) -> str:
    if not arm["pairs"]:
        return f"{arm['label']}: no data yet."
    before, after = np.array(arm["pairs"]).mean(axis=0)
    return f"{arm['label']}: mean {number(before)} before, {number(after)} after, n = {len(arm['pairs'])}."


def _lines_of(row: Mapping[str, Any]) -> int:
    return len(textwrap.wrap(row["label"], _LABEL_LETTERS))


def _draw_effect(axes: Axes, y: float, row: Mapping[str, Any], main: bool) -> None:
    _beside(axes, 0, y + 0.38, wrapped(row["label"], _LABEL_LETTERS), va="top")
    low = y - 0.2 - (_lines_of(row) - 1)
    if row["estimate"] is None:
        _beside(axes, 1, y + 0.22, "not estimated", ha="right", color=SOFT)
        return
    values = f"{number(row['estimate'])} ({limits(row['ci_low'], row['ci_high'])})"
    _beside(axes, 1, y + 0.22, values, ha="right")
    axes.plot([row["ci_low"], row["ci_high"]], [low, low], color=INK, linewidth=2 if main else 1.2)
    fill = INK if main else PAPER
    axes.plot(row["estimate"], low, marker="D" if main else "o", ms=7 if main else 6, mfc=fill, mec=INK)


def _beside(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:
    axes.text(
        x,
        y,
        text,
        transform=axes.get_yaxis_transform(),
        fontsize=8,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.8},
        in_layout=False,
        **{"va": "center", **style},
    )


def _draw_differences(
    axes: Axes,
    points: list[list[Any]],
    rows: Mapping[str, Mapping[str, Any]],
    order: list[str],
    labels: Mapping[str, str],
) -> None:
    open_axes(axes)
    axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
    for index, arm in enumerate(order):
        mine = np.array([[x, y] for x, y, name in points if name == arm])
        if len(mine):
            color, marker = arm_mark(index)
            axes.plot(
                *mine.T,
                linestyle="none",
                marker=marker,
                ms=4.5,
                color=color,
                alpha=0.6,
                mew=0,
                label=labels[arm],
            )
    for statistic, dash in (("bias", "-"), ("limit_low", (0, (5, 2))), ("limit_high", (0, (5, 2)))):
        row = rows.get(statistic)
        if row is None or row["estimate"] is None:
            continue
        axes.axhline(row["estimate"], color=INK, linewidth=1.1, linestyle=dash)
        if row["ci_low"] is not None:
            axes.axhspan(row["ci_low"], row["ci_high"], color=SOFT, alpha=0.15, linewidth=0)
        axes.text(
            1.0,
            row["estimate"],
            number(row["estimate"]),
            transform=axes.get_yaxis_transform(),
            ha="left",
            va="center",
            fontsize=8,
        )
