"""Whether the form can be heard: how alike a session's bars are, and where something new begins.

Source: Foote (2000), Automatic audio segmentation using a measure of audio novelty, ICME 1, 452-455: a
checkerboard kernel along the diagonal of the self-similarity matrix. Here the matrix is of the notes, bar by
bar: pitch classes by the time they sound, and who plays how much and how high.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from generation.composer.audit.bars import Bar, bars_of, section_starts
from generation.composer.score import Note, Part, Score

Matrix = NDArray[np.float64]

KERNEL_BARS = 6
"""Bars before and after a moment that are compared: more than a phrase, less than most sections."""

_PROMINENCE = 0.08
_NEAR_BARS = 1
#: Chords change with every bar, whatever the form; who plays, and how, does not.
_CHROMA_WEIGHT = 0.15


@dataclass(frozen=True)
class Novelty:
    """The form as the notes show it.

    Args:
        onsets_s: of each bar, shape [n].
        similarity: cosine of every two bars' features, shape [n, n], 1 on the diagonal.
        curve: novelty at each bar's onset against the bars before it, shape [n], 0 to 1.
        peaks: bars where it peaks, from 0.
        sections: bars where a section begins, the first section left out.
    """

    onsets_s: Matrix
    similarity: Matrix
    curve: Matrix
    peaks: tuple[int, ...]
    sections: tuple[int, ...]

    @property
    def found(self) -> int:
        """Sections that begin within a bar of a peak."""
        return sum(any(abs(start - peak) <= _NEAR_BARS for peak in self.peaks) for start in self.sections)

    @property
    def by_chance(self) -> float:
        """Sections that would be found if they began anywhere."""
        near = {peak + step for peak in self.peaks for step in range(-_NEAR_BARS, _NEAR_BARS + 1)}
        inside = range(1, len(self.curve))
        return len(self.sections) * len(near & set(inside)) / max(len(inside), 1)


def novelty_of(score: Score) -> Novelty:
    """The self-similarity and novelty of a session's bars."""
    bars = bars_of(score)
    features = _features(bars, score.notes)
    similarity = features @ features.T
    curve = _novelty(similarity)
    peaks, _ = find_peaks(np.concatenate([curve, [0.0]]), prominence=_PROMINENCE)
    numbers = {bar.number: index for index, bar in enumerate(bars)}
    starts = [numbers[bar.number] for bar, _ in section_starts(bars)][1:]
    onsets_s = np.array([bar.onset_s for bar in bars])
    return Novelty(onsets_s, similarity, curve, tuple(int(peak) for peak in peaks), tuple(starts))


def _features(bars: Sequence[Bar], notes: Sequence[Note]) -> Matrix:
    """Pitch classes and texture of each bar, each part of length 1, shape [n_bars, n_features]."""
    players = sorted({(note.part, note.instrument) for note in notes})
    column = {player: index for index, player in enumerate(players)}
    edges = np.array([bar.onset_s for bar in bars])
    chroma = np.zeros((len(bars), 12))
    amount = np.zeros((len(bars), len(players)))
    height = np.zeros((len(bars), len(players)))
    for note in notes:
        first = max(int(np.searchsorted(edges, note.onset_s + 0.03, side="right")) - 1, 0)
        place = column[note.part, note.instrument]
        amount[first, place] += 1.0
        height[first, place] += note.key
        if note.part is Part.PERCUSSION:
            continue
        for index in range(first, len(bars)):
            bar = bars[index]
            overlap = min(note.onset_s + note.duration_s, bar.end_s) - max(note.onset_s, bar.onset_s)
            if overlap <= 0:
                break
            chroma[index, note.key % 12] += overlap * note.velocity
    beats = np.array([max(bar.beats, 1.0) for bar in bars])[:, None]
    # Who plays matters more than how much; a register moves by octaves, not by keys.
    playing = np.sqrt(amount / beats)
    register = playing * (height / np.maximum(amount, 1.0) - 60.0) / 24.0
    texture = np.hstack([playing, register])
    return np.hstack(
        [np.sqrt(_CHROMA_WEIGHT) * _unit(chroma), np.sqrt(1.0 - _CHROMA_WEIGHT) * _unit(texture)]
    )


def _unit(rows: Matrix) -> Matrix:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0))


def _novelty(similarity: Matrix) -> Matrix:
    """Foote's kernel along the diagonal, over the bars there are; 1 at the most novel."""
    count = len(similarity)
    places = np.arange(-KERNEL_BARS, KERNEL_BARS) + 0.5
    taper = np.exp(-0.5 * (places / (0.5 * KERNEL_BARS)) ** 2)
    kernel = np.sign(places)[:, None] * np.sign(places) * taper[:, None] * taper
    curve = np.zeros(count)
    for bar in range(1, count):
        low, high = max(bar - KERNEL_BARS, 0), min(bar + KERNEL_BARS, count)
        here = slice(low - bar + KERNEL_BARS, high - bar + KERNEL_BARS)
        window, square = kernel[here, here], similarity[low:high, low:high]
        # At the edges the kernel has more of one side: alike bars alone must give 0.
        signs = np.sign(window)
        same, across = window * (signs > 0), -window * (signs < 0)
        curve[bar] = (same * square).sum() / same.sum() - (across * square).sum() / across.sum()
    curve = np.maximum(curve, 0.0)
    return np.asarray(curve / curve.max()) if curve.max() > 0 else curve
