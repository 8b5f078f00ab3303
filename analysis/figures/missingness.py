"""Which reports are missing, by arm and reason, and how far missing outcomes would have to differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.figures.drawing import (
    FAINT,
    INK,
    PAPER,
    SKY,
    SOFT,
    FigureImage,
    label_axes,
    legend_below,
    number_axis,
    open_axes,
    picture,
    results_figure,
)
from analysis.figures.lettering import fitted, on_one_line
from analysis.results import Results
from analysis.words import ENGLISH, Words

_ROW_IN = 0.42
_MOST_REASONS = 6
_OTHER = "\ue002"
#: Reasons, most frequent first: fill and hatch, no two alike in grey.
_FILLS = (
    (SOFT, ""),
    (PAPER, "////"),
    (FAINT, ""),
    (PAPER, "xxxx"),
    (SKY, "\\\\\\\\"),
    (PAPER, "----"),
    (FAINT, "++++"),
)


def missingness_image(results: Results, words: Words = ENGLISH) -> FigureImage | None:
    """Share of reports missing, by phase, arm and reason; None where none is missing."""
    rows = _rows(results)
    if not any(row["missing"] for row in rows):
        return None
    instrument = words.said(results.study["instrument_id"])
    whole = all(row["instrument_id"] == results.study["instrument_id"] for row in rows)
    title = words.text("figure.missingness.title")
    if whole:
        title += " " + words.text("figure.missingness.title_instrument", instrument=instrument)
    alt = [words.text("figure.missingness.alt")]
    alt += [_words_of(row, words) for row in rows if row["given"]["of"]]
    return picture("missingness", title, " ".join(alt), partial(_draw, results, words))


def _draw(results: Results, words: Words) -> Figure:
    rows = [row for row in _rows(results) if row["given"]["of"]]
    phases = list(dict.fromkeys(row["phase"] for row in rows))
    reasons = _reasons(rows)
    lines = sum(_height_in(row) for row in rows) + 0.26 * len(phases)
    figure = results_figure(results, words, lines + 0.55 + 0.2 * len(reasons))
    axes = figure.add_subplot()
    open_axes(axes)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    y = 0.0
    widest = max(_percent(sum(row["missing"].values()), row) for row in rows)
    axes.set(xlim=(0, max(1.08 * widest, 5)), ylim=(-lines, 0))
    for phase in phases:
        y -= 0.06
        _beside(axes, 0, y, words.text(f"figure.phase.{phase}"), fontweight="bold")
        y -= 0.2
        for row in rows:
            if row["phase"] == phase:
                _draw_row(axes, y, row, reasons, words)
                y -= _height_in(row)
    label_axes(axes, words.text("figure.missingness.axis"))
    number_axis(axes.xaxis, words)
    legend_below(figure, [_patch(place, reason, words) for place, reason in enumerate(reasons)])
    return figure


def _draw_row(axes: Axes, y: float, row: Mapping[str, Any], reasons: Sequence[str], words: Words) -> None:
    missing = sum(row["missing"].values())
    _beside(axes, 0, y, on_one_line(row["label"], "", 2.75))
    cell = {"n": missing, "of": row["given"]["of"]}
    _beside(axes, 1, y, words.share_text(cell), ha="right")
    left = 0.0
    counts = _grouped(row["missing"], reasons)
    for place, reason in enumerate(reasons):
        share = _percent(counts[reason], row)
        if share:
            fill, hatch = _FILLS[place]
            axes.barh(
                y - 0.27,
                share,
                left=left,
                height=0.17,
                facecolor=fill,
                edgecolor=INK,
                linewidth=0.8,
                hatch=hatch or None,
            )
            left += share


def _rows(results: Results) -> list[dict[str, Any]]:
    """Of the endpoint's instrument where it is asked for; else of all, summed by phase and arm."""
    mine = [row for row in results.missingness if row["instrument_id"] == results.study["instrument_id"]]
    return mine or list(results.missingness)


def _reasons(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(row["missing"])
    ordered = [reason for reason, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    if len(ordered) <= _MOST_REASONS + 1:
        return ordered
    return [*ordered[:_MOST_REASONS], _OTHER]


def _grouped(missing: Mapping[str, int], reasons: Sequence[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for reason, n in missing.items():
        counts[reason if reason in reasons else _OTHER] += n
    return counts


def _height_in(row: Mapping[str, Any]) -> float:
    return _ROW_IN if row["missing"] else _ROW_IN / 2


def _percent(n: int, row: Mapping[str, Any]) -> float:
    return float(100 * n / row["given"]["of"])


def _patch(place: int, reason: str, words: Words) -> Patch:
    fill, hatch = _FILLS[place]
    name = words.text("figure.missingness.other") if reason == _OTHER else words.said(reason)
    label = "\n".join(fitted(name, 3.3, 8.5))
    return Patch(facecolor=fill, edgecolor=INK, linewidth=0.8, hatch=hatch or None, label=label)


def _words_of(row: Mapping[str, Any], words: Words) -> str:
    reasons = "; ".join(
        words.text("figure.missingness.alt_reason", reason=words.said(reason), n=n)
        for reason, n in row["missing"].items()
    )
    return words.text(
        "figure.missingness.alt_row" if reasons else "figure.missingness.alt_none",
        phase=words.text(f"figure.phase.{row['phase']}"),
        arm=row["label"],
        missing=words.share_text({"n": sum(row["missing"].values()), "of": row["given"]["of"]}),
        reasons=reasons,
    )


def _beside(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:
    axes.text(
        x, y, text, transform=axes.get_yaxis_transform(), fontsize=8, in_layout=False, va="top", **style
    )
