"""The card's pictures, drawn from docs/mer.json alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.drawing import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    PURPLE,
    SOFT,
    VERMILION,
    WIDE_IN,
    FigureImage,
    legend_below,
    new_figure,
    open_axes,
    picture,
)
from tests.listening.discrimination import AXES, HISTOGRAM_EDGES
from tests.listening.numerals import estimate, number, percent

Content = Mapping[str, Any]

#: Predictor's place in the card to colour, line and marker.
_STYLES: Sequence[tuple[str, Any, str]] = (
    (BLUE, "-", "o"),
    (VERMILION, (0, (5, 1.6)), "s"),
    (INK, (0, (1.4, 1.2)), "D"),
    (GREEN, (0, (6, 1.5, 1.4, 1.5)), "^"),
)
_VALENCE_COLOURS = {"positive": GREEN, "negative": PURPLE, "": "#a8a8a8"}
_AROUSAL_MARKERS = {"high": "^", "low": "v", "": "o"}


def figures_of(content: Content) -> list[FigureImage]:
    """Every figure that the content has numbers for."""
    found = []
    half = shown_half(content)
    if half is not None:
        found += [_roc(content, half), _tracks(content, half)]
    found.append(_knobs(content))
    if content.get("foreign"):
        found.append(_foreign(content))
    return found


def shown_half(content: Content) -> str | None:
    """The half that figures show: validate, or calibrate where only that was heard."""
    halves = content.get("halves", {})
    return next((half for half in ("validate", "calibrate") if half in halves), None)


def title_of(figure_id: str, content: Content) -> str:
    """Caption of a figure."""
    return {
        "mer-roc": f"ROC curves on the {shown_half(content)} half, by axis",
        "mer-tracks": f"Where each predictor places the tracks of the {shown_half(content)} half",
        "mer-knobs": "How far one knob moves each prediction",
        "mer-foreign": "How far sounds lie from the music of each predictor's scale",
    }[figure_id]


def _roc(content: Content, half: str) -> FigureImage:
    title = title_of("mer-roc", content)
    said = "; ".join(
        f"{name}, {axis}: area {number(own[axis]['estimate'])}"
        for name, own in content["halves"][half].items()
        for axis in AXES
    )
    return picture("mer-roc", title, f"{title}. {said}.", partial(_draw_roc, content, half))


def _draw_roc(content: Content, half: str) -> Figure:
    figure = new_figure(3.9, False, WIDE_IN)
    by_predictor = content["halves"][half]
    words = {"valence": ("positive", "negative"), "arousal": ("high", "low")}
    for axes, axis in zip(figure.subplots(1, 2), AXES, strict=True):
        open_axes(axes)
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, zorder=0)
        for (name, own), (colour, line, _) in zip(by_predictor.items(), _STYLES, strict=False):
            curve = own[axis]["curve"]
            label = f"{name}: {estimate(own[axis])}"
            axes.plot(curve["false"], curve["true"], color=colour, linestyle=line, linewidth=1.6, label=label)
        first, second = words[axis]
        any_area = next(iter(by_predictor.values()))[axis]
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        axes.set_title(f"{axis}: {any_area['n_high']} {first}, {any_area['n_low']} {second}", fontsize=9)
        axes.set_xlabel(f"share of {second} tracks above the cut")
        axes.set_ylabel(f"share of {first} tracks above the cut")
        axes.legend(loc="lower right", fontsize=7.5, frameon=False, handlelength=2.6)
    return figure


def _tracks(content: Content, half: str) -> FigureImage:
    title = title_of("mer-tracks", content)
    said = "; ".join(
        f"{name}: r of the axes {number(own['v_a_correlation']['estimate'], signed=True)}"
        for name, own in content["halves"][half].items()
    )
    alt = f"{title}. One panel a predictor, one mark a track, by its labels. {said}."
    return picture("mer-tracks", title, alt, partial(_draw_tracks, content, half))


def _draw_tracks(content: Content, half: str) -> Figure:
    rows = [row for row in content["tracks"] if row["half"] == half]
    names = list(rows[0]["predicted"])
    figure = new_figure(3.35, False, WIDE_IN)
    for axes, name in zip(np.atleast_1d(figure.subplots(1, len(names), sharey=True)), names, strict=True):
        _plane(axes)
        # Tracks without a label lie under those with one.
        for row in sorted(rows, key=lambda row: bool(row["valence"]) + bool(row["arousal"])):
            if name in row["predicted"]:
                told = bool(row["valence"] or row["arousal"])
                axes.plot(
                    *row["predicted"][name],
                    _AROUSAL_MARKERS[row["arousal"]],
                    color=_VALENCE_COLOURS[row["valence"]],
                    markersize=5 if told else 2.2,
                    markeredgecolor=INK if told else "none",
                    markeredgewidth=0.4,
                )
        r = content["halves"][half][name]["v_a_correlation"]
        axes.set_title(f"{name}\nr = {estimate(r)}", fontsize=8.5)
        axes.set_xlabel("predicted valence")
    figure.axes[0].set_ylabel("predicted arousal")
    figure.legend(
        handles=_label_handles(),
        loc="outside lower center",
        ncols=5,
        frameon=False,
        fontsize=8,
        columnspacing=1.2,
        handletextpad=0.3,
    )
    return figure


def _plane(axes: Axes) -> None:
    axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    axes.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
    axes.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xticks=[-1, -0.5, 0, 0.5, 1])
    axes.set_yticks([-1, -0.5, 0, 0.5, 1])
    axes.set_xticklabels(["−1", "", "0", "", "1"])
    axes.set_yticklabels(["−1", "", "0", "", "1"])


def _label_handles() -> list[Line2D]:
    def handle(marker: str, colour: str, label: str) -> Line2D:
        size = 2.5 if label == "no label" else 5.5
        return Line2D([], [], linestyle="", marker=marker, color=colour, label=label, markersize=size)

    return [
        handle("^", SOFT, "high arousal"),
        handle("v", SOFT, "low arousal"),
        handle("o", GREEN, "positive valence"),
        handle("o", PURPLE, "negative valence"),
        handle("o", _VALENCE_COLOURS[""], "no label"),
    ]


def _knobs(content: Content) -> FigureImage:
    title = title_of("mer-knobs", content)
    said = "; ".join(
        f"{row['title']}, {row['predictor']}: valence {number(row['valence']['estimate'], signed=True)}, "
        f"arousal {number(row['arousal']['estimate'], signed=True)}"
        for row in content["one_knob"]
    )
    return picture(
        "mer-knobs", title, f"{title}, with 95 % intervals. {said}.", partial(_draw_knobs, content)
    )


def _draw_knobs(content: Content) -> Figure:
    rows = content["one_knob"]
    titles = list(dict.fromkeys(row["title"] for row in rows))
    names = list(dict.fromkeys(row["predictor"] for row in rows))
    figure = new_figure(0.42 * len(titles) + 1.1, False, WIDE_IN)
    both = figure.subplots(1, 2, sharey=True)
    reach = 1.08 * max(abs(row[axis][end]) for row in rows for axis in AXES for end in ("ci_low", "ci_high"))
    for axes, axis in zip(both, AXES, strict=True):
        open_axes(axes)
        axes.axvline(0, color=SOFT, linewidth=0.9, zorder=0)
        for place in range(1, len(titles), 2):
            axes.axhspan(place - 0.5, place + 0.5, color="#f4f4f4", zorder=-1, linewidth=0)
        for row in rows:
            index = names.index(row["predictor"])
            colour, _, marker = _STYLES[index]
            y = titles.index(row["title"]) + (index - (len(names) - 1) / 2) * 0.2
            effect = row[axis]
            axes.plot([effect["ci_low"], effect["ci_high"]], [y, y], color=colour, linewidth=1.3)
            axes.plot(effect["estimate"], y, marker, color=colour, markersize=4)
        axes.set(ylim=(len(titles) - 0.5, -0.5), xlim=(-reach, reach))
        axes.set_yticks(range(len(titles)), titles, fontsize=8)
        axes.set_xlabel(f"change of predicted {axis}")
        axes.tick_params(axis="y", length=0)
    handles = [
        Line2D([], [], color=_STYLES[index][0], marker=_STYLES[index][2], markersize=4, label=name)
        for index, name in enumerate(names)
    ]
    legend_below(figure, handles)
    return figure


def _foreign(content: Content) -> FigureImage:
    title = title_of("mer-foreign", content)
    said = "; ".join(
        f"{row['sounds_of']}, {row['predictor']}: {percent(row['share'])} of windows foreign"
        for row in content["foreign"]
    )
    return picture("mer-foreign", title, f"{title}. {said}.", partial(_draw_foreign, content))


def _draw_foreign(content: Content) -> Figure:
    # The combination knows only what its first member knows.
    rows = [row for row in content["foreign"] if row["predictor"] in ("musicnn", "cues")]
    groups = list(dict.fromkeys(row["sounds_of"] for row in rows))
    names = list(dict.fromkeys(row["predictor"] for row in rows))
    figure = new_figure(0.56 * len(groups) + 0.8, False, WIDE_IN)
    grid = figure.subplots(len(groups), len(names), sharex=True, squeeze=False)
    for row in rows:
        axes = grid[groups.index(row["sounds_of"])][names.index(row["predictor"])]
        widths = np.diff(HISTOGRAM_EDGES)
        is_foreign = HISTOGRAM_EDGES[:-1] >= 1.0 - 1e-9
        colours = [VERMILION if beyond else BLUE for beyond in is_foreign]
        axes.bar(HISTOGRAM_EDGES[:-1], row["histogram"], widths, align="edge", color=colours, linewidth=0)
        axes.set_ylim(0, 1.5 * max(row["histogram"]))
        share = f"{percent(row['share'])} beyond (of {row['windows']:,} windows)"
        axes.text(0.99, 0.76, share, transform=axes.transAxes, ha="right", fontsize=7.5, color=INK)
    for line, group in zip(grid, groups, strict=True):
        for axes in line:
            open_axes(axes)
            axes.axvline(1.0, color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
            axes.set(xlim=(0, HISTOGRAM_EDGES[-1]), yticks=[])
            axes.spines["left"].set_visible(False)
        line[0].set_ylabel(group, rotation=0, ha="right", va="center", fontsize=8)
    for axes, name in zip(grid[0], names, strict=True):
        axes.set_title(name, fontsize=9)
    figure.supxlabel(
        "distance from familiar music (1 is the edge; the last bar holds 4 and more)", fontsize=9
    )
    return figure
