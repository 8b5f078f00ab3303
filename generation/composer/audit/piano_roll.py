"""The picture of a session: its notes by part, its sections and keys, the path and the main cues.

Long sessions are broken into systems, as a page of music is, so that single notes stay visible.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.gridspec import GridSpec
from matplotlib.patches import Patch

from generation.composer.audit.bars import Bar, bars_of, key_changes, section_starts
from generation.composer.audit.key_names import full_key_name, mode_name, section_name
from generation.composer.audit.note_boxes import PART_COLOURS, draw_notes, key_limits
from generation.composer.audit.time_axis import mark_time
from generation.composer.cues import CueCurves
from generation.composer.score import Part, Score
from generation.composer.writing.modes import mode_count
from study.errors import OutOfRange
from study.folder import write_whole
from study.path import AffectPath

_VALENCE, _AROUSAL = "#009E73", "#A35A00"
_BANDS = ("#E3E9EE", "#F6EEDD")
_FORMATS = (".png", ".svg", ".pdf")
_SYSTEM_S = 180.0
_SYSTEMS_MOST = 16
#: Bar lines closer than this hide the notes.
_BARS_MOST = 160
_WIDTH_IN = 15.0
_SYSTEM_IN, _CUES_IN, _HEAD_IN = 3.1, 2.9, 0.9
_MARGIN_IN = 0.75


def write_piano_roll(path: Path, score: Score, curves: CueCurves, planned: AffectPath, title: str) -> None:
    """Draw a session into a PNG, SVG or PDF file, by its ending.

    Raises:
        OutOfRange: the ending is no picture format, or the path has no planned affect.
        StorageError: the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in _FORMATS:
        raise OutOfRange(str(path), "is not the name of a picture", "end it with " + ", ".join(_FORMATS))
    write_whole(path, piano_roll_bytes(draw_piano_roll(score, curves, planned, title), kind[1:]))


def piano_roll_bytes(figure: Figure, kind: str = "png", dpi: float = 110.0) -> bytes:
    """A picture's bytes; the same figure gives the same."""
    picture = io.BytesIO()
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with rc_context({"svg.hashsalt": "isopath"}):
        figure.savefig(picture, format=kind, dpi=dpi, metadata=dates.get(kind))
    return picture.getvalue()


def draw_piano_roll(score: Score, curves: CueCurves, planned: AffectPath, title: str = "") -> Figure:
    """The whole session.

    Args:
        curves: the session's cues.
        planned: its path.
        title: one line above the picture.

    Raises:
        OutOfRange: the path has no planned affect.
    """
    count = min(max(math.ceil(score.duration_s / _SYSTEM_S - 1e-9), 1), _SYSTEMS_MOST)
    span_s = score.duration_s / count
    height = _HEAD_IN + _SYSTEM_IN * count + _CUES_IN
    figure = Figure(figsize=(_WIDTH_IN, height))
    FigureCanvasAgg(figure)
    figure.text(_MARGIN_IN / _WIDTH_IN, 1 - 0.25 / height, title, fontsize=13, va="center", parse_math=False)
    _legend(figure, score, height)
    bars = bars_of(score)
    keys = key_limits(score.notes)
    top = 1 - _HEAD_IN / height
    for index in range(count):
        bottom = top - _SYSTEM_IN / height
        _draw_system(
            figure, (bottom, top), score, bars, planned, keys, (index * span_s, (index + 1) * span_s)
        )
        top = bottom
    _draw_cues(figure, (0.45 / height, top - 0.3 / height), curves, bars)
    return figure


def _grid(figure: Figure, place: tuple[float, float], heights: Sequence[float], gap: float) -> GridSpec:
    left = _MARGIN_IN / _WIDTH_IN
    return GridSpec(
        len(heights),
        1,
        figure=figure,
        left=left,
        right=1 - left,
        bottom=place[0],
        top=place[1],
        height_ratios=heights,
        hspace=gap,
    )


def _draw_system(
    figure: Figure,
    place: tuple[float, float],
    score: Score,
    bars: Sequence[Bar],
    planned: AffectPath,
    keys: tuple[int, int],
    span_s: tuple[float, float],
) -> None:
    foot = 0.16 * (place[1] - place[0])
    grid = _grid(figure, (place[0] + foot, place[1]), (0.36, 1.75, 0.55), 0.0)
    head, roll, path = (figure.add_subplot(grid[row]) for row in range(3))
    _draw_head(head, bars, span_s)
    draw_notes(roll, score.notes, keys, span_s)
    inside = [bar for bar in bars if span_s[0] <= bar.onset_s < span_s[1]]
    for bar in inside:
        is_start = bar.section is not None and bar.onset_beat == bar.section.onset_beat
        if is_start or len(inside) <= _BARS_MOST:
            roll.axvline(bar.onset_s, color="#555555" if is_start else "#DDDDDD", linewidth=0.8, zorder=0.5)
    times_s = np.linspace(*span_s, 400)
    affect = planned.affect_at(times_s)
    lines = (("valence", _VALENCE, "-"), ("arousal", _AROUSAL, "--"))
    for column, (_, colour, style) in enumerate(lines):
        path.plot(times_s, affect[:, column], color=colour, linestyle=style, linewidth=1.8)
    _name_lines(path, [(name, colour, affect[-1, k]) for k, (name, colour, _) in enumerate(lines)], 0.62)
    path.axhline(0, color="#BBBBBB", linewidth=0.6)
    path.set(ylim=(-1.08, 1.08), yticks=(-1, 0, 1), xlim=span_s)
    path.tick_params(labelsize=8)
    mark_time(path.xaxis, span_s[1] - span_s[0])


