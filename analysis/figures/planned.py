"""The planned paths of a protocol's arms, on the circumplex and over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

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
)
from analysis.figures.lettering import wrapped
from analysis.figures.session import draw_plane
from study.affect import Affect
from study.path import AffectPath

Planned = Sequence[tuple[str, AffectPath]]
"""Arms in the protocol's order: name and path from the example start."""


def planned_images(
    arms: Planned, start: Affect, target: Affect, probes_at_s: Sequence[float]
) -> list[FigureImage]:
    """Two pictures, each legible in one column of a phone.

    Args:
        start: the example start the paths were made from.
        probes_at_s: onsets of probes in session time.
    """
    where = f"valence {target.valence:.2f}, arousal {target.arousal:.2f}"
    alt = f"Planned paths. {_words(arms)} The target is {where}."
    with styled():
        plane = new_figure(4.7, simulated=False)
        axes = plane.add_subplot()
        draw_plane(axes)
        for index, (_, path) in enumerate(arms):
            if path.has_affect:
                middles = np.array([w.onset_s + w.duration_s / 2 for w in path.waypoints])
                axes.plot(*path.affect_at(middles).T, **_style(index, max(1, len(middles) // 10)))
        axes.plot(start.valence, start.arousal, "s", ms=12, mfc="none", mec=INK, mew=1.4)
        axes.plot(target.valence, target.arousal, "*", ms=17, mfc="none", mec=INK, mew=1.3)
        marks = [
            Line2D([], [], linestyle="none", marker="s", ms=9, mfc="none", mec=INK, label="example start"),
            Line2D([], [], linestyle="none", marker="*", ms=12, mfc="none", mec=INK, label="target"),
        ]
        handles = [*_handles(arms), *marks]
        plane.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=8.5)
        course = new_figure(4.7, simulated=False)
        both = course.subplots(2, 1, sharex=True)
        for place, (axes, name) in enumerate(zip(both, ("Valence", "Arousal"), strict=True)):
            open_axes(axes)
            axes.set(ylim=(-1.05, 1.05), yticks=(-1, 0, 1), ylabel=name)
            axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
            for at_s in probes_at_s:
                axes.axvline(at_s / 60, color=SOFT, linewidth=0.8, linestyle=":")
            for index, (_, path) in enumerate(arms):
                if path.has_affect:
                    times = np.linspace(0, path.duration_s, 240)
                    values = path.affect_at(times)[:, place]
                    axes.plot(times / 60, values, **_style(index, (8 * index, 40)))
        both[1].set_xlabel("Minutes into the session" + (" (dotted: probes)" if probes_at_s else ""))
        course.legend(
            handles=_handles(arms), loc="outside lower center", ncols=2, frameon=False, fontsize=8.5
        )
    return [
        FigureImage("planned-plane", "On the circumplex", alt, to_svg(plane, "planned-plane", alt)),
        FigureImage("planned-course", "Over session time", alt, to_svg(course, "planned-course", alt)),
    ]


def _style(index: int, markevery: int | tuple[int, int]) -> dict[str, Any]:
    color, marker = arm_mark(index)
    return {
        "color": color,
        "marker": marker,
        "markevery": markevery,
        "linewidth": 1.7,
        "markersize": 6,
        "markeredgecolor": PAPER,
        "markeredgewidth": 0.6,
    }


def _handles(arms: Planned) -> list[Line2D]:
    handles = []
    for index, (name, path) in enumerate(arms):
        color, marker = arm_mark(index)
        label = wrapped(name if path.has_affect else f"{name} (no planned mood)", 26)
        width = 1.7 if path.has_affect else 0.0
        handles.append(Line2D([], [], color=color, marker=marker, ms=6, linewidth=width, label=label))
    return handles


def _words(arms: Planned) -> str:
    said = []
    for name, path in arms:
        first, last = path.waypoints[0].affect, path.waypoints[-1].affect
        if first is None or last is None:
            said.append(f"{name}: no planned mood.")
        else:
            said.append(
                f"{name}: from valence {first.valence:.2f}, arousal {first.arousal:.2f} to valence "
                f"{last.valence:.2f}, arousal {last.arousal:.2f}."
            )
    return " ".join(said)
