"""Where on the plane the windows of a data set lie: a histogram and the shares of the quadrants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.training.crops import LabelledCrop
from study.affect import Affect

QUADRANTS = ("V+A+", "V+A−", "V−A+", "V−A−")
"""A coordinate of exactly 0 counts as +."""

N_BINS = 10
"""Of each axis, over [-1, 1]: bins 0.2 wide."""

_SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True)
class Quadrant:
    """A quarter of the plane.

    Args:
        name: one of `QUADRANTS`.
        windows, hours: in it; hours count every window whole, also where windows overlap.
        share_of_windows, share_of_hours: 0 to 1; None where nothing is placed at all.
    """

    name: str
    windows: int
    hours: float
    share_of_windows: float | None
    share_of_hours: float | None


@dataclass(frozen=True)
class Histogram:
    """Counts over the plane.

    Args:
        edges: of the bins of either axis, ascending, shape [n_bins + 1]; the last bin holds its upper edge.
        windows: shape [n_bins of arousal, n_bins of valence], both from low to high.
        hours: of the same shape.
    """

    edges: tuple[float, ...]
    windows: tuple[tuple[int, ...], ...]
    hours: tuple[tuple[float, ...], ...]


def quadrant_of(affect: Affect) -> str:
    """The name of the quadrant a point lies in."""
    return f"V{'+' if affect.valence >= 0 else '−'}A{'+' if affect.arousal >= 0 else '−'}"


def quadrants(crops: Sequence[LabelledCrop]) -> tuple[Quadrant, ...]:
    """The quadrants in the order of `QUADRANTS`; windows without affect are in none."""
    windows = dict.fromkeys(QUADRANTS, 0)
    seconds = dict.fromkeys(QUADRANTS, 0.0)
    for labelled in crops:
        if labelled.affect is not None:
            name = quadrant_of(labelled.affect)
            windows[name] += 1
            seconds[name] += labelled.crop.duration_s
    n_windows, all_s = sum(windows.values()), sum(seconds.values())
    return tuple(
        Quadrant(
            name=name,
            windows=windows[name],
            hours=seconds[name] / _SECONDS_AN_HOUR,
            share_of_windows=windows[name] / n_windows if n_windows else None,
            share_of_hours=seconds[name] / all_s if n_windows else None,
        )
        for name in QUADRANTS
    )


def histogram(crops: Sequence[LabelledCrop]) -> Histogram:
    """The windows over the plane; those without affect are left out."""
    placed = [
        (labelled.affect, labelled.crop.duration_s) for labelled in crops if labelled.affect is not None
    ]
    arousal = np.array([affect.arousal for affect, _ in placed])
    valence = np.array([affect.valence for affect, _ in placed])
    hours = np.array([duration_s for _, duration_s in placed]) / _SECONDS_AN_HOUR
    edges = np.linspace(-1.0, 1.0, N_BINS + 1).round(6)
    counts, *_ = np.histogram2d(arousal, valence, bins=(edges, edges))
    weighted, *_ = np.histogram2d(arousal, valence, bins=(edges, edges), weights=hours)
    return Histogram(
        edges=tuple(edges.tolist()),
        windows=tuple(tuple(round(count) for count in row) for row in counts.tolist()),
        hours=tuple(map(tuple, weighted.tolist())),
    )
