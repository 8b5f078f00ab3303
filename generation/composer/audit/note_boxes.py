"""Notes as boxes over time and key, coloured by part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import MappingProxyType

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb

from generation.composer.score import Note, Part

#: Colours that stay apart for colour-blind readers (Okabe & Ito, 2008, Color universal design), one grey.
PART_COLOURS = MappingProxyType(
    {
        Part.MELODY: "#D55E00",
        Part.COUNTER: "#CC79A7",
        Part.FIGURE: "#3A9BDC",
        Part.PAD: "#B8BFC6",
        Part.BASS: "#005B8F",
        Part.PERCUSSION: "#333333",
    }
)
_BACK_TO_FRONT = (Part.PAD, Part.FIGURE, Part.BASS, Part.COUNTER, Part.MELODY)
_DRUM_ROWS = 5.0


def draw_notes(axes: Axes, notes: Sequence[Note], keys: tuple[int, int], span_s: tuple[float, float]) -> None:
    """A box for each note, its colour deeper the harder it is struck; drums as marks below the lowest key.

    Args:
        keys: lowest and highest that are shown.
        span_s: first and last second that are shown.
    """
    low, high = keys
    for part in (*_BACK_TO_FRONT, Part.PERCUSSION):
        chosen = [
            note
            for note in notes
            if note.part == part and note.onset_s < span_s[1] and note.onset_s + note.duration_s > span_s[0]
        ]
        if not chosen:
            continue
        drums = _drum_rows(notes) if part == Part.PERCUSSION else {}
        boxes, colours = [], []
        for note in chosen:
            start, end = note.onset_s, min(note.onset_s + note.duration_s, span_s[1])
            if part == Part.PERCUSSION:
                centre, half, end = low - 2.0 - drums[note.key], 0.42, start + 0.004 * (span_s[1] - span_s[0])
            else:
                centre, half = float(note.key), 0.5 if part in (Part.MELODY, Part.COUNTER, Part.BASS) else 0.4
            boxes.append(
                [(start, centre - half), (end, centre - half), (end, centre + half), (start, centre + half)]
            )
            colours.append((*to_rgb(PART_COLOURS[part]), 0.35 + 0.65 * min(note.velocity / 0.75, 1.0)))
        is_line = part in (Part.MELODY, Part.COUNTER)
        axes.add_collection(
            PolyCollection(boxes, facecolors=colours, linewidths=0.3 if is_line else 0.0, edgecolors="white")
        )
    has_drums = any(note.part == Part.PERCUSSION for note in notes)
    floor = low - 2.0 - _DRUM_ROWS if has_drums else low - 1.5
    axes.set(xlim=span_s, ylim=(floor, high + 1.5))
    octaves = list(range(12 * math.ceil(low / 12), high + 1, 12))
    axes.set_yticks(octaves, [f"C{key // 12 - 1}" for key in octaves])
    for key in octaves:
        axes.axhline(key, color="#E6E6E6", linewidth=0.7, zorder=0.4)
    if has_drums:
        axes.axhline(low - 1.5, color="#BBBBBB", linewidth=0.7)
    axes.tick_params(labelsize=8, labelbottom=False, bottom=False)


def _drum_rows(notes: Sequence[Note]) -> dict[int, float]:
    drums = sorted({note.key for note in notes if note.part == Part.PERCUSSION})
    step = (_DRUM_ROWS - 1.0) / max(len(drums) - 1, 1)
    return {key: (len(drums) - 1 - row) * min(step, 1.0) for row, key in enumerate(drums)}


def key_limits(notes: Sequence[Note]) -> tuple[int, int]:
    """The lowest and highest key of the pitched parts."""
    keys = [note.key for note in notes if note.part != Part.PERCUSSION] or [48, 72]
    return min(keys), max(keys)
