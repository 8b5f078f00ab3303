"""The report as pictures: each measure over the plane, and every seed's correlation."""

from __future__ import annotations

import io
import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from study.folder import write_whole
from tests.benchmarks.composer_control_measures import UNITS
from tests.benchmarks.composer_control_plan import AXES, ControlPlan
from tests.benchmarks.composer_control_results import POOLED, Results

_COLUMNS = 4
_TITLES = {
    "note_rate": "notes a second",
    "tempo": "tempo",
    "onset_rate": "onsets a second",
    "brightness": "brightness",
    "loudness": "loudness",
    "major_minor": "major less minor",
    "register": "melody register",
    "roughness": "roughness",
}
#: Okabe & Ito's palette, told apart by colour-blind eyes; marks tell them apart in grey.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
_MARKS = ("o", "s", "^", "D", "v", "P")


def draw_plane(plan: ControlPlan, results: Results) -> Figure:
    """A heat map a measure: means over palettes and seeds, valence to the right, arousal upwards."""
    names = list(plan.bars)
    rows = math.ceil(len(names) / _COLUMNS)
    figure = Figure(figsize=(2.7 * _COLUMNS, 2.75 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, name in zip(figure.subplots(rows, _COLUMNS).flat, names, strict=False):
        _draw_cells(axes, plan, results, name)
    return figure


def draw_seeds(plan: ControlPlan, results: Results) -> Figure:
    """Every seed of every palette: rho with the measure's own axis and with the other, beside the bars."""
    names = [name for name, bar in plan.bars.items() if bar.axis]
    palettes = [group for group in next(iter(results.verdicts.values())) if group != POOLED]
    figure = Figure(figsize=(10.5, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    own, other = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1))
    for place, name in enumerate(names):
        axis = str(plan.bars[name].axis)
        across = next(one for one in AXES if one != axis)
        own.plot([plan.bars[name].at_least] * 2, [place - 0.4, place + 0.4], color="0.2", lw=1.2)
        for number, palette in enumerate(palettes):
            height = place + 0.6 * ((number + 0.5) / len(palettes) - 0.5)
            look = {
                "color": _COLOURS[number % len(_COLOURS)],
                "marker": _MARKS[number % len(_MARKS)],
                "ls": "none",
                "ms": 4.5,
                "alpha": 0.75,
                "mew": 0,
            }
            rhos = [seed[palette] for seed in results.by_seed[name].values()]
            label = palette if place == 0 else None
            own.plot([rho[axis] for rho in rhos], [height] * len(rhos), label=label, **look)
            other.plot([rho[across] for rho in rhos], [height] * len(rhos), **look)
    for bound in (-plan.cross_talk_at_most, plan.cross_talk_at_most):
        other.axvline(bound, color="0.2", lw=1.2)
    other.axvline(0, color="0.85", lw=0.8, zorder=0)
    own.set(yticks=range(len(names)), xlabel="Spearman's ρ with the measure's own axis, one dot a seed")
    own.set_yticklabels([f"{_TITLES.get(n, n)} ({plan.bars[n].axis})" for n in names])
    own.invert_yaxis()
    other.set(xlabel="ρ with the other axis", xlim=(-1, 1))
    for axes in (own, other):
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=len(palettes), fontsize=8, frameon=False)
    return figure


def write_figure(figure: Figure, path: Path) -> None:
    """The figure as its ending says; the same bytes from the same figures."""
    picture = io.BytesIO()
    kind = path.suffix.removeprefix(".")
    with mpl.rc_context({"svg.hashsalt": "composer-control", "svg.fonttype": "path"}):
        figure.savefig(picture, format=kind, dpi=130, metadata={"Date": None} if kind == "svg" else {})
    write_whole(path, picture.getvalue())


def _draw_cells(axes: Axes, plan: ControlPlan, results: Results, name: str) -> None:
    cells = results.cells[name]
    axes.imshow(cells, origin="lower", cmap="cividis", aspect="equal")
    rho = results.verdicts[name][POOLED].follows.rho
    unit = f" ({UNITS[name]})" if UNITS[name] else ""
    axes.set_title(
        f"{_TITLES.get(name, name)}{unit}\nρ with V {rho['valence']:+.2f}, with A {rho['arousal']:+.2f}",
        fontsize=9,
    )
    middle = (cells.min() + cells.max()) / 2
    for (row, column), value in np.ndenumerate(cells):
        colour = "white" if value < middle else "black"
        axes.text(column, row, _short(value), ha="center", va="center", fontsize=7, color=colour)
    ticks = range(len(plan.grid))
    axes.set_xticks(ticks, [f"{place:g}" for place in plan.grid], fontsize=7)
    axes.set_yticks(ticks, [f"{place:g}" for place in plan.grid], fontsize=7)
    axes.set_xlabel("valence", fontsize=8)
    axes.set_ylabel("arousal", fontsize=8)


def _short(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 3 else f"{value:.2f}"
