"""The picture of what was heard: paths on the circumplex and over time, predictors side by side."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.mer.bands import Bands
from analysis.mer.comparison import HeardMean
from analysis.mer.files import HeardFile
from study.errors import OutOfRange
from study.folder import write_whole

#: Okabe & Ito's palette, told apart by colour-blind eyes; as greys, the first is dark and the second light.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#000000")
_LINES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1, 1, 1)))
_MARKS = ("o", "s", "^", "D")
_TICKS = (-1.0, -0.5, 0.0, 0.5, 1.0)
_FORMATS = (".png", ".svg", ".pdf")
_CORNERS = ((-1, 1, "tense"), (1, 1, "joyful"), (-1, -1, "sad"), (1, -1, "calm"))
_MOST_PATHS = 4
_MOST_NAMED = 15
_FOREIGN = 0.5
_AXES = ("valence", "arousal")


@dataclass(frozen=True)
class _Pen:
    """How one predictor's path through one file is drawn."""

    colour: str
    line: str | tuple[int, tuple[float, ...]]
    mark: str


def check_plot_path(path: Path) -> None:
    """Refuse a picture's name before any work is done for it.

    Raises:
        OutOfRange: its ending is no picture format, or its folder is not there.
    """
    if path.suffix.lower() not in _FORMATS:
        raise OutOfRange(str(path), "is not the name of a picture", "end it with " + ", ".join(_FORMATS))
    if not path.absolute().parent.is_dir():
        raise OutOfRange(str(path), "its folder does not exist", "make the folder first")


def write_plot(path: Path, heard: Sequence[HeardFile], row_s: float, bands: Bands | None = None) -> None:
    """Draw `heard` into a PNG, SVG or PDF file, by its ending.

    Raises:
        OutOfRange: as `check_plot_path`.
        StorageError: it cannot be written.
    """
    check_plot_path(path)
    picture = io.BytesIO()
    draw(heard, row_s, bands).savefig(picture, format=path.suffix.lower().removeprefix("."), dpi=150)
    write_whole(path, picture.getvalue())


def draw(heard: Sequence[HeardFile], row_s: float, bands: Bands | None = None) -> Figure:
    """A figure of up to four files' paths, or of the wholes of more.

    Paths: the circumplex at the left; valence above arousal over time at the
    right. Lines join the means of rows of `row_s` seconds; a hollow mark is
    where a path begins, a filled one where it ends; pale dots are windows,
    crosses those outside the reference music. Wholes: a circumplex for each
    predictor, a point for each file. Bars are bands, where there are any.
    """
    figure = Figure(figsize=(11, 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    names = list(heard[0].series)
    if len(heard) > _MOST_PATHS:
        _draw_wholes(figure, heard, names, bands)
    else:
        _draw_paths(figure, heard, names, row_s, bands)
    figure.supxlabel(_caption(heard, row_s, bands), fontsize=7.5, color="0.35")
    return figure


def _caption(heard: Sequence[HeardFile], row_s: float, bands: Bands | None) -> str:
    cards = [series.card for series in heard[0].series.values()]
    who = " and ".join(f"{card.name} {card.version}" for card in cards)
    predict = "predict" if len(cards) > 1 else "predicts"
    first = f"Perceived emotion as {who} {predict} it; not what anyone felt."
    if len(heard) <= _MOST_PATHS:
        first += f" Means of {row_s:g} s; hollow: begin, filled: end."
        if any(mean.foreign_share for file in heard for mean in file.whole.by.values()):
            first += " Crosses: windows unlike the reference music."
    else:
        first += f" Each point is the mean over one of {len(heard)} files."
        if any((mean.foreign_share or 0.0) > _FOREIGN for file in heard for mean in file.whole.by.values()):
            first += " A cross is a file unlike the reference music for the most part."
    if bands is None:
        return first + "\nNo bands: no rated audio was given."
    whose = ", ".join(one.predictor for one in bands.of if one.predictor in heard[0].series)
    return first + f"\nBars: {100 * bands.level:g} % bands of whole files ({whose}), from rated audio."


def _draw_wholes(
    figure: Figure, heard: Sequence[HeardFile], names: Sequence[str], bands: Bands | None
) -> None:
    # Taller than two squares side by side need, so that their titles have room.
    figure.set_size_inches(11, 6.2)
    planes = figure.subplots(1, len(names), squeeze=False)[0]
    for number, (plane, name) in enumerate(zip(planes, names, strict=True)):
        _draw_plane(plane)
        plane.set_title(name, fontsize=11, pad=8)
        for file in heard:
            share = file.whole.by[name].foreign_share or 0.0
            pen = _Pen(
                _COLOURS[number % 2], "none", "x" if share > _FOREIGN else _MARKS[number % len(_MARKS)]
            )
            _draw_whole(plane, file, name, pen, bands, len(heard) <= _MOST_NAMED)


def _draw_paths(
    figure: Figure, heard: Sequence[HeardFile], names: Sequence[str], row_s: float, bands: Bands | None
) -> None:
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 1.25))
    plane = figure.add_subplot(grid[:, 0])
    over_time = [figure.add_subplot(grid[row, 1]) for row in (0, 1)]
    _draw_plane(plane)
    longest_s = max(file.duration_s for file in heard)
    unit, unit_name = (60.0, "minutes") if longest_s > 180 else (1.0, "seconds")
    for axes, axis in zip(over_time, _AXES, strict=True):
        axes.set(xlim=(0, longest_s / unit), ylim=(-1, 1), yticks=_TICKS, ylabel=f"{axis} (predicted)")
        axes.axhline(0, color="0.8", lw=0.8, zorder=0)
        axes.spines[["top", "right"]].set_visible(False)
    over_time[0].tick_params(labelbottom=False)
    over_time[1].set_xlabel(unit_name)
    for file_number, file in enumerate(heard):
        for number, name in enumerate(names):
            # Of one file the colours tell the predictors apart too; the lines and marks always do.
            colour = _COLOURS[number if len(heard) == 1 else file_number]
            pen = _Pen(colour, _LINES[number % len(_LINES)], _MARKS[number % len(_MARKS)])
            _draw_path(plane, over_time, file, name, row_s, unit, pen)
            if bands is not None:
                _draw_whole(plane, file, name, pen, bands, False)
    _add_legend(figure, heard, names)


