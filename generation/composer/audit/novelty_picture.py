"""The picture of a session's form: the self-similarity of its bars, and novelty against its sections."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from generation.composer.audit.bars import bars_of, section_starts
from generation.composer.audit.key_names import section_name
from generation.composer.audit.novelty import Novelty
from generation.composer.audit.time_axis import mark_time
from generation.composer.score import Score


def draw_novelty(score: Score, novelty: Novelty, title: str = "") -> Figure:
    """Self-similarity above, darker where two bars are more alike; the novelty curve with its peaks below.

    Args:
        novelty: of this score.
        title: one line above the picture.
    """
    figure = Figure(figsize=(8.0, 9.6), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 1, height_ratios=(4.2, 1.0))
    matrix, curve = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    edges = np.append(novelty.onsets_s, score.duration_s)
    low = float(np.quantile(novelty.similarity, 0.05))
    mesh = matrix.pcolormesh(edges, edges, novelty.similarity, cmap="cividis_r", vmin=low, vmax=1.0)
    figure.colorbar(mesh, ax=matrix, label="likeness of two bars (cosine)", shrink=0.85)
    matrix.set_aspect("equal")
    matrix.invert_yaxis()
    matrix.set_title(title, fontsize=11, pad=22, parse_math=False)
    starts = section_starts(bars_of(score))
    ends_s = [bar.onset_s for bar, _ in starts[1:]] + [score.duration_s]
    for (bar, section), end_s in zip(starts, ends_s, strict=True):
        for line in (matrix.axvline, matrix.axhline, curve.axvline):
            line(bar.onset_s, color="#777777", linewidth=0.7)
        matrix.annotate(
            section_name(section),
            ((bar.onset_s + end_s) / 2, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            rotation=0 if len(starts) < 18 else 90,
        )
    curve.plot(novelty.onsets_s, novelty.curve, color="#222222", linewidth=1.5)
    peaks = list(novelty.peaks)
    curve.plot(novelty.onsets_s[peaks], novelty.curve[peaks], "v", color="#D55E00", markersize=7)
    curve.set(xlim=(0.0, score.duration_s), ylim=(-0.03, 1.12), ylabel="novelty")
    told = f"{novelty.found} of {len(novelty.sections)} sections begin within a bar of a peak"
    curve.set_title(f"{told} (by chance {novelty.by_chance:.1f})", fontsize=9)
    for axis in (matrix.xaxis, matrix.yaxis, curve.xaxis):
        mark_time(axis, score.duration_s, most_marks=10)
    return figure
