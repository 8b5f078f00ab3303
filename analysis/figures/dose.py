"""How much was heard, and what was felt by how much was heard: a description, never a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.drawing import (
    FAINT,
    INK,
    PAPER,
    FigureImage,
    arm_style,
    label_axes,
    number_axis,
    open_axes,
    picture,
    results_figure,
)
from analysis.figures.lettering import fitted, on_one_line
from analysis.figures.names import arm_order, endpoint_name
from analysis.results import Results
from analysis.words import ENGLISH, Words

_ROW_IN = 0.46
_COUNT_IN = 0.34


def dose_image(results: Results, words: Words = ENGLISH) -> FigureImage | None:
    """Share heard by arm above, the endpoint by band of share heard below; None before anyone listened."""
    heard, banded = _heard(results), _banded(results)
    if not heard and not banded:
        return None
    title = words.text("figure.dose.title_heard") if heard else ""
    if banded:
        endpoint = endpoint_name(words, results.study["endpoint"])
        title = f"{title} {words.text('figure.dose.title_bands', endpoint=endpoint)}".strip()
    return picture("dose", title, _alt(heard, banded, words), partial(_draw, results, words))


def _draw(results: Results, words: Words) -> Figure:
    heard, banded = _heard(results), _banded(results)
    heights = [0.5 + _ROW_IN * len(heard)] if heard else []
    if banded:
        heights += [2.0, _COUNT_IN * len(banded) + 0.1]
    figure = results_figure(results, words, sum(heights) + 0.45)
    panels = figure.subplots(len(heights), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    if heard:
        _draw_heard(panels[0], heard, arm_order(results), words)
    if banded:
        _draw_bands(panels[-2], results, banded, words)
        _draw_counts(panels[-1], results, banded)
    return figure


def _draw_heard(
    axes: Axes, heard: Sequence[Mapping[str, Any]], order: Mapping[str, int], words: Words
) -> None:
    open_axes(axes)
    axes.spines["left"].set_visible(False)
    axes.set(xlim=(-3, 103), ylim=(-len(heard) + 0.42, 0.62), yticks=())
    for place, arm in enumerate(heard):
        style = arm_style(order.get(arm["arm"], place))
        low, q1, median, q3, high = (
            100 * arm["heard_s"][name] / arm["planned_s"] for name in ("min", "q1", "median", "q3", "max")
        )
        y = -place - 0.15
        axes.plot([low, high], [y, y], color=style.color, linewidth=1.2, zorder=2)
        axes.fill_between(
            [q1, q3], y - 0.12, y + 0.12, facecolor=FAINT, edgecolor=style.color, linewidth=1, zorder=3
        )
        axes.plot([median, median], [y - 0.17, y + 0.17], color=INK, linewidth=2, zorder=4)
        mean = 100 * arm["heard_share_mean"] if arm["heard_share_mean"] is not None else None
        if mean is not None:
            axes.plot(mean, y, marker=style.marker, ms=7, color=style.color, mec=PAPER, mew=0.8, zorder=5)
        count = words.text("figure.dose.sessions", n=arm["started"]["n"])
        axes.text(
            0,
            y + 0.24,
            on_one_line(arm["label"], f" ({count})", 3.1),
            transform=axes.get_yaxis_transform(),
            va="bottom",
            fontsize=8,
            in_layout=False,
        )
    label_axes(axes, words.text("figure.dose.share_axis"))


def _draw_bands(axes: Axes, results: Results, banded: Sequence[Mapping[str, Any]], words: Words) -> None:
    open_axes(axes)
    bands = list(results.dose["bands"])
    order = arm_order(results)
    room_in = 3.2 / max(len(bands), 1) - 0.1
    for place, arm in enumerate(banded):
        style = arm_style(order.get(arm["arm"], place))
        shift = 0.11 * (place - (len(banded) - 1) / 2)
        found = [(bands.index(cell["band"]), cell) for cell in arm["bands"] if cell["mean"] is not None]
        for at, cell in found:
            if cell["sd"] is not None:
                axes.plot(
                    [at + shift] * 2,
                    [cell["mean"] - cell["sd"], cell["mean"] + cell["sd"]],
                    color=style.color,
                    linewidth=1.1,
                )
        axes.plot(
            [at + shift for at, _ in found],
            [cell["mean"] for _, cell in found],
            linestyle="none",
            marker=style.marker,
            ms=6.5,
            color=style.color,
            mec=PAPER,
            mew=0.7,
            zorder=4,
        )
    axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
    axes.set_xlim(-0.5, len(bands) - 0.5)
    axes.set_xticks(
        range(len(bands)),
        ["\n".join(fitted(words.said(band), room_in, 8)) for band in bands],
        fontsize=8,
    )
    number_axis(axes.yaxis, words)
    after = words.text("figure.after", endpoint=endpoint_name(words, results.study["endpoint"]))
    label_axes(axes, y=after)


def _draw_counts(axes: Axes, results: Results, banded: Sequence[Mapping[str, Any]]) -> None:
    """Under the bands, as under a survival curve: each arm's mark and name, and its people per band."""
    bands = list(results.dose["bands"])
    order = arm_order(results)
    axes.set_axis_off()
    axes.set(xlim=(-0.5, len(bands) - 0.5), ylim=(-len(banded), 0))
    for place, arm in enumerate(banded):
        style = arm_style(order.get(arm["arm"], place))
        across = axes.get_yaxis_transform()
        axes.plot(
            0.02, -place - 0.25, marker=style.marker, ms=6, color=style.color, transform=across, clip_on=False
        )
        name = on_one_line(arm["label"], ", n", 3.0)
        axes.text(0.05, -place - 0.25, name, transform=across, va="center", fontsize=8, in_layout=False)
        for cell in arm["bands"]:
            at = bands.index(cell["band"])
            axes.text(at, -place - 0.7, str(cell["n"]), ha="center", va="center", fontsize=8)


def _heard(results: Results) -> list[Mapping[str, Any]]:
    return [arm for arm in results.adherence if arm["heard_s"]["median"] is not None and arm["planned_s"] > 0]


def _banded(results: Results) -> list[Mapping[str, Any]]:
    arms = results.dose.get("arms", []) if results.dose else []
    return [arm for arm in arms if any(cell["n"] for cell in arm["bands"])]


def _alt(heard: Sequence[Mapping[str, Any]], banded: Sequence[Mapping[str, Any]], words: Words) -> str:
    said = [
        words.text(
            "figure.dose.alt_arm",
            arm=arm["label"],
            n=arm["started"]["n"],
            median=words.number(100 * arm["heard_s"]["median"] / arm["planned_s"], 0),
            low=words.number(100 * arm["heard_s"]["min"] / arm["planned_s"], 0),
        )
        for arm in heard
    ]
    said += [
        words.text(
            "figure.dose.alt_band",
            arm=arm["label"],
            band=words.said(cell["band"]),
            mean=words.number(cell["mean"]),
            sd=words.number(cell["sd"]),
            n=cell["n"],
        )
        for arm in banded
        for cell in arm["bands"]
        if cell["mean"] is not None
    ]
    return " ".join(said)
