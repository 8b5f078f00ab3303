"""Enrolment against the plan, over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from analysis.figures.drawing import (
    BLUE,
    FAINT,
    INK,
    SOFT,
    FigureImage,
    new_figure,
    open_axes,
    styled,
    to_svg,
)

WIDTH_IN = 4.8


def enrolment_image(
    days: Sequence[tuple[dt.date, int, int]], planned: int, simulated: bool = False
) -> FigureImage:
    """People enrolled and allocated by the end of each day, and how many the plan asks for.

    Args:
        days: day, enrolled so far, allocated so far; in order.
        planned: people to be allocated.
    """
    with styled():
        figure = new_figure(2.6, simulated, width_in=WIDTH_IN)
        axes = figure.add_subplot()
        open_axes(axes)
        at = list(range(len(days)))
        enrolled = [n for _, n, _ in days]
        allocated = [n for _, _, n in days]
        axes.step(at, enrolled, where="post", color=SOFT, linestyle=(0, (4, 2)), linewidth=1.4)
        axes.step(at, allocated, where="post", color=BLUE, linewidth=2.2)
        axes.plot(at[-1], enrolled[-1], marker="s", color=SOFT, ms=5)
        axes.plot(at[-1], allocated[-1], marker="o", color=BLUE, ms=6)
        axes.axhline(planned, color=INK, linewidth=1, linestyle=":")
        axes.text(
            0.0, planned, f"plan: {planned} allocated", transform=axes.get_yaxis_transform(), va="bottom"
        )
        beside = (f" enrolled: {enrolled[-1]}", f" allocated: {allocated[-1]}")
        apart = 0 if enrolled[-1] - allocated[-1] > 0.08 * planned else 5
        for (n, color, shift), words in zip(
            ((enrolled[-1], SOFT, apart), (allocated[-1], BLUE, -apart)), beside, strict=True
        ):
            axes.annotate(
                words,
                (at[-1], n),
                xytext=(5, shift),
                textcoords="offset points",
                color=color,
                va="center",
                annotation_clip=False,
            )
        axes.set_ylim(0, max(planned, *enrolled) * 1.12)
        axes.set_xlim(-0.2, at[-1] + max(0.6, len(days) / 5))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        ticks = sorted({round(place) for place in np.linspace(0, at[-1], min(len(days), 5))})
        axes.set_xticks(ticks, [f"{days[tick][0].day} {days[tick][0]:%b}" for tick in ticks])
        axes.grid(axis="y", color=FAINT, linewidth=0.6)
        axes.set_ylabel("People")
    first, last = days[0], days[-1]
    alt = (
        f"From {first[0]:%Y-%m-%d} to {last[0]:%Y-%m-%d}: {last[1]} people enrolled and {last[2]} allocated; "
        f"the plan asks for {planned} allocated."
    )
    return FigureImage("enrolment", "Enrolment against the plan", alt, to_svg(figure, "enrolment", alt))