def _name_lines(axes: Axes, lines: Sequence[tuple[str, str, float]], apart: float) -> None:
    """Names at the right end of their lines, at least `apart` of the axis' unit from each other."""
    placed: float | None = None
    for name, colour, value in sorted(lines, key=lambda line: line[2]):
        placed = value if placed is None else max(value, placed + apart)
        axes.annotate(
            name,
            (1.0, placed),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            color=colour,
            fontsize=8,
            va="center",
            annotation_clip=False,
        )


def _draw_head(axes: Axes, bars: Sequence[Bar], span_s: tuple[float, float]) -> None:
    """Sections above, keys below."""
    axes.set(xlim=span_s, ylim=(0, 2))
    axes.set_axis_off()
    starts = section_starts(bars)
    ends_s = [bar.onset_s for bar, _ in starts[1:]] + [bars[-1].end_s]
    for (bar, section), end_s in zip(starts, ends_s, strict=True):
        name = section_name(section)
        _band(axes, (bar.onset_s, end_s), 1, f"{name}  {section.kind}", _BANDS[section.number % 2], span_s)
    changes = key_changes(bars)
    ends_s = [bar.onset_s for bar, _, _ in changes[1:]] + [bars[-1].end_s]
    for index, ((bar, tonic, mode), end_s) in enumerate(zip(changes, ends_s, strict=True)):
        colour = ("#FFFFFF", "#F2F2F2")[index % 2]
        _band(axes, (bar.onset_s, end_s), 0, full_key_name(tonic, mode), colour, span_s)


def _band(
    axes: Axes, ends_s: tuple[float, float], row: int, text: str, colour: str, span_s: tuple[float, float]
) -> None:
    start, end = max(ends_s[0], span_s[0]), min(ends_s[1], span_s[1])
    if end <= start:
        return
    axes.axhspan(
        row,
        row + 1,
        (start - span_s[0]) / (span_s[1] - span_s[0]),
        (end - span_s[0]) / (span_s[1] - span_s[0]),
        facecolor=colour,
        edgecolor="#888888",
        linewidth=0.6,
    )
    room = (end - start) / (span_s[1] - span_s[0]) * (_WIDTH_IN - 2 * _MARGIN_IN) * 72
    size = 8.5 if row else 7.5
    fits = int(room / (0.58 * size))
    shown = text if len(text) <= fits else text.split("  ", maxsplit=1)[0]
    if len(shown) <= fits:
        weight = "bold" if row else "normal"
        axes.text(
            (start + end) / 2, row + 0.46, shown, ha="center", va="center", fontsize=size, weight=weight
        )


def _draw_cues(figure: Figure, place: tuple[float, float], curves: CueCurves, bars: Sequence[Bar]) -> None:
    grid = _grid(figure, place, (1.0, 1.0, 1.0), 0.12)
    times_s = curves.times_s[curves.times_s <= curves.duration_s + 1e-9]
    cues = curves.at(times_s)
    tempo, mode, shares = (figure.add_subplot(grid[row]) for row in range(3))
    tempo.plot(times_s, cues.tempo_bpm, color="#222222", linewidth=1.6)
    tempo.set_ylabel("tempo\nbpm", fontsize=8)
    margin = 0.08 * max(float(np.ptp(cues.tempo_bpm)), 10.0)
    tempo.set_ylim(float(cues.tempo_bpm.min()) - margin, float(cues.tempo_bpm.max()) + margin)
    mode.plot(times_s, cues.mode, color="#222222", linewidth=1.6)
    mode.set(ylim=(-0.3, mode_count() - 0.7))
    mode.set_yticks(range(mode_count()), [mode_name(place) for place in range(mode_count())])
    lines = (("density", "#3A9BDC", "-"), ("dissonance", "#D55E00", "--"), ("sustain", "#5A6268", ":"))
    for name, colour, style in lines:
        shares.plot(times_s, getattr(cues, name), color=colour, linestyle=style, linewidth=1.8)
    _name_lines(shares, [(name, colour, getattr(cues, name)[-1]) for name, colour, _ in lines], 0.26)
    shares.set(ylim=(-0.05, 1.05), yticks=(0, 0.5, 1))
    shares.set_ylabel("share", fontsize=8)
    for axes in (tempo, mode, shares):
        axes.set_xlim(0.0, curves.duration_s)
        axes.tick_params(labelsize=7 if axes is mode else 8, labelbottom=axes is shares)
        axes.grid(axis="y", color="#EEEEEE", linewidth=0.6)
        for bar, _ in section_starts(bars):
            axes.axvline(bar.onset_s, color="#CCCCCC", linewidth=0.6, zorder=0.5)
    mark_time(shares.xaxis, curves.duration_s)


def _legend(figure: Figure | SubFigure, score: Score, height: float) -> None:
    players: dict[Part, list[str]] = {}
    for note in score.notes:
        names = players.setdefault(note.part, [])
        if note.instrument not in names:
            names.append(note.instrument)
    patches = [
        Patch(color=PART_COLOURS[part], label=f"{part}: {', '.join(players[part])}")
        for part in Part
        if part in players
    ]
    figure.legend(
        handles=patches,
        loc="center left",
        bbox_to_anchor=(_MARGIN_IN / _WIDTH_IN - 0.005, 1 - 0.58 / height),
        ncols=len(patches),
        fontsize=8,
        frameon=False,
        columnspacing=1.2,
        handlelength=1.0,
    )
