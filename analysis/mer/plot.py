"""The picture of what was heard: paths on the circumplex, and both axes over time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from analysis.mer.files import HeardFile, HeardRow
from study.errors import OutOfRange
from study.folder import write_whole

#: Okabe & Ito's palette, told apart by colour-blind eyes.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_TICKS = (-1.0, -0.5, 0.0, 0.5, 1.0)
_FORMATS = (".png", ".svg", ".pdf")
_CORNERS = ((-1, 1, "tense"), (1, 1, "joyful"), (-1, -1, "sad"), (1, -1, "calm"))


def check_plot_path(path: Path) -> None:
    """Refuse a picture's name before any work is done for it.

    Raises:
        OutOfRange: its ending is no picture format, or its folder is not there.
    """
    if path.suffix.lower() not in _FORMATS:
        raise OutOfRange(str(path), "is not the name of a picture", "end it with " + ", ".join(_FORMATS))
    if not path.absolute().parent.is_dir():
        raise OutOfRange(str(path), "its folder does not exist", "make the folder first")


def write_plot(path: Path, heard: Sequence[HeardFile], row_s: float) -> None:
    """Draw `heard` into a PNG, SVG or PDF file, by its ending.

    Raises:
        OutOfRange: as `check_plot_path`.
        StorageError: it cannot be written.
    """
    check_plot_path(path)
    picture = io.BytesIO()
    draw(heard, row_s).savefig(picture, format=path.suffix.lower().removeprefix("."), dpi=150)
    write_whole(path, picture.getvalue())


def draw(heard: Sequence[HeardFile], row_s: float) -> Figure:
    """A figure: the circumplex at the left; valence above arousal over time at the right.

    Lines join the means of rows of `row_s` seconds; a ring marks where a path
    begins, a filled point where it ends. Single windows are the pale dots.
    """
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 1.25))
    plane = figure.add_subplot(grid[:, 0])
    over_time = [figure.add_subplot(grid[row, 1]) for row in (0, 1)]
    _draw_plane(plane)
    longest_s = max(file.duration_s for file in heard)
    unit, name = (60.0, "minutes") if longest_s > 180 else (1.0, "seconds")
    for axes, axis in zip(over_time, ("valence", "arousal"), strict=True):
        axes.set(xlim=(0, longest_s / unit), ylim=(-1, 1), yticks=_TICKS, ylabel=f"{axis} (predicted)")
        axes.axhline(0, color="0.8", lw=0.8, zorder=0)
        axes.spines[["top", "right"]].set_visible(False)
    over_time[0].tick_params(labelbottom=False)
    over_time[1].set_xlabel(name)
    for number, file in enumerate(heard):
        _draw_file(plane, over_time, file, row_s, unit, _COLOURS[number % len(_COLOURS)])
    card = heard[0].series.card
    caption = (
        f"Perceived emotion as {card.name} {card.version} predicts it; not what anyone felt."
        f" Means of {row_s:g} s; ring: begin, point: end."
    )
    # Several files share the legend's title for it; a single one is named above.
    if len(heard) > 1:
        handles, names = plane.get_legend_handles_labels()
        legend = figure.legend(
            handles, names, loc="outside lower center", ncols=3, frameon=False, fontsize=8, title=caption
        )
        legend.get_title().set(fontsize=7.5, color="0.35")
    else:
        figure.suptitle(heard[0].path.name, fontsize=11)
        figure.supxlabel(caption, fontsize=7.5, color="0.35")
    return figure


def _draw_plane(plane: Axes) -> None:
    plane.set(xlim=(-1, 1), ylim=(-1, 1), xlabel="valence (predicted)", ylabel="arousal (predicted)")
    plane.set(xticks=_TICKS, yticks=_TICKS)
    plane.set_aspect("equal")
    plane.axhline(0, color="0.8", lw=0.8, zorder=0)
    plane.axvline(0, color="0.8", lw=0.8, zorder=0)
    for x, y, word in _CORNERS:
        plane.annotate(
            word,
            (x * 0.97, y * 0.95),
            ha="right" if x > 0 else "left",
            va="center",
            color="0.5",
            fontsize=9,
            style="italic",
        )


def _draw_file(
    plane: Axes, over_time: Sequence[Axes], file: HeardFile, row_s: float, unit: float, colour: str
) -> None:
    rows: Sequence[HeardRow] = file.rows(row_s) or (file.mean,)
    valence, arousal = [row.valence_pred for row in rows], [row.arousal_pred for row in rows]
    series = file.series
    plane.scatter(series.valence_pred, series.arousal_pred, s=6, color=colour, alpha=0.15, lw=0)
    plane.plot(valence, arousal, color=colour, lw=1.6, label=file.path.name)
    plane.plot(valence[:1], arousal[:1], "o", ms=9, mfc="white", mec=colour, mew=1.8)
    plane.plot(valence[-1:], arousal[-1:], "o", ms=7, color=colour)
    middle = [(row.onset_s + row.duration_s / 2) / unit for row in rows]
    centres = (series.onset_s + series.window_s / 2) / unit
    for axes, means, windows in zip(
        over_time, (valence, arousal), (series.valence_pred, series.arousal_pred), strict=True
    ):
        axes.scatter(centres, windows, s=5, color=colour, alpha=0.2, lw=0)
        axes.plot(middle, means, color=colour, lw=1.6, marker="o", ms=3)
