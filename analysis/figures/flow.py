"""The CONSORT flow diagram."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, Literal

from matplotlib.axes import Axes

from analysis.figures.drawing import INK, PAPER, SOFT, FigureImage, new_figure, styled, to_svg
from analysis.results import Results

_LINE = 0.142  # inches of height a line of text takes
_PAD = 0.06  # inches between a box and its text
_GAP = 0.24
_SIDE = 0.45
_GROUP_WIDTH_IN = 2.3


def flow_image(results: Results) -> FigureImage:
    """Enrolled, allocated, followed, analysed: every box with its n."""
    flow = results.flow
    groups = flow["groups"]
    columns = max(len(groups), 1)
    width_in = max(4.4, _GROUP_WIDTH_IN * columns)
    letters = int((width_in / columns - 0.3) / 0.062)
    top = _lines(f"Enrolled (n = {flow['enrolled']})", {}, 40)
    not_allocated = flow["enrolled"] - flow["allocated"]
    beside = _lines(
        f"Not allocated (n = {not_allocated})", flow["not_allocated"], int((width_in / 2 - _SIDE) / 0.062)
    )
    middle = _lines(f"Allocated (n = {flow['allocated']})", {}, 40)
    stages = [[_group_lines(group, letters)[stage] for group in groups] for stage in range(3)]
    heights = [max((_height(lines) for lines in stage), default=0.0) for stage in stages]
    upper = _height(top) + _height(beside) + _height(middle) + 4 * _GAP
    drawn_in = upper + sum(heights) + len(heights) * _GAP
    with styled():
        figure = new_figure(
            drawn_in + (0.27 if results.simulated else 0), results.simulated, width_in=width_in
        )
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, drawn_in / figure.get_figheight()))
        axes.set_axis_off()
        axes.set(xlim=(0, width_in), ylim=(-drawn_in, 0))
        centre = width_in / 2
        y = _box(axes, centre, -_GAP / 2, top)
        side_y = y - _GAP - _height(beside) / 2
        below = y - 2 * _GAP - _height(beside)
        _line(axes, [(centre, y), (centre, below)])
        _box(axes, centre + _SIDE, y - _GAP, beside, ha="left")
        _line(axes, [(centre, side_y), (centre + _SIDE, side_y)])
        y = _box(axes, centre, below, middle)
        xs = [width_in * (place + 0.5) / columns for place in range(len(groups))]
        for x in xs:
            _line(axes, [(centre, y), (centre, y - _GAP / 2), (x, y - _GAP / 2), (x, y - _GAP)])
        for stage, height in zip(stages, heights, strict=True):
            y -= _GAP
            for x, lines in zip(xs, stage, strict=True):
                bottom = _box(axes, x, y, lines)
                if stage is not stages[-1]:
                    _line(axes, [(x, bottom), (x, y - height - _GAP)])
            y -= height
    alt = _alt(flow)
    return FigureImage("flow", "Flow of participants (CONSORT 2025)", alt, to_svg(figure, "flow", alt))


def _group_lines(group: Mapping[str, Any], letters: int) -> list[list[str]]:
    listening = {"heard all": group["completed"], **{f"stopped: {k}": v for k, v in group["stopped"].items()}}
    if group["under_way"]:
        listening["still listening"] = group["under_way"]
    label = group["label"]
    not_started = {f"not started: {reason}": n for reason, n in group["not_started"].items()}
    return [
        _lines(
            f"{label} (n = {group['allocated']})",
            {"started listening": group["started"], **not_started},
            letters,
        ),
        _lines(f"Listening (n = {group['started']})", listening, letters),
        _lines(
            f"Analysed (n = {group['analysed']})",
            {f"left out: {reason}": n for reason, n in group["not_analysed"].items()},
            letters,
        ),
    ]


def _lines(heading: str, counts: Mapping[str, int], letters: int) -> list[str]:
    lines = textwrap.wrap(_kept(heading), letters)
    for name, n in counts.items():
        item = _kept(f"{name} (n = {n})")
        lines += textwrap.wrap(item, letters, initial_indent="· ", subsequent_indent="  ")
    return lines


def _kept(text: str) -> str:
    """The text with its count kept on one line."""
    return text.replace("(n = ", "(n\u00a0=\u00a0")


def _height(lines: list[str]) -> float:
    return len(lines) * _LINE + 2 * _PAD


def _box(axes: Axes, x: float, y: float, lines: list[str], ha: Literal["center", "left"] = "center") -> float:
    """Draw a box with its upper edge at y; returns its lower edge."""
    axes.text(
        x + (_PAD if ha == "left" else 0),
        y - _PAD,
        "\n".join(lines),
        ha=ha,
        va="top",
        multialignment="left",
        fontsize=8,
        linespacing=1.2,
        color=INK,
        bbox={
            "boxstyle": f"square,pad={_PAD * 72 / 8:.2f}",
            "facecolor": PAPER,
            "edgecolor": SOFT,
            "linewidth": 0.9,
        },
        zorder=3,
    )
    return y - _height(lines)


def _line(axes: Axes, points: list[tuple[float, float]]) -> None:
    """A line through the points with an arrow head at the last."""
    axes.plot(*zip(*points[:-1], strict=True), color=SOFT, linewidth=0.9, zorder=1)
    axes.annotate(
        "",
        xy=points[-1],
        xytext=points[-2],
        arrowprops={
            "arrowstyle": "-|>",
            "color": SOFT,
            "linewidth": 0.9,
            "mutation_scale": 8,
            "shrinkA": 0,
            "shrinkB": 0,
        },
        zorder=2,
    )


def _alt(flow: Mapping[str, Any]) -> str:
    groups = "; ".join(
        f"{group['label']}: {group['allocated']} allocated, {group['started']} started, "
        f"{group['completed']} heard all, {group['analysed']} analysed"
        for group in flow["groups"]
    )
    return f"{flow['enrolled']} enrolled, {flow['allocated']} allocated. {groups}."
