"""The losses of a training by step, drawn from its log."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from generation.training.learning.logs import read_log
from study.folder import write_whole

_SMOOTHED_OVER = 25
"""Of the points drawn; the losses of single steps lie too far apart to be read."""

Series = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Steps, and a value at each."""


def draw_losses(folder: Path, picture: Path) -> bool:
    """Draw the log of a training as a PNG file.

    Args:
        folder: of the run, with ``log.csv``.

    Returns:
        Whether there was anything to draw.

    Raises:
        StorageError: the picture cannot be written.
    """
    rows = read_log(folder)
    loss, validation, sampled = (_series(rows, name) for name in ("loss", "validation_loss", "sampled_error"))
    if not len(loss[0]) and not len(validation[0]):
        return False
    drawn = io.BytesIO()
    figure(loss, validation, sampled).savefig(drawn, format="png", dpi=150)
    write_whole(picture, drawn.getvalue())
    return True


def figure(loss: Series, validation: Series, sampled: Series) -> Figure:
    """Training and validation loss over steps; below them, where it was measured, the clips' error.

    Args:
        loss, validation: nats a code.
        sampled: mean distance of sampled clips from their targets, in units of affect; may be empty.
    """
    has_sampled = len(sampled[0]) > 0
    drawn = Figure(figsize=(7.0, 5.6 if has_sampled else 3.6), layout="constrained")
    FigureCanvasAgg(drawn)
    panels = drawn.subplots(1 + has_sampled, 1, sharex=True, squeeze=False)[:, 0]
    _draw_losses(panels[0], loss, validation)
    if has_sampled:
        panels[1].plot(*sampled, marker="o", markersize=4, color="#7a3e9d")
        panels[1].set_ylabel("distance of clips\nfrom targets (V/A)")
        panels[1].set_ylim(0.0, 1.1 * max(float(sampled[1].max()), 0.1))
    panels[-1].set_xlabel("step")
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    for panel in panels:
        panel.grid(alpha=0.3)
    return drawn


def _draw_losses(axes: Axes, loss: Series, validation: Series) -> None:
    if len(loss[0]):
        axes.plot(*loss, color="#9db8d2", linewidth=0.8, label="training, each step")
    if len(loss[0]) >= 2 * _SMOOTHED_OVER:
        axes.plot(*_smoothed(loss), color="#1f5a96", linewidth=1.8, label=f"mean of {_SMOOTHED_OVER} steps")
    if len(validation[0]):
        axes.plot(*validation, color="#c8501e", marker="o", markersize=4, label="validation")
    axes.set_ylabel("loss (nats a code)")
    axes.legend(frameon=False)


def _series(rows: list[dict[str, str]], column: str) -> Series:
    found = [(float(row["step"]), float(row[column])) for row in rows if row.get(column)]
    steps, values = np.array(found, dtype=np.float64).reshape(-1, 2).T
    return steps, values


def _smoothed(series: Series) -> Series:
    """Running means, each at the middle of its steps."""
    kernel = np.full(_SMOOTHED_OVER, 1.0 / _SMOOTHED_OVER)
    steps, values = (np.convolve(part, kernel, mode="valid") for part in series)
    return steps, values
