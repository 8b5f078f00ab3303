"""A session's bars in seconds, with the section, phrase and chords of each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.composer.score import Cadence, Chord, Phrase, Score, Section

_SLACK_BEATS = 1e-6


class BeatClock:
    """Moments of beats, straight between the whole beats that a score lists.

    Args:
        beat_times_s: moment of each whole beat, two or more, rising.
    """

    def __init__(self, beat_times_s: Sequence[float]) -> None:
        self._times_s = np.asarray(beat_times_s, dtype=np.float64)
        self._beats = np.arange(len(self._times_s), dtype=np.float64)
        self._pace_s = float(self._times_s[-1] - self._times_s[-2])

    def seconds(self, beats: NDArray[np.float64]) -> NDArray[np.float64]:
        """Moments of `beats`, shape [n]; past the last listed beat at its pace."""
        beyond = np.maximum(beats - self._beats[-1], 0.0) * self._pace_s
        return np.asarray(np.interp(beats, self._beats, self._times_s) + beyond)

    def second(self, beat: float) -> float:
        """Moment of one beat."""
        return float(self.seconds(np.array([beat]))[0])


@dataclass(frozen=True)
class Bar:
    """One bar.

    Args:
        number: from 1.
        onset_beat, beats: in quarter notes.
        onset_s, end_s: in seconds; the last bar ends with the session.
        section, phrase: it belongs to; None where the session is too short for a phrase.
        chords: that sound in it, in time order.
        cadence: of the phrase, in the bar where its last chord begins.
        is_final: it holds the final chord alone.
    """

    number: int
    onset_beat: float
    beats: float
    onset_s: float
    end_s: float
    section: Section | None
    phrase: Phrase | None
    chords: tuple[Chord, ...]
    cadence: Cadence | None
    is_final: bool


def bars_of(score: Score) -> tuple[Bar, ...]:
    """All bars in time order, without gaps, the final chord's as the last."""
    clock = BeatClock(score.beat_times_s)
    bars: list[Bar] = []
    drafts = list(_drafts(score))
    chords = [chord for phrase in score.chords for chord in phrase]
    for index, (onset_beat, beats, section, phrase, cadence_beat) in enumerate(drafts):
        is_last = index == len(drafts) - 1
        end_beat = onset_beat + beats
        closes = cadence_beat is not None and onset_beat <= cadence_beat + _SLACK_BEATS < end_beat
        bars.append(
            Bar(
                number=index + 1,
                onset_beat=onset_beat,
                beats=beats,
                onset_s=clock.second(onset_beat),
                end_s=score.duration_s if is_last else clock.second(end_beat),
                section=section,
                phrase=phrase,
                chords=tuple(chord for chord in chords if _sounds_in(chord, onset_beat, end_beat)),
                cadence=phrase.cadence if phrase is not None and closes else None,
                is_final=is_last,
            )
        )
    return tuple(bars)


_Draft = tuple[float, float, Section | None, Phrase | None, float | None]


def _drafts(score: Score) -> Iterator[_Draft]:
    sections = [section for section in score.sections for _ in section.phrases]
    if not sections:
        lone = score.chords[0][-1]
        yield lone.onset_beat, lone.beats, None, None, None
        return
    for section, phrase, chords in zip(sections, score.phrases, score.chords, strict=True):
        cadence_beat = chords[-1].onset_beat
        for index in range(phrase.bars):
            onset = phrase.onset_beat + index * phrase.beats_per_bar
            yield onset, float(phrase.beats_per_bar), section, phrase, cadence_beat
    final = score.chords[-1][-1]
    if final.onset_beat >= score.phrases[-1].end_beat - _SLACK_BEATS:
        yield final.onset_beat, final.beats, sections[-1], score.phrases[-1], final.onset_beat


def _sounds_in(chord: Chord, onset_beat: float, end_beat: float) -> bool:
    return chord.onset_beat < end_beat - _SLACK_BEATS and chord.end_beat > onset_beat + _SLACK_BEATS


def key_changes(bars: Sequence[Bar]) -> list[tuple[Bar, int, int]]:
    """The bars where a phrase begins in another key or mode than the one before: bar, tonic, mode."""
    changes: list[tuple[Bar, int, int]] = []
    for bar in bars:
        key = (bar.phrase.tonic, bar.phrase.mode) if bar.phrase else (bar.chords[0].tonic, bar.chords[0].mode)
        if not bar.is_final and bar.phrase and bar.onset_beat > bar.phrase.onset_beat + _SLACK_BEATS:
            continue
        if bar.is_final and changes:
            continue
        if not changes or changes[-1][1:] != key:
            changes.append((bar, *key))
    return changes


def section_starts(bars: Sequence[Bar]) -> list[tuple[Bar, Section]]:
    """The first bar of each section."""
    starts: list[tuple[Bar, Section]] = []
    for bar in bars:
        if bar.section is not None and (not starts or starts[-1][1].number != bar.section.number):
            starts.append((bar, bar.section))
    return starts


def metre_changes(bars: Sequence[Bar]) -> list[tuple[Bar, int]]:
    """The bars where the number of quarter notes a bar changes, the first among them."""
    numbers = [(bar, max(round(bar.beats), 1)) for bar in bars]
    changed = [after for before, after in itertools.pairwise(numbers) if before[1] != after[1]]
    return numbers[:1] + [change for change in changed if not change[0].is_final]
