"""Whether the primary model fits: residuals over fitted values, and against the normal distribution."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

from analysis.figures.drawing import (
    BLUE,
    INK,
    MANY_POINTS,
    SOFT,
    FigureImage,
    number_axis,
    open_axes,
    picture,
    results_figure,
)
from analysis.figures.names import endpoint_name
from analysis.results import Results
from analysis.words import ENGLISH, Words

FEWEST_RESIDUALS = 3

Floats = NDArray[np.float64]


def diagnostics_image(results: Results, words: Words = ENGLISH) -> FigureImage | None:
    """Residuals of the primary endpoint's model; None where the results hold none."""
    fitted, residual = _residuals(results)
    if len(residual) < FEWEST_RESIDUALS:
        return None
    title = words.text("figure.diagnostics.title", endpoint=endpoint_name(words, results.study["endpoint"]))
    if len(residual) > MANY_POINTS:
        title += " " + words.text("figure.pixels", n=len(residual))
    sd = float(residual.std(ddof=1))
    alt = words.text(
        "figure.diagnostics.alt",
        n=len(residual),
        sd=words.number(sd),
        low=words.number(float(residual.min())),
        high=words.number(float(residual.max())),
        fitted_low=words.number(float(fitted.min())),
        fitted_high=words.number(float(fitted.max())),
        correlation=words.number(_straightness(residual), 3, bounded=True),
    )
    return picture("diagnostics", title, alt, partial(_draw, results, words))


def _draw(results: Results, words: Words) -> Figure:
    fitted, residual = _residuals(results)
    many = len(residual) > MANY_POINTS
    figure = results_figure(results, words, 2.6, 4.75)
    left, right = figure.subplots(1, 2, sharey=True)
    dots = {
        "linestyle": "none",
        "marker": "o",
        "ms": 2 if many else 3.6,
        "mfc": "none" if not many else BLUE,
        "mec": BLUE,
        "mew": 0 if many else 0.8,
        "alpha": 0.3 if many else 0.8,
        "rasterized": many,
    }
    for axes in (left, right):
        open_axes(axes)
        number_axis(axes.xaxis, words, most=4)
        number_axis(axes.yaxis, words)
    left.axhline(0, color=SOFT, linewidth=1, zorder=0)
    left.plot(fitted, residual, **dots)
    left.set_xlabel(words.text("figure.diagnostics.fitted"))
    left.set_ylabel(words.text("figure.diagnostics.residual"))
    quantiles, ordered = _quantiles(residual)
    right.plot(quantiles, ordered, **dots)
    # Through the quartiles, as R's qqline draws it: the tails do not pull it.
    low, high = np.quantile(ordered, (0.25, 0.75))
    slope = (high - low) / (stats.norm.ppf(0.75) - stats.norm.ppf(0.25))
    ends = np.array([quantiles.min(), quantiles.max()])
    right.plot(
        ends, (low + high) / 2 + slope * ends, color=INK, linewidth=1.1, linestyle=(0, (4, 2)), zorder=3
    )
    right.set_xlabel(words.text("figure.diagnostics.normal"))
    return figure


def _residuals(results: Results) -> tuple[Floats, Floats]:
    found = results.primary["diagnostics"].get("residuals") or {"fitted": [], "residual": []}
    return np.array(found["fitted"], dtype=float), np.array(found["residual"], dtype=float)


def _quantiles(residual: Floats) -> tuple[Floats, Floats]:
    """Normal quantiles at (i − 0.5) / n, and the residuals in order."""
    n = len(residual)
    return np.asarray(stats.norm.ppf((np.arange(1, n + 1) - 0.5) / n), dtype=float), np.sort(residual)


def _straightness(residual: Floats) -> float | None:
    quantiles, ordered = _quantiles(residual)
    return float(np.corrcoef(quantiles, ordered)[0, 1]) if np.ptp(ordered) > 0 else None