def _add_legend(figure: Figure, heard: Sequence[HeardFile], names: Sequence[str]) -> None:
    handles = [
        Line2D(
            [],
            [],
            color=_COLOURS[number] if len(heard) == 1 else "0.3",
            ls=_LINES[number % len(_LINES)],
            marker=_MARKS[number % len(_MARKS)],
            ms=5,
            label=name,
        )
        for number, name in enumerate(names)
    ]
    if len(heard) > 1:
        handles += [
            Line2D([], [], color=_COLOURS[number], lw=4, label=shown_name(file))
            for number, file in enumerate(heard)
        ]
    title = shown_name(heard[0]) if len(heard) == 1 else None
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=3,
        frameon=False,
        fontsize=8.5,
        title=title,
        handlelength=3,
    )


def shown_name(file: HeardFile) -> str:
    """A file's name as a font can show it: no bytes that are no UTF-8, no mathematics between dollars."""
    name = os.fsencode(file.path.name).decode("utf-8", "backslashreplace")
    return name.replace("$", r"\$")


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


def _draw_whole(
    plane: Axes, file: HeardFile, name: str, pen: _Pen, bands: Bands | None, is_named: bool
) -> None:
    whole = file.whole.by[name]
    found = None if bands is None else bands.for_card(file.series[name].card)
    plane.errorbar(
        whole.valence_pred,
        whole.arousal_pred,
        xerr=None if found is None else found.valence.half_width,
        yerr=None if found is None else found.arousal.half_width,
        fmt=pen.mark,
        ms=5,
        color=pen.colour,
        alpha=0.8,
        elinewidth=0.9,
        capsize=2.5,
    )
    if is_named:
        # Towards the middle, so that no name leaves the plane.
        side = -1 if whole.valence_pred > 0 else 1
        plane.annotate(
            shown_name(file),
            (whole.valence_pred, whole.arousal_pred),
            xytext=(6 * side, 5),
            textcoords="offset points",
            ha="right" if side < 0 else "left",
            fontsize=6.5,
            color="0.3",
        )


def _draw_path(
    plane: Axes, over_time: Sequence[Axes], file: HeardFile, name: str, row_s: float, unit: float, pen: _Pen
) -> None:
    means: list[tuple[float, HeardMean]] = [
        ((row.onset_s + row.duration_s / 2) / unit, row.by[name])
        for row in file.rows(row_s)
        if name in row.by
    ]
    valence = [mean.valence_pred for _, mean in means]
    arousal = [mean.arousal_pred for _, mean in means]
    plane.plot(valence, arousal, color=pen.colour, lw=1.6, ls=pen.line)
    plane.plot(valence[:1], arousal[:1], pen.mark, ms=8, mfc="white", mec=pen.colour, mew=1.8)
    plane.plot(valence[-1:], arousal[-1:], pen.mark, ms=6.5, color=pen.colour)
    series = file.series[name]
    centre = (series.onset_s + series.window_s / 2) / unit
    is_foreign = series.is_foreign
    for axes, path, windows in zip(
        over_time, (valence, arousal), (series.valence_pred, series.arousal_pred), strict=True
    ):
        known = slice(None) if is_foreign is None else ~is_foreign
        axes.scatter(centre[known], windows[known], s=9, color=pen.colour, alpha=0.4, lw=0, marker=pen.mark)
        if is_foreign is not None:
            axes.scatter(
                centre[is_foreign], windows[is_foreign], s=22, color=pen.colour, alpha=0.8, lw=1.0, marker="x"
            )
        axes.plot(
            [at for at, _ in means], path, color=pen.colour, lw=1.6, ls=pen.line, marker=pen.mark, ms=3.5
        )
