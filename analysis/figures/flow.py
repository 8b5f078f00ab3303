"""The CONSORT flow diagram.

Up to three groups stand side by side, as CONSORT draws them; more stand one
under the other, each with its stages from left to right, so that the diagram
never grows wider than a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.figures.drawing import INK, PAPER, SOFT, FigureImage, picture, results_figure
from analysis.figures.lettering import fitted
from analysis.results import Results
from analysis.words import ENGLISH, Words

_SIZE = 8
_LINE = 0.142  # inches of height a line of text takes
_PAD = 0.06  # inches between a box and its text
_GAP = 0.24
_COLUMN_IN = 2.3
_BESIDE_IN = 2.0
_ACROSS_IN = 6.9
_MOST_SIDE_BY_SIDE = 3
_INDENT = "   "


@dataclass(frozen=True)
class _Box:
    """Lines of text and how wide they are framed."""

    lines: tuple[str, ...]
    width_in: float

    @property
    def height_in(self) -> float:
        return len(self.lines) * _LINE + 2 * _PAD


def flow_image(results: Results, words: Words = ENGLISH) -> FigureImage:
    """Enrolled, allocated, followed, analysed: every box with its n."""
    title, alt = words.text("figure.flow.title"), _alt(results.flow, words)
    return picture("flow", title, alt, partial(_draw, results, words))


def _draw(results: Results, words: Words) -> Figure:
    flow = results.flow
    groups = flow["groups"]
    across = len(groups) > _MOST_SIDE_BY_SIDE
    width_in = _ACROSS_IN if across else max(4.6, _COLUMN_IN * len(groups))
    enrolled = _box_of(words.text("figure.flow.enrolled", n=flow["enrolled"]), {}, words, 1.7)
    out = flow["enrolled"] - flow["allocated"]
    beside = _box_of(words.text("figure.flow.not_allocated", n=out), flow["not_allocated"], words, _BESIDE_IN)
    allocated = _box_of(words.text("figure.flow.allocated", n=flow["allocated"]), {}, words, 1.7)
    box_in = (_ACROSS_IN - 0.45 - 2 * _GAP - 0.06) / 3 if across else width_in / max(len(groups), 1) - 0.16
    stages = [_stages(group, words, box_in) for group in groups]
    top_in = _GAP / 2 + enrolled.height_in + 2 * _GAP + beside.height_in + allocated.height_in
    if across:
        groups_in = sum(max(box.height_in for box in row) + _GAP for row in stages)
    else:
        groups_in = (
            sum(max(row[place].height_in for row in stages) + _GAP for place in range(3)) if stages else 0
        )
    drawn_in = top_in + groups_in + _GAP / 2
    figure = results_figure(results, words, drawn_in, width_in)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, drawn_in / figure.get_figheight()))
    axes.set_axis_off()
    axes.set(xlim=(0, width_in), ylim=(-drawn_in, 0))
    centre = width_in / 2
    y = _draw_box(axes, centre - enrolled.width_in / 2, -_GAP / 2, enrolled)
    below = y - 2 * _GAP - beside.height_in
    _arrow(axes, [(centre, y), (centre, below)])
    side_x = min(centre + 0.3, width_in - beside.width_in - 0.06)
    _draw_box(axes, side_x, y - _GAP, beside)
    _arrow(axes, [(centre, y - _GAP - beside.height_in / 2), (side_x, y - _GAP - beside.height_in / 2)])
    y = _draw_box(axes, centre - allocated.width_in / 2, below, allocated)
    if across:
        _draw_rows(axes, stages, centre, y)
    else:
        _draw_columns(axes, stages, centre, y, width_in)
    return figure


def _draw_columns(
    axes: Axes, stages: list[tuple[_Box, _Box, _Box]], centre: float, y: float, width_in: float
) -> None:
    xs = [width_in * (place + 0.5) / len(stages) for place in range(len(stages))]
    for x in xs:
        _arrow(axes, [(centre, y), (centre, y - _GAP / 2), (x, y - _GAP / 2), (x, y - _GAP)])
    for place in range(3 if stages else 0):
        y -= _GAP
        height_in = max(boxes[place].height_in for boxes in stages)
        for x, boxes in zip(xs, stages, strict=True):
            bottom = _draw_box(axes, x - boxes[place].width_in / 2, y, boxes[place])
            if place < 2:
                _arrow(axes, [(x, bottom), (x, y - height_in - _GAP)])
        y -= height_in


def _draw_rows(axes: Axes, stages: list[tuple[_Box, _Box, _Box]], centre: float, y: float) -> None:
    trunk, left = 0.15, 0.45
    top = y
    for boxes in stages:
        y -= _GAP
        at = y - _PAD - _LINE / 2
        _arrow(
            axes, [(centre, top), (centre, top - _GAP / 2), (trunk, top - _GAP / 2), (trunk, at), (left, at)]
        )
        x = left
        for box in boxes:
            _draw_box(axes, x, y, box)
            if box is not boxes[-1]:
                _arrow(axes, [(x + box.width_in, at), (x + box.width_in + _GAP, at)])
            x += box.width_in + _GAP
        y -= max(box.height_in for box in boxes)


def _stages(group: Mapping[str, Any], words: Words, width_in: float) -> tuple[_Box, _Box, _Box]:
    def text(key: str, **values: object) -> str:
        return words.text(f"figure.flow.{key}", **values)

    def reasons(key: str, counts: Mapping[str, int]) -> dict[str, int]:
        return {text(key, reason=words.said(reason)): n for reason, n in counts.items()}

    under_way = {text("still_listening"): group["under_way"]} if group["under_way"] else {}
    started = {text("started"): group["started"], **reasons("not_started", group["not_started"])}
    heard = {text("heard_all"): group["completed"], **reasons("stopped", group["stopped"]), **under_way}
    return (
        _box_of(text("arm", arm=group["label"], n=group["allocated"]), started, words, width_in),
        _box_of(text("listening", n=group["started"]), heard, words, width_in),
        _box_of(
            text("analysed", n=group["analysed"]), reasons("left_out", group["not_analysed"]), words, width_in
        ),
    )


def _box_of(heading: str, counts: Mapping[str, int], words: Words, width_in: float) -> _Box:
    room = width_in - 2 * _PAD
    lines = fitted(heading, room, _SIZE)
    for name, n in counts.items():
        counted = words.text("figure.flow.counted", name=words.said(name), n=n)
        first, *more = fitted(counted, room - 0.14, _SIZE)
        lines += [f"· {first}", *(_INDENT + line for line in more)]
    return _Box(tuple(lines), width_in)


def _draw_box(axes: Axes, x: float, y: float, box: _Box) -> float:
    """Draw a box with its upper left corner there; returns its lower edge."""
    low = y - box.height_in
    axes.add_patch(
        Rectangle(
            (x, low), box.width_in, box.height_in, facecolor=PAPER, edgecolor=SOFT, linewidth=0.9, zorder=3
        )
    )
    for place, line in enumerate(box.lines):
        axes.text(
            x + _PAD,
            y - _PAD - (place + 0.5) * _LINE,
            line,
            ha="left",
            va="center_baseline",
            fontsize=_SIZE,
            color=INK,
            zorder=4,
        )
    return low


def _arrow(axes: Axes, points: list[tuple[float, float]]) -> None:
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


def _alt(flow: Mapping[str, Any], words: Words) -> str:
    groups = [
        words.text(
            "figure.flow.alt_group",
            arm=group["label"],
            allocated=group["allocated"],
            started=group["started"],
            completed=group["completed"],
            analysed=group["analysed"],
        )
        for group in flow["groups"]
    ]
    whole = words.text("figure.flow.alt", enrolled=flow["enrolled"], allocated=flow["allocated"])
    return " ".join([whole, *groups])
